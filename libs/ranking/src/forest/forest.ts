import { decisionBits, missingTypes, zeroBound, type ForestModel, type ForestTree } from './model.ts'
import { outputOf, type ForestOutput } from './objective.ts'

/** How a split reads its number; the parts of `Forest.kind`. */
const kinds = { categorical: 1, zeroIsMissing: 2, missingLeft: 4 } as const

/** All trees of a model in flat arrays, ready for evaluation. Made by `compileForest`. */
export interface Forest {
  readonly features: number
  /** Per tree: its first split, or `~leaf` if it is one leaf. */
  readonly roots: Int32Array
  readonly feature: Int32Array
  readonly threshold: Float64Array
  readonly kind: Uint8Array
  /** Per split s: its left child at 2s and its right child at 2s + 1; a child < 0 is leaf `~child`. */
  readonly children: Int32Array
  readonly leafValue: Float64Array
  /** Per categorical split: the first word of its set and the number of words. */
  readonly setStart: Int32Array
  readonly setWords: Int32Array
  readonly setBits: Uint32Array
  readonly output: ForestOutput
}

/** Numbers of many rows: feature f of row r is `values[r · rowStride + f · featureStride]`. NaN is missing. */
export interface FeatureMatrix {
  readonly values: Float32Array | Float64Array
  readonly rows: number
  readonly rowStride: number
  readonly featureStride: number
}

/** Lays the trees of a model out in flat arrays. */
export function compileForest(model: ForestModel): Forest {
  const splits = sum(model.trees, (tree) => tree.splitFeature.length)
  const leaves = sum(model.trees, (tree) => tree.leafValue.length)
  const words = sum(model.trees, (tree) => tree.categoryBits.length)
  const forest: Forest = {
    features: model.featureNames.length,
    roots: new Int32Array(model.trees.length),
    feature: new Int32Array(splits),
    threshold: new Float64Array(splits),
    kind: new Uint8Array(splits),
    children: new Int32Array(2 * splits),
    leafValue: new Float64Array(leaves),
    setStart: new Int32Array(splits),
    setWords: new Int32Array(splits),
    setBits: new Uint32Array(words),
    output: outputOf(model.objective)!,
  }
  const at = { split: 0, leaf: 0, word: 0 }
  model.trees.forEach((tree, number) => {
    forest.roots[number] = tree.splitFeature.length === 0 ? ~at.leaf : at.split
    layOut(tree, forest, at)
    at.split += tree.splitFeature.length
    at.leaf += tree.leafValue.length
    at.word += tree.categoryBits.length
  })
  return forest
}

function sum<T>(values: readonly T[], of: (value: T) => number): number {
  return values.reduce((total, value) => total + of(value), 0)
}

function layOut(tree: ForestTree, forest: Forest, at: { split: number; leaf: number; word: number }): void {
  forest.leafValue.set(tree.leafValue, at.leaf)
  forest.setBits.set(tree.categoryBits, at.word)
  const childOf = (child: number): number => (child >= 0 ? child + at.split : ~(~child + at.leaf))
  for (let split = 0; split < tree.splitFeature.length; split++) {
    const to = at.split + split
    const type = tree.decisionType[split]!
    forest.feature[to] = tree.splitFeature[split]!
    forest.children[2 * to] = childOf(tree.leftChild[split]!)
    forest.children[2 * to + 1] = childOf(tree.rightChild[split]!)
    if ((type & decisionBits.categorical) !== 0) {
      const set = tree.threshold[split]!
      forest.kind[to] = kinds.categorical
      forest.setStart[to] = at.word + tree.categoryBounds[set]!
      forest.setWords[to] = tree.categoryBounds[set + 1]! - tree.categoryBounds[set]!
    } else {
      forest.threshold[to] = thresholdOf(tree.threshold[split]!)
      forest.kind[to] = numericalKind(type, forest.threshold[to])
    }
  }
}

/**
 * LightGBM's prediction over a matrix reads every number in [−zeroBound, zeroBound] as 0 before it compares. A threshold
 * inside moves to a place where comparing the number itself has the same result.
 */
function thresholdOf(threshold: number): number {
  if (threshold < -zeroBound || threshold >= zeroBound) return threshold
  return threshold >= 0 ? zeroBound : belowZeroBound
}
/** The largest double below −zeroBound. */
const belowZeroBound = (() => {
  const [word] = [new BigUint64Array(new Float64Array([-zeroBound]).buffer)[0]!]
  return new Float64Array(new BigUint64Array([word + 1n]).buffer)[0]!
})()

function numericalKind(type: number, threshold: number): number {
  const missing = type >> decisionBits.missingShift
  // Where NaN is not the missing value it counts as 0, which may in turn be the missing value.
  const left = missing === missingTypes.none ? threshold >= 0 : (type & decisionBits.defaultLeft) !== 0
  return (missing === missingTypes.zero ? kinds.zeroIsMissing : 0) | (left ? kinds.missingLeft : 0)
}

/**
 * Writes the raw score of every row of `matrix` to `out`: the leaf values of all trees, added in order as doubles, which
 * gives the bits of LightGBM's `predict(raw_score=True)`. `out` has one number per row.
 */
export function rawForestScores(forest: Forest, matrix: FeatureMatrix, out: Float64Array): void {
  const { roots, leafValue } = forest
  const { rows, rowStride } = matrix
  out.fill(0, 0, rows)
  for (let tree = 0; tree < roots.length; tree++) {
    const root = roots[tree]!
    for (let row = 0; row < rows; row++) {
      const leaf = root < 0 ? root : leafOf(forest, root, matrix, row * rowStride)
      out[row]! += leafValue[~leaf]!
    }
  }
}

/** Writes the output of every row to `out`: the raw score under the objective's transformation, for example a probability. */
export function forestScores(forest: Forest, matrix: FeatureMatrix, out: Float64Array): void {
  rawForestScores(forest, matrix, out)
  forest.output(out.length === matrix.rows ? out : out.subarray(0, matrix.rows))
}

/** The leaf of one row as `~leaf`, by the rules of `Tree::NumericalDecision` and `Tree::CategoricalDecision`. */
function leafOf(forest: Forest, root: number, { values, featureStride }: FeatureMatrix, base: number): number {
  const { feature, threshold, kind, children } = forest
  let node = root
  do {
    const value = values[base + feature[node]! * featureStride]!
    const bits = kind[node]!
    let right: number
    if ((bits & kinds.categorical) !== 0) right = inSet(forest, node, value) ? 0 : 1
    else if (value !== value || ((bits & kinds.zeroIsMissing) !== 0 && value >= -zeroBound && value <= zeroBound))
      right = (bits & kinds.missingLeft) !== 0 ? 0 : 1
    else right = value <= threshold[node]! ? 0 : 1
    node = children[2 * node + right]!
  } while (node >= 0)
  return node
}

/** NaN, negative numbers and numbers beyond 2³¹ are in no set; others are truncated to a whole number. */
function inSet({ setStart, setWords, setBits }: Forest, node: number, value: number): boolean {
  if (!(value > -1 && value < 2 ** 31)) return false
  const category = value | 0
  const word = category >>> 5
  return word < setWords[node]! && ((setBits[setStart[node]! + word]! >>> (category & 31)) & 1) === 1
}
