import { decisionBits, missingTypes, type ForestTree } from '../model.ts'
import type { BinnedFeature } from './bins.ts'
import type { LeafSums, Split } from './split.ts'

/** Score of a leaf: −G / (H + λ) · learning rate, the minimum of the second-order approximation. */
export function leafScore({ gradient, hessian }: LeafSums, lambda: number, learningRate: number): number {
  return hessian + lambda > 0 ? (-gradient / (hessian + lambda)) * learningRate : 0
}

/** Collects the splits of one tree in LightGBM's numbering: the left child keeps its leaf's number, the right is new. */
export function createTreeBuilder(features: readonly BinnedFeature[], learningRate: number) {
  const splits: { split: Split; leaf: LeafSums; lambda: number; left: number; right: number; threshold: number }[] = []
  /** Per leaf: the split above it and its side. */
  const above: { parent: number; isLeft: boolean }[] = [{ parent: -1, isLeft: true }]
  const bounds = [0]
  const words: number[] = []
  const thresholdOf = ({ feature, bin, set }: Split): number => {
    if (set === null) return features[feature]!.thresholds[bin]!
    const categories = set.map((at) => features[feature]!.categories![at]!)
    const bits = new Uint32Array((Math.max(...categories) >>> 5) + 1)
    for (const category of categories) bits[category >>> 5]! |= 1 << (category & 31)
    for (const word of bits) words.push(word)
    bounds.push(words.length)
    return bounds.length - 2
  }
  const split = (leaf: number, sums: LeafSums, lambda: number, found: Split): void => {
    const number = splits.length
    const { parent, isLeft } = above[leaf]!
    if (parent >= 0) splits[parent]![isLeft ? 'left' : 'right'] = number
    const right = above.length
    splits.push({ split: found, leaf: sums, lambda, left: ~leaf, right: ~right, threshold: thresholdOf(found) })
    above[leaf] = { parent: number, isLeft: true }
    above.push({ parent: number, isLeft: false })
  }
  const build = (leaves: readonly LeafSums[], values: Float64Array): ForestTree => ({
    splitFeature: Int32Array.from(splits, (at) => at.split.feature),
    threshold: Float64Array.from(splits, (at) => at.threshold),
    decisionType: Uint8Array.from(splits, ({ split: { feature, set, missingLeft } }) => {
      if (set !== null) return decisionBits.categorical
      const missing = features[feature]!.missingBin < 0 ? missingTypes.none : missingTypes.nan
      return (missing << decisionBits.missingShift) | (missingLeft ? decisionBits.defaultLeft : 0)
    }),
    leftChild: Int32Array.from(splits, ({ left }) => left),
    rightChild: Int32Array.from(splits, ({ right }) => right),
    leafValue: values,
    categoryBounds: Int32Array.from(bounds.length > 1 ? bounds : []),
    categoryBits: Uint32Array.from(words),
    statistics: {
      splitGain: Float64Array.from(splits, (at) => at.split.gain),
      splitValue: Float64Array.from(splits, ({ leaf, lambda }) => leafScore(leaf, lambda, learningRate)),
      splitWeight: Float64Array.from(splits, ({ leaf }) => leaf.hessian),
      splitCount: Int32Array.from(splits, ({ leaf }) => leaf.rows),
      leafWeight: Float64Array.from(leaves, ({ hessian }) => hessian),
      leafCount: Int32Array.from(leaves, ({ rows }) => rows),
      shrinkage: learningRate,
    },
  })
  return { split, build }
}
