/** A share of 0 counts as this much, so that the logarithm is finite. */
const leastShare = 1e-4

/**
 * The population stability index of two distributions over the same parts, each with the sum 1: Σ (b − a)·ln(b / a). 0: equal.
 * By convention below 0.1 is stable, and above 0.25 a considerable shift.
 */
export function stabilityIndex(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new RangeError(`got ${a.length} and ${b.length} parts; the two must have the same`)
  let index = 0
  for (let part = 0; part < a.length; part++) {
    const [x, y] = [Math.max(leastShare, a[part]!), Math.max(leastShare, b[part]!)]
    index += (y - x) * Math.log(y / x)
  }
  return index
}
