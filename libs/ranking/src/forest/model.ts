/** Bits of `decision_type` in LightGBM's text format (include/LightGBM/tree.h). Bits 2 and 3 hold the missing type. */
export const decisionBits = { categorical: 1, defaultLeft: 2, missingShift: 2 } as const

/** What a numerical split takes for missing, as bits 2 and 3 of `decision_type` spell it. */
export const missingTypes = { none: 0, zero: 1, nan: 2 } as const

/** LightGBM's `kZeroThreshold`: the float 1e-35 as a double. Numbers in [−zeroBound, zeroBound] count as zero. */
export const zeroBound = Math.fround(1e-35)

/**
 * One decision tree as LightGBM writes it. Split i is number i of every array of splits, leaf i of every array of leaves.
 * A child ≥ 0 is a split, a child < 0 is leaf `~child`. A tree of one leaf has no splits.
 */
export interface ForestTree {
  readonly splitFeature: Int32Array
  /** Numerical: x ≤ threshold goes left. Categorical: the number of the set in `categoryBounds`. */
  readonly threshold: Float64Array
  readonly decisionType: Uint8Array
  readonly leftChild: Int32Array
  readonly rightChild: Int32Array
  /** Score of each leaf, shrinkage included. */
  readonly leafValue: Float64Array
  /** Set i of categories is the words `categoryBounds[i] … categoryBounds[i + 1]` of `categoryBits`; empty if no split needs one. */
  readonly categoryBounds: Int32Array
  /** Bit sets: category c is in the set if bit c mod 32 of word c div 32 is 1, and then goes left. */
  readonly categoryBits: Uint32Array
  /** What training knew of each split and leaf. Evaluation does not read it. */
  readonly statistics?: TreeStatistics
}

/** Facts of training that LightGBM's tools read: feature importance, SHAP values, plots. */
export interface TreeStatistics {
  readonly splitGain: Float64Array
  readonly splitValue: Float64Array
  readonly splitWeight: Float64Array
  readonly splitCount: Int32Array
  readonly leafWeight: Float64Array
  readonly leafCount: Int32Array
  readonly shrinkage: number
}

/** A gradient-boosted decision forest: the score of a row is the sum of one leaf per tree. */
export interface ForestModel {
  /** The objective as LightGBM writes it, for example `binary sigmoid:1`; empty if scores have no transformation. */
  readonly objective: string
  /** One name per feature, in the order of the columns. */
  readonly featureNames: readonly string[]
  /** Ranges or categories that training saw, as LightGBM writes them: `[0:1]`, `3:1:2` or `none`. */
  readonly featureInfos: readonly string[]
  readonly trees: readonly ForestTree[]
}
