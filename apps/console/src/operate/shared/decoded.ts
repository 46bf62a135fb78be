/** A part of a path as text; unchanged if it is not encoded properly. */
export function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
