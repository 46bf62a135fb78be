/** Upper ends (inclusive) of the buckets of feed positions. Two more buckets follow: positions beyond the last end, and unknown positions. */
const bucketEnds = [0, 1, 2, 3, 5, 8, 12, 20, 40] as const

/** The number of buckets, including those two. */
export const buckets = bucketEnds.length + 2

/** The bucket of a position (0 = first); null: not known. */
export function bucketOf(position: number | null): number {
  if (position === null) return buckets - 1
  const at = bucketEnds.findIndex((end) => position <= end)
  return at < 0 ? bucketEnds.length : at
}
