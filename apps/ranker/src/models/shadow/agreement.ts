import { topRows } from '../health/top-rows.ts'

/** Share of the best `count` rows by `a` that are also among the best `count` by `b`, in [0, 1]. There must be rows. */
export function overlapAtTop(a: Float32Array, b: Float32Array, count: number): number {
  const best = new Set(topRows(a, count))
  let shared = 0
  for (const row of topRows(b, count)) if (best.has(row)) shared++
  return shared / best.size
}

/** Spearman's rank correlation in [−1, 1]; equal values share the mean of their ranks. null: a side has no order. */
export function rankCorrelation(a: Float32Array, b: Float32Array): number | null {
  const [x, y] = [ranksOf(a), ranksOf(b)]
  const mean = (a.length - 1) / 2
  let [xy, xx, yy] = [0, 0, 0]
  for (let row = 0; row < x.length; row++) {
    const [dx, dy] = [x[row]! - mean, y[row]! - mean]
    xy += dx * dy
    xx += dx * dx
    yy += dy * dy
  }
  return xx === 0 || yy === 0 ? null : xy / Math.sqrt(xx * yy)
}

function ranksOf(values: Float32Array): Float64Array {
  const order = Int32Array.from(values.keys()).sort((a, b) => values[a]! - values[b]!)
  const ranks = new Float64Array(values.length)
  for (let first = 0; first < order.length;) {
    let next = first + 1
    while (next < order.length && values[order[next]!] === values[order[first]!]) next++
    for (let at = first; at < next; at++) ranks[order[at]!] = (first + next - 1) / 2
    first = next
  }
  return ranks
}
