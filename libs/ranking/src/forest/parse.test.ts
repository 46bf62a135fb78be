import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseForest } from './parse.ts'
import { ForestError } from './problems.ts'

const { cases } = JSON.parse(readFileSync(join(import.meta.dirname, 'golden/lightgbm.json'), 'utf8')) as {
  readonly cases: readonly { readonly name: string; readonly model: string }[]
}
const modelOf = (name: string): string => cases.find((golden) => golden.name === name)!.model
const binary = modelOf('binary')
const categorical = modelOf('300 categories')

/** Makes `tree_sizes` true again after a change, so that only the change itself is a problem. */
function resized(text: string): string {
  const trees = text.slice(text.indexOf('Tree=0'), text.indexOf('end of trees')).split(/(?=Tree=)/)
  return text.replace(/tree_sizes=.*/, `tree_sizes=${trees.map((tree) => tree.length).join(' ')}`)
}

function problemsOf(text: string): readonly string[] {
  try {
    parseForest(text)
  } catch (error) {
    if (error instanceof ForestError) return error.problems
    throw error
  }
  return []
}

describe('parseForest', () => {
  it('reads every tree, with one number per split and leaf', () => {
    const { trees, objective, featureNames } = parseForest(binary)
    expect({ objective, featureNames }).toEqual({
      objective: 'binary sigmoid:1',
      featureNames: ['Column_0', 'Column_1', 'Column_2'],
    })
    expect(trees.map((tree) => [tree.leafValue.length, tree.threshold.length])).toEqual(Array(3).fill([7, 6]))
  })

  it('reads version v3', () => {
    expect(parseForest(binary.replace('version=v4', 'version=v3'))).toEqual(parseForest(binary))
  })

  it.each<readonly [string, string, RegExp | string, string, RegExp]>([
    [
      'linear leaves',
      binary,
      'is_linear=0',
      'is_linear=1',
      /^line 27: is_linear of tree 0: linear leaves are not supp/,
    ],
    [
      'a random forest',
      binary,
      'feature_names',
      'average_output\nfeature_names',
      /^line 8: average_output: random forests/,
    ],
    ['several classes', binary, 'num_class=1', 'num_class=3', /^line 3: num_class=3: several scores per row/],
    ['several trees a round', binary, 'iteration=1', 'iteration=3', /^line 4: num_tree_per_iteration=3: several/],
    ['another version', binary, 'version=v4', 'version=v2', /^line 2: version=v2 is not supported/],
    ['no version', binary, 'version=v4\n', '', /^line 2: version is missing/],
    [
      'another objective',
      binary,
      'objective=binary',
      'objective=hinge',
      /^line 7: objective=hinge sigmoid:1 is not supp/,
    ],
    ['a sigmoid of 0', binary, 'sigmoid:1', 'sigmoid:0', /^line 7: objective=binary sigmoid:0 is not supported/],
    [
      'pandas categories',
      binary,
      'cal:null',
      'cal:[["a", "b"]]',
      /^line \d+: pandas_categorical: categories of pandas/,
    ],
    ['an unknown field', binary, 'num_cat=0', 'num_cat=0\nquantised=1', /quantised is not a known field of tree 0/],
    [
      'an unknown header field',
      binary,
      'label_index',
      'gpu=1\nlabel_index',
      /^line 5: gpu is not a known field of the head/,
    ],
    ['a field twice', binary, 'num_cat=0', 'num_cat=0\nnum_cat=0', /num_cat is given twice; first on line 14/],
    ['a missing field', binary, /left_child=.*\n/, '', /left_child of tree 0: is missing/],
    ['a missing count', binary, 'max_feature_idx=2\n', '', /max_feature_idx is missing/],
    ['fewer names', binary, 'Column_1 ', '', /^line 8: feature_names has 2 words; max_feature_idx needs 3/],
    [
      'fewer leaves',
      binary,
      'num_leaves=7',
      'num_leaves=6',
      /split_feature of tree 0: has 6 values; num_leaves and num_/,
    ],
    ['no leaves', binary, 'num_leaves=7', 'num_leaves=0', /num_leaves of tree 0: "0" is not a valid number of them/],
    [
      'a feature beyond',
      binary,
      /split_feature=\d/,
      'split_feature=3',
      /value 0 is 3; expected a whole number from 0 to 2/,
    ],
    ['a child beyond', binary, /left_child=\S+/, 'left_child=6', /left_child of tree 0: value 0 is 6; expected/],
    ['a cycle', binary, /left_child=\S+/, 'left_child=0', /left_child of tree 0: value 0 is 0, which an earlier split/],
    [
      'no number',
      binary,
      /threshold=\S+/,
      'threshold=one',
      /threshold of tree 0: value 0 is "one", which is not a numb/,
    ],
    ['NaN as threshold', binary, /threshold=\S+/, 'threshold=nan', /value 0 is "nan", which is not a number/],
    ['an endless leaf', binary, /leaf_value=\S+/, 'leaf_value=inf', /leaf_value of tree 0: value 0 is Infinity/],
    [
      'no missing type',
      binary,
      /decision_type=\S+/,
      'decision_type=12',
      /value 0 is 12; expected a whole number from 0 to/,
    ],
    [
      'a set beyond',
      categorical,
      'num_cat=',
      'num_cat=1',
      /cat_boundaries of tree 0: has \d values; num_leaves and num_cat/,
    ],
    ['bounds from 1', categorical, 'cat_boundaries=0', 'cat_boundaries=1', /must begin with 0 and not decrease/],
  ])('refuses %s by name', (_, model, from, to, expected) => {
    const damaged = model.replace(from, to)
    expect(damaged).not.toBe(model)
    expect(problemsOf(resized(damaged))).toContainEqual(expect.stringMatching(expected))
  })

  it('reports all problems at once', () => {
    const damaged = binary
      .replace('version=v4', 'version=v9')
      .replace('is_linear=0', 'is_linear=1')
      .replace(/threshold=\S+/, 'threshold=x')
    expect(problemsOf(resized(damaged))).toHaveLength(3)
    expect(() => parseForest(resized(damaged), 'm.txt')).toThrow(
      /^the decision forest m\.txt has 3 problems:\n {2}line 2/,
    )
  })

  it('finds a lost line by the size of its tree', () => {
    expect(problemsOf(binary.replace(/internal_value=.*\n/, ''))).toEqual([
      expect.stringMatching(/^line 12: tree 0 has \d+ bytes; tree_sizes says \d+$/),
    ])
  })

  it('refuses every file that is cut before the end of its trees', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: binary.indexOf('end of trees') + 11 }), (length) => {
        expect(problemsOf(binary.slice(0, length))).toContainEqual(expect.stringContaining('"end of trees" is missing'))
      }),
    )
  })

  it('throws nothing but ForestError when one character changes', () => {
    fc.assert(
      fc.property(
        fc.nat(binary.indexOf('end of trees')),
        fc.constantFrom(' ', '-', '9', '.', '\n', '=', 'x'),
        (at, by) => {
          problemsOf(binary.slice(0, at) + by + binary.slice(at + 1))
        },
      ),
    )
  })
})
