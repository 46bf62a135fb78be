import type { InputStatistics } from './manifest.ts'

const quantileCount = 11

/**
 * Statistics of the values of one input (NaN: missing). `weights`: how many rows each row stands for; they count in the shares of
 * the parts, with which serving is compared.
 */
export function inputStatisticsOf(all: Float32Array, weights: Float32Array): InputStatistics {
  const values = all.filter((value) => !Number.isNaN(value)).sort()
  const count = values.length
  const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, count)
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, count)
  const last = quantileCount - 1
  const quantiles =
    count === 0
      ? []
      : Array.from({ length: quantileCount }, (_, tenth) => values[Math.round((tenth / last) * (count - 1))]!)
  const ofMostFrequent = Math.max(0, ...quantiles.map((value) => runLength(values, value)))
  return {
    count,
    mean,
    standardDeviation: Math.sqrt(variance),
    missingShare: all.length === 0 ? 0 : 1 - count / all.length,
    mostFrequentShare: all.length === 0 ? 0 : ofMostFrequent / all.length,
    quantiles,
    partShares: count === 0 ? [] : sharesOf(all, weights, partEdges(quantiles)),
  }
}

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

function sharesOf(all: Float32Array, weights: Float32Array, edges: Float64Array): number[] {
  const sums = new Float64Array(edges.length + 1)
  let total = 0
  for (const [row, value] of all.entries()) {
    if (Number.isNaN(value)) continue
    const part = partOf(edges, value)
    sums[part] = sums[part]! + weights[row]!
    total += weights[row]!
  }
  return Array.from(sums, (sum) => (total === 0 ? 0 : sum / total))
}

/** How often a value occurs in an ascending column. */
function runLength(sorted: Float32Array, value: number): number {
  return sorted.lastIndexOf(value) - sorted.indexOf(value) + 1
}
