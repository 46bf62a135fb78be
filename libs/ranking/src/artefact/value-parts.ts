/** The distinct quantiles, ascending. They divide the numbers into one part more than there are edges. */
export function partEdges(quantiles: readonly number[]): Float64Array {
  return Float64Array.from(new Set(quantiles))
}

/** The part of a value: the number of edges below it. A value that equals an edge is in the part that the edge closes. */
export function partOf(edges: Float64Array, value: number): number {
  let part = 0
  while (part < edges.length && value > edges[part]!) part++
  return part
}

/**
 * The share of the values (NaN: missing, not counted) in each part between their quantiles. `weights`: how many rows each row
 * stands for; null: one. Empty if there are no quantiles.
 */
export function partSharesOf(
  values: Float32Array,
  quantiles: readonly number[],
  weights: ArrayLike<number> | null,
): number[] {
  if (quantiles.length === 0) return []
  const edges = partEdges(quantiles)
  const sums = new Float64Array(edges.length + 1)
  let total = 0
  for (const [row, value] of values.entries()) {
    if (Number.isNaN(value)) continue
    const weight = weights === null ? 1 : weights[row]!
    const part = partOf(edges, value)
    sums[part] = sums[part]! + weight
    total += weight
  }
  return Array.from(sums, (sum) => (total === 0 ? 0 : sum / total))
}

/** The value that takes up most of the quantiles, for example a default of 0; null: no value takes up two of them. */
export function frequentValue(quantiles: readonly number[]): number | null {
  let best: number | null = null
  let most = 1
  for (const value of new Set(quantiles)) {
    const run = quantiles.filter((other) => other === value).length
    if (run > most) {
      most = run
      best = value
    }
  }
  return best
}
