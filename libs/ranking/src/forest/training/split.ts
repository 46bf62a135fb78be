import type { BinnedFeature } from './bins.ts'
import { binWidth } from './histogram.ts'
import type { ForestSettings } from './settings.ts'

/** Sums over the rows of a leaf, or of one side of a split. */
export interface LeafSums {
  readonly gradient: number
  readonly hessian: number
  readonly rows: number
}

/** The best split of a leaf by one feature. */
export interface Split {
  readonly feature: number
  readonly gain: number
  readonly left: LeafSums
  /** Added to the second derivatives of both children. */
  readonly lambda: number
  /** Bins that go left: numbers up to `bin`, or the bins of `set`. */
  readonly bin: number
  readonly set: readonly number[] | null
  readonly missingLeft: boolean
}

/** What a search for splits reads: the bins of one feature in a leaf's histogram, and the leaf's sums. */
export interface SplitSearch {
  readonly histogram: Float64Array
  readonly offset: number
  readonly feature: number
  readonly binned: BinnedFeature
  readonly leaf: LeafSums
  readonly settings: ForestSettings
}

/** −2 × the least loss of a leaf, by the second-order approximation: G² / (H + λ). */
function leafGain(gradient: number, hessian: number, lambda: number): number {
  return (gradient * gradient) / (hessian + lambda)
}

/**
 * Gain of putting the rows of `left` to one side: G²ₗ/(Hₗ + λ) + G²ᵣ/(Hᵣ + λ) − G²/(H + λ₀) (Chen & Guestrin 2016). Minus
 * infinity if a side has too few rows or too little curvature.
 */
export function splitGain(left: LeafSums, { leaf, settings }: SplitSearch, lambda: number): number {
  const right = { gradient: leaf.gradient - left.gradient, hessian: leaf.hessian - left.hessian }
  const rightRows = leaf.rows - left.rows
  if (left.rows < settings.minRowsInLeaf || rightRows < settings.minRowsInLeaf) return -Infinity
  if (left.hessian < settings.minHessianInLeaf || right.hessian < settings.minHessianInLeaf) return -Infinity
  return (
    leafGain(left.gradient, left.hessian, lambda) +
    leafGain(right.gradient, right.hessian, lambda) -
    leafGain(leaf.gradient, leaf.hessian, settings.lambda)
  )
}

/** The best threshold of a number; missing values go to the side where they lower the loss more. Null: none gains. */
export function bestThreshold(search: SplitSearch): Split | null {
  const { binned } = search
  const right = scanThresholds(search, false)
  if (binned.missingBin < 0 || search.histogram[search.offset + binWidth * binned.missingBin + 2] === 0) return right
  const left = scanThresholds(search, true)
  return left !== null && (right === null || left.gain > right.gain) ? left : right
}

function scanThresholds(search: SplitSearch, missingLeft: boolean): Split | null {
  const { histogram, offset, binned, settings } = search
  const missing = offset + binWidth * binned.missingBin
  let gradient = missingLeft ? histogram[missing]! : 0
  let hessian = missingLeft ? histogram[missing + 1]! : 0
  let rows = missingLeft ? histogram[missing + 2]! : 0
  let best: Split | null = null
  for (let bin = 0; bin < binned.thresholds.length; bin++) {
    const at = offset + binWidth * bin
    if (histogram[at + 2] === 0) continue
    gradient += histogram[at]!
    hessian += histogram[at + 1]!
    rows += histogram[at + 2]!
    const gain = splitGain({ gradient, hessian, rows }, search, settings.lambda)
    if (gain > (best?.gain ?? 0))
      best = {
        feature: search.feature,
        gain,
        left: { gradient, hessian, rows },
        lambda: settings.lambda,
        bin,
        set: null,
        missingLeft,
      }
  }
  return best
}
