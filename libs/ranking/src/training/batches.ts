/** Row numbers in a random order (Fisher and Yates), cut into batches whose sizes differ by one row at most. */
export function shuffledBatches(rows: number, batchRows: number, random: () => number): readonly Int32Array[] {
  const order = Int32Array.from({ length: rows }, (_, row) => row)
  for (let last = rows - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1))
    const row = order[last]!
    order[last] = order[other]!
    order[other] = row
  }
  const count = Math.ceil(rows / batchRows)
  return Array.from({ length: count }, (_, at) =>
    order.subarray(Math.floor((at * rows) / count), Math.floor(((at + 1) * rows) / count)),
  )
}
