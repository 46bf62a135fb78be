/** Upper ends (inclusive) of the buckets of feed positions; beyond the last one more bucket, then one for positions not known. */
const bucketEnds = [0, 1, 2, 3, 5, 8, 12, 20, 40] as const

/** How many buckets there are, the one beyond and the unknown one included. */
export const buckets = bucketEnds.length + 2

/** The bucket of a position (0 = first); null: not known. */
export function bucketOf(position: number | null): number {
  if (position === null) return buckets - 1
  const at = bucketEnds.findIndex((end) => position <= end)
  return at < 0 ? bucketEnds.length : at
}
