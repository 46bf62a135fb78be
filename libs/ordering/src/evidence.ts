/** How far evidence has grown, in [0, 1): n / (n + half). */
export function growthOf(evidence: number, half: number): number {
  return evidence / (evidence + half)
}

/** A value that grows from `start` to `end` with evidence. */
export function grown(growth: number, { start, end }: { readonly start: number; readonly end: number }): number {
  return start + (end - start) * growth
}
