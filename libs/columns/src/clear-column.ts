/**
 * Sets a column to zeros by writing only what is not 0. `fill(0)` would write to every page: of columns with room for millions of
 * rows, the system gives memory only to the pages that were written.
 */
export function clearColumn({ buffer, byteOffset, byteLength }: ArrayBufferView): void {
  const bytes = new Uint8Array(buffer, byteOffset, byteLength)
  // Looks at four bytes at a time, whatever the type of the column.
  const head = (4 - (byteOffset % 4)) % 4
  if (byteLength < head) {
    bytes.fill(0)
    return
  }
  const words = new Int32Array(buffer, byteOffset + head, (byteLength - head) >> 2)
  const { length } = words
  for (let i = 0; i < length; i++) if (words[i] !== 0) words[i] = 0
  bytes.fill(0, 0, head)
  bytes.fill(0, head + 4 * length)
}
