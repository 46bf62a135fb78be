import type { ForestTree } from '../model.ts'
import type { BinnedFeature } from './bins.ts'
import { fillHistogram, histogramOffsets, subtractHistogram, type Derivatives } from './histogram.ts'
import type { ForestSettings } from './settings.ts'
import { bestThreshold, type LeafSums, type Split } from './split.ts'
import { bestCategories } from './split-categories.ts'
import { createTreeBuilder, leafScore } from './tree-builder.ts'

/** A leaf while the tree grows: its rows are `from` up to `to` of the grower's row order. */
interface Leaf {
  readonly from: number
  readonly to: number
  readonly sums: LeafSums
  readonly lambda: number
  readonly histogram: Float64Array
  readonly best: Split | null
}

/** Grows trees over one training set. It keeps its buffers from tree to tree. */
export interface TreeGrower {
  /** Grows a tree by the features in `active`, and adds its leaves' scores to `scores`. */
  readonly grow: (derivatives: Derivatives, active: Int32Array, scores: Float64Array) => ForestTree
}

/** Creates a grower: it splits the leaf with the highest gain until there are enough leaves, or none gains (Shi 2007). */
export function createTreeGrower(features: readonly BinnedFeature[], settings: ForestSettings): TreeGrower {
  const count = features[0]?.bins.length ?? 0
  const rows = new Uint32Array(count)
  const spare = new Uint32Array(count)
  const offsets = histogramOffsets(features)
  const pool: Float64Array[] = []
  const leafFrom = (part: Omit<Leaf, 'best'>, active: Int32Array): Leaf => {
    const shape = { histogram: part.histogram, leaf: part.sums, settings }
    let best: Split | null = null
    for (const feature of part.sums.rows < 2 * settings.minRowsInLeaf ? [] : active) {
      const binned = features[feature]!
      const search = { ...shape, offset: offsets[feature]!, feature, binned }
      const found = binned.categories === null ? bestThreshold(search) : bestCategories(search)
      if (found !== null && found.gain > (best?.gain ?? 0)) best = found
    }
    return { ...part, best }
  }
  const divide = (leaf: Leaf, split: Split, derivatives: Derivatives, active: Int32Array): readonly [Leaf, Leaf] => {
    const middle = partition({ rows, spare, from: leaf.from, to: leaf.to }, features[split.feature]!, split)
    const sums = [split.left, without(leaf.sums, split.left)] as const
    const isLeftSmaller = sums[0].rows <= sums[1].rows
    const small = pool.pop() ?? new Float64Array(offsets[features.length]!)
    const range = isLeftSmaller ? { from: leaf.from, to: middle } : { from: middle, to: leaf.to }
    fillHistogram(small, { features, offsets, active }, { rows, ...range }, derivatives)
    subtractHistogram(leaf.histogram, small)
    const [left, right] = isLeftSmaller ? [small, leaf.histogram] : [leaf.histogram, small]
    const { lambda } = split
    return [
      leafFrom({ from: leaf.from, to: middle, sums: sums[0], lambda, histogram: left }, active),
      leafFrom({ from: middle, to: leaf.to, sums: sums[1], lambda, histogram: right }, active),
    ]
  }
  const grow: TreeGrower['grow'] = (derivatives, active, scores) => {
    for (let row = 0; row < count; row++) rows[row] = row
    const histogram = pool.pop() ?? new Float64Array(offsets[features.length]!)
    fillHistogram(histogram, { features, offsets, active }, { rows, from: 0, to: count }, derivatives)
    const sums = total(derivatives)
    const leaves = [leafFrom({ from: 0, to: count, sums, lambda: settings.lambda, histogram }, active)]
    const builder = createTreeBuilder(features, settings.learningRate)
    while (leaves.length < settings.leaves) {
      const chosen = highestGain(leaves)
      if (chosen < 0) break
      const leaf = leaves[chosen]!
      builder.split(chosen, leaf.sums, leaf.lambda, leaf.best!)
      const [left, right] = divide(leaf, leaf.best!, derivatives, active)
      leaves[chosen] = left
      leaves.push(right)
    }
    const values = Float64Array.from(leaves, (leaf) => leafScore(leaf.sums, leaf.lambda, settings.learningRate))
    leaves.forEach((leaf, number) => {
      for (let at = leaf.from; at < leaf.to; at++) scores[rows[at]!]! += values[number]!
      pool.push(leaf.histogram)
    })
    return builder.build(
      leaves.map((leaf) => leaf.sums),
      values,
    )
  }
  return { grow }
}

function highestGain(leaves: readonly Leaf[]): number {
  let chosen = -1
  for (let leaf = 0; leaf < leaves.length; leaf++)
    if (leaves[leaf]!.best !== null && leaves[leaf]!.best!.gain > (leaves[chosen]?.best?.gain ?? 0)) chosen = leaf
  return chosen
}

function total({ gradients, hessians }: Derivatives): LeafSums {
  let [gradient, hessian] = [0, 0]
  for (let row = 0; row < gradients.length; row++) {
    gradient += gradients[row]!
    hessian += hessians[row]!
  }
  return { gradient, hessian, rows: gradients.length }
}

function without(all: LeafSums, part: LeafSums): LeafSums {
  return {
    gradient: all.gradient - part.gradient,
    hessian: all.hessian - part.hessian,
    rows: all.rows - part.rows,
  }
}

/** Moves the rows that go left to the front of the range, both sides in their old order. Returns where the right begins. */
function partition(
  { rows, spare, from, to }: { rows: Uint32Array; spare: Uint32Array; from: number; to: number },
  { bins, count, missingBin }: BinnedFeature,
  split: Split,
): number {
  const goesLeft = new Uint8Array(count)
  if (split.set === null) goesLeft.fill(1, 0, split.bin + 1)
  else for (const bin of split.set) goesLeft[bin] = 1
  if (split.set === null && missingBin >= 0) goesLeft[missingBin] = split.missingLeft ? 1 : 0
  let [left, right] = [from, 0]
  for (let at = from; at < to; at++) {
    const row = rows[at]!
    if (goesLeft[bins[row]!] === 1) rows[left++] = row
    else spare[right++] = row
  }
  rows.set(spare.subarray(0, right), left)
  return left
}
