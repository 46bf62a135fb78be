import { zeroBound } from '../model.ts'
import type { FeatureMatrix } from '../forest.ts'
import type { ForestSettings } from './settings.ts'

/** One feature of the training rows as small whole numbers. */
export interface BinnedFeature {
  /** Per row. Numbers: rising with the value. Categories: 0 is missing or rare, then by falling frequency. */
  readonly bins: Uint16Array
  readonly count: number
  /** Numbers: the bin of missing values, −1 if none is missing. Categories: 0. */
  readonly missingBin: number
  /** Numbers: a value ≤ thresholds[b] is in bin b or below. Empty for categories. */
  readonly thresholds: Float64Array
  /** Categories: the category of each bin; categories[0] is not used. Null for numbers. */
  readonly categories: Int32Array | null
  /** LightGBM's `feature_infos`. */
  readonly info: string
}

/** Categories from here on count as missing: a set of them would need more than 128 kB. */
const categoryLimit = 2 ** 20

/** Sorts the numbers of feature `feature` into bins. */
export function binFeature(
  matrix: FeatureMatrix,
  feature: number,
  isCategorical: boolean,
  settings: ForestSettings,
): BinnedFeature {
  const values = columnOf(matrix, feature)
  return isCategorical ? binCategories(values, settings.maxCategories) : binNumbers(values, settings.maxBins)
}

function columnOf({ values, rows, rowStride, featureStride }: FeatureMatrix, feature: number): Float64Array {
  const column = new Float64Array(rows)
  for (let row = 0; row < rows; row++) {
    const value = values[row * rowStride + feature * featureStride]!
    column[row] = value >= -zeroBound && value <= zeroBound ? 0 : value
  }
  return column
}

function binNumbers(values: Float64Array, maxBins: number): BinnedFeature {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort()
  const thresholds = thresholdsOf(sorted, maxBins)
  const numbers = thresholds.length + 1
  const hasMissing = sorted.length < values.length
  const bins = new Uint16Array(values.length)
  for (let row = 0; row < values.length; row++)
    bins[row] = Number.isNaN(values[row]!) ? numbers : lowerBound(thresholds, values[row]!)
  return {
    bins,
    count: numbers + (hasMissing ? 1 : 0),
    missingBin: hasMissing ? numbers : -1,
    thresholds,
    categories: null,
    info: numbers < 2 && !hasMissing ? 'none' : `[${sorted[0] ?? 0}:${sorted[sorted.length - 1] ?? 0}]`,
  }
}

/** Ends of bins between neighbouring different values, so that bins have about equal numbers of rows. */
function thresholdsOf(sorted: Float64Array, maxBins: number): Float64Array {
  const thresholds: number[] = []
  let distinct = sorted.length === 0 ? 0 : 1
  for (let at = 1; at < sorted.length; at++) if (sorted[at] !== sorted[at - 1]) distinct++
  let [left, bins] = [sorted.length, maxBins]
  let inBin = 0
  for (let at = 0; at + 1 < sorted.length; at++) {
    inBin++
    if (sorted[at] === sorted[at + 1]) continue
    if (distinct > maxBins && inBin < left / bins) continue
    if (bins <= 1) break
    thresholds.push(between(sorted[at]!, sorted[at + 1]!))
    left -= inBin
    inBin = 0
    bins--
  }
  return Float64Array.from(thresholds)
}

/** A number t with low ≤ t < high. */
function between(low: number, high: number): number {
  const middle = low / 2 + high / 2
  return middle >= low && middle < high ? middle : low
}

/** The first threshold that is at least `value`, or their number. */
function lowerBound(thresholds: Float64Array, value: number): number {
  let [low, high] = [0, thresholds.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (thresholds[middle]! < value) low = middle + 1
    else high = middle
  }
  return low
}

function binCategories(values: Float64Array, maxCategories: number): BinnedFeature {
  const counts = new Map<number, number>()
  const categoryOf = (value: number): number => (value > -1 && value < categoryLimit ? Math.trunc(value) : -1)
  for (const value of values) {
    const category = categoryOf(value)
    if (category >= 0) counts.set(category, (counts.get(category) ?? 0) + 1)
  }
  const kept = [...counts]
    .sort(([a, many], [b, more]) => more - many || a - b)
    .slice(0, Math.min(maxCategories, 65_000))
  const categories = Int32Array.from([-1, ...kept.map(([category]) => category)])
  const binOf = new Map(kept.map(([category], at) => [category, at + 1]))
  return {
    bins: Uint16Array.from(values, (value) => binOf.get(categoryOf(value)) ?? 0),
    count: categories.length,
    missingBin: 0,
    thresholds: new Float64Array(0),
    categories,
    info: kept.length < 2 ? 'none' : kept.map(([category]) => category).join(':'),
  }
}
