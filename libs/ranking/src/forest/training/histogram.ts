import type { BinnedFeature } from './bins.ts'

/** Numbers per bin: the sums of first and second derivatives, and the rows. */
export const binWidth = 3

/** Where each feature's bins begin in a histogram, in numbers; the last entry is the length of a histogram. */
export function histogramOffsets(features: readonly BinnedFeature[]): Int32Array {
  const offsets = new Int32Array(features.length + 1)
  features.forEach(({ count }, feature) => (offsets[feature + 1] = offsets[feature]! + binWidth * count))
  return offsets
}

/** First and second derivatives of the loss by the score, per row. */
export interface Derivatives {
  readonly gradients: Float64Array
  readonly hessians: Float64Array
}

/** Rows of the training set; a leaf has those from `from` up to `to`. */
export interface RowRange {
  readonly rows: Uint32Array
  readonly from: number
  readonly to: number
}

/** Sums the derivatives of a leaf's rows by bin, for the features in `active`, into `histogram`. */
export function fillHistogram(
  histogram: Float64Array,
  { features, offsets, active }: { features: readonly BinnedFeature[]; offsets: Int32Array; active: Int32Array },
  { rows, from, to }: RowRange,
  { gradients, hessians }: Derivatives,
): void {
  histogram.fill(0)
  const count = to - from
  const g = new Float64Array(count)
  const h = new Float64Array(count)
  for (let at = 0; at < count; at++) {
    const row = rows[from + at]!
    g[at] = gradients[row]!
    h[at] = hessians[row]!
  }
  for (const feature of active)
    addFeature(histogram, offsets[feature]!, features[feature]!.bins, rows.subarray(from, to), g, h)
}

/** The inner loop. Its arrays are parameters, so that it reads no property per row. */
function addFeature(
  histogram: Float64Array,
  offset: number,
  bins: Uint16Array,
  rows: Uint32Array,
  gradients: Float64Array,
  hessians: Float64Array,
): void {
  for (let at = 0; at < rows.length; at++) {
    const to = offset + binWidth * bins[rows[at]!]!
    histogram[to]! += gradients[at]!
    histogram[to + 1]! += hessians[at]!
    histogram[to + 2]! += 1
  }
}

/** Turns the histogram of a leaf into that of one child by taking away the other child's. */
export function subtractHistogram(parent: Float64Array, child: Float64Array): void {
  for (let at = 0; at < parent.length; at++) parent[at]! -= child[at]!
}
