import { decisionBits, type ForestTree } from './model.ts'
import type { Problems } from './problems.ts'
import { refuseUnknown, type Section } from './sections.ts'

const treeFields = [
  ...['num_leaves', 'num_cat', 'split_feature', 'split_gain', 'threshold', 'decision_type', 'left_child'],
  ...['right_child', 'leaf_value', 'leaf_weight', 'leaf_count', 'internal_value', 'internal_weight'],
  ...['internal_count', 'cat_boundaries', 'cat_threshold', 'is_linear', 'shrinkage'],
]
const linearFields = ['leaf_const', 'num_features', 'leaf_features', 'leaf_coeff']

/** What the parser of a tree has to know of the model. */
export interface TreePlace {
  readonly tree: number
  readonly features: number
  readonly problems: Problems
}

/** Parses one `Tree=` section. Problems go to `place.problems`; the tree is usable only if there are none. */
export function parseTree(section: Section, place: TreePlace): ForestTree {
  refuseUnknown(section, [...treeFields, ...linearFields], `tree ${place.tree}`, place.problems)
  const read = fieldReader(section, place)
  if (read.word('is_linear', '0') !== '0')
    read.problem('is_linear', 'linear leaves are not supported; train with linear_tree=false')
  const leaves = read.count('num_leaves')
  const sets = read.count('num_cat')
  const splits = Math.max(0, leaves - 1)
  for (const key of ['split_gain', 'internal_value', 'internal_weight', 'internal_count'])
    if (section.fields.has(key)) read.numbers(key, splits)
  // LightGBM leaves leaf_weight empty in a tree of one leaf.
  for (const key of ['leaf_weight', 'leaf_count']) if (section.fields.has(key) && leaves > 1) read.numbers(key, leaves)
  const bounds = sets > 0 ? read.integers('cat_boundaries', sets + 1, [0, 2 ** 31 - 1]) : []
  const tree: ForestTree = {
    splitFeature: Int32Array.from(read.integers('split_feature', splits, [0, place.features - 1])),
    threshold: Float64Array.from(read.numbers('threshold', splits)),
    decisionType: Uint8Array.from(read.integers('decision_type', splits, [0, 11])),
    leftChild: Int32Array.from(read.integers('left_child', splits, [-leaves, splits - 1])),
    rightChild: Int32Array.from(read.integers('right_child', splits, [-leaves, splits - 1])),
    leafValue: Float64Array.from(read.numbers('leaf_value', leaves)),
    categoryBounds: Int32Array.from(bounds),
    categoryBits: Uint32Array.from(
      sets > 0 ? read.integers('cat_threshold', bounds[bounds.length - 1] ?? 0, [0, 2 ** 32 - 1]) : [],
    ),
  }
  checkValues(tree, read)
  checkCategories(tree, read, sets)
  if (tree.leftChild.length === splits && tree.rightChild.length === splits) checkShape(tree, read)
  return tree
}

type FieldReader = ReturnType<typeof fieldReader>

/** Reads fields of one tree and reports what is wrong with them. A field with problems reads as an empty list or 0. */
function fieldReader(section: Section, { tree, problems }: TreePlace) {
  const problem = (key: string, what: string): void =>
    problems.add(section.fields.get(key)?.line ?? section.line, `${key} of tree ${tree}: ${what}`)
  const wordsOf = (key: string, count: number): readonly string[] => {
    const field = section.fields.get(key)
    if (field === undefined) {
      if (count > 0) problem(key, 'is missing')
      return []
    }
    const words = field.text.split(' ').filter((word) => word !== '')
    if (words.length === count) return words
    problem(key, `has ${words.length} values; num_leaves and num_cat need ${count}`)
    return []
  }
  const numbers = (key: string, count: number): readonly number[] => {
    const words = wordsOf(key, count)
    const values = words.map(numberOf)
    const wrong = values.findIndex(Number.isNaN)
    if (wrong < 0) return values
    problem(key, `value ${wrong} is "${words[wrong]!.slice(0, 30)}", which is not a number`)
    return []
  }
  const integers = (key: string, count: number, [low, high]: readonly [number, number]): readonly number[] => {
    const values = numbers(key, count)
    const wrong = values.findIndex((value) => !Number.isInteger(value) || value < low || value > high)
    if (wrong < 0) return values
    problem(key, `value ${wrong} is ${values[wrong]}; expected a whole number from ${low} to ${high}`)
    return []
  }
  const word = (key: string, absent: string): string => section.fields.get(key)?.text ?? absent
  const count = (key: string): number => {
    const text = word(key, '')
    if (/^\d{1,7}$/.test(text) && (key !== 'num_leaves' || Number(text) > 0)) return Number(text)
    problem(key, text === '' ? 'is missing' : `"${text.slice(0, 30)}" is not a valid number of them`)
    return 0
  }
  return { problem, numbers, integers, word, count }
}

function numberOf(word: string): number {
  if (/^[+-]?inf(inity)?$/i.test(word)) return word.startsWith('-') ? -Infinity : Infinity
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(word) ? Number(word) : NaN
}

function checkValues({ leafValue, decisionType }: ForestTree, { problem }: FieldReader): void {
  const leaf = leafValue.findIndex((value) => !Number.isFinite(value))
  if (leaf >= 0) problem('leaf_value', `value ${leaf} is ${leafValue[leaf]}; expected a finite number`)
  const split = decisionType.findIndex((type) => (type & 12) === 12)
  if (split >= 0) problem('decision_type', `value ${split} is ${decisionType[split]}, which has no known missing type`)
}

function checkCategories(tree: ForestTree, { problem }: FieldReader, sets: number): void {
  const { categoryBounds, decisionType, threshold } = tree
  if (categoryBounds.some((bound, at) => (at === 0 ? bound !== 0 : bound < categoryBounds[at - 1]!)))
    problem('cat_boundaries', 'must begin with 0 and not decrease')
  for (let split = 0; split < Math.min(decisionType.length, threshold.length); split++) {
    if ((decisionType[split]! & decisionBits.categorical) === 0) continue
    const set = threshold[split]!
    if (!Number.isInteger(set) || set < 0 || set >= sets)
      problem('threshold', `value ${split} is ${set}, which is not one of the ${sets} sets of categories of num_cat`)
  }
}

/** Every split but the root and every leaf must be the child of exactly one split, and the root of none. */
function checkShape({ leftChild, rightChild, leafValue }: ForestTree, { problem }: FieldReader): void {
  const splits = leftChild.length
  if (splits === 0) return
  const seen = new Uint8Array(splits + leafValue.length)
  const todo = [0]
  seen[0] = 1
  for (let split = todo.pop(); split !== undefined; split = todo.pop()) {
    for (const [key, child] of [
      ['left_child', leftChild[split]!],
      ['right_child', rightChild[split]!],
    ] as const) {
      const place = child >= 0 ? child : splits + ~child
      if (seen[place] === 1) {
        problem(key, `value ${split} is ${child}, which an earlier split reaches too: a cycle or a shared child`)
        return
      }
      seen[place] = 1
      if (child >= 0) todo.push(child)
    }
  }
  const lost = seen.indexOf(0)
  if (lost >= 0) problem('left_child', `${lost < splits ? `split ${lost}` : `leaf ${lost - splits}`} cannot be reached`)
}
