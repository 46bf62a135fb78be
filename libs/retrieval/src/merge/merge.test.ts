import { asId, type PinId } from '@freshet/domain/ids'
import fc from 'fast-check'
import { expect, test } from 'vitest'

import { createCatalogue } from '../views/catalogue.ts'
import { mergeHits, type MergeInput } from './merge.ts'
import type { Mode } from './modes.ts'
import { createHits, createScoreBoard } from '@freshet/columns/score-board'

const catalogue = createCatalogue({ maxPins: 10, seed: 1, showUnlistedPins: true })
for (const pinId of ['a', 'b', 'c', 'd']) catalogue.intern(asId<PinId>(pinId))
const [a, b, c, d] = [0, 1, 2, 3]

function input(scores: readonly (readonly [number, number])[], rest: Partial<MergeInput> = {}): MergeInput {
  const hits = createHits(10)
  scores.forEach(([row, score], i) => {
    hits.rows[i] = row
    hits.scores[i] = score
  })
  hits.count = scores.length
  return { hits, share: 1, scale: 'relative', ...rest }
}

function merged(
  inputs: readonly MergeInput[],
  evidence: number,
  limit = 10,
  learned = 0,
): readonly (readonly [number, number])[] {
  const hits = createHits(10)
  mergeHits(inputs, { board: createScoreBoard(catalogue), evidence, learned }, { limit, hits })
  return Array.from({ length: hits.count }, (_, i) => [
    hits.rows[i] ?? -1,
    Math.round((hits.scores[i] ?? 0) * 1000) / 1000,
  ])
}

/** Worths by rank that are the same for every kind of question. */
function worthsOf(...ranks: readonly number[]): Readonly<Record<Mode, Float64Array>> {
  const worth = Float64Array.from(ranks)
  return { closed: worth, open: worth, among: worth }
}

test('relative sources are parts of the evidence, probabilities of the rest', () => {
  const relative = input([
    [a, 30],
    [b, 10],
  ])
  const popular = input(
    [
      [b, 0.2],
      [c, 0.1],
    ],
    { scale: 'probability' },
  )
  expect(merged([relative, popular], 0.8)).toEqual([
    [a, 0.6],
    [b, 0.24],
    [c, 0.02],
  ])
  expect(merged([relative, popular], 0.1)).toEqual([
    [b, 0.205],
    [c, 0.09],
    [a, 0.075],
  ])
})

test('relative sources divide the evidence by share, and one that found nothing leaves its part to the others', () => {
  const first = input([[a, 1]], { share: 3 })
  const second = input([[b, 7]], { share: 1 })
  const popular = input([[c, 0.5]], { scale: 'probability' })
  expect(merged([first, second, popular], 0.8)).toEqual([
    [a, 0.6],
    [b, 0.2],
    [c, 0.1],
  ])
  expect(merged([input([], { share: 3 }), second, popular], 0.8)).toEqual([
    [b, 0.8],
    [c, 0.1],
  ])
})

test('learned worths are a mixture of their own, weighed by how much was learned', () => {
  const inputs = [
    input(
      [
        [a, 3],
        [b, 1],
      ],
      { worths: worthsOf(0.01, 0.01) },
    ),
    input([[c, 1]], { worths: worthsOf(0.06) }),
  ]
  expect(merged(inputs, 1, 10, 0)).toEqual([
    [c, 0.5],
    [a, 0.375],
    [b, 0.125],
  ])
  expect(merged(inputs, 1, 10, 0.5)).toEqual([
    [c, 0.625],
    [a, 0.25],
    [b, 0.125],
  ])
})

/** Sources whose scores are distributions over the pins they found, so that the test knows the sum of the merge. */
const anInput = fc
  .record({
    scores: fc.uniqueArray(fc.tuple(fc.nat(3), fc.integer({ min: 1, max: 100 })), {
      minLength: 1,
      maxLength: 4,
      selector: ([row]) => row,
    }),
    share: fc.integer({ min: 1, max: 5 }),
    scale: fc.constantFrom('relative' as const, 'probability' as const),
    worths: fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 10, maxLength: 10 }),
  })
  .map(({ scores, share, scale, worths }) => {
    const sum = scores.reduce((total, [, score]) => total + score, 0)
    const best = scores.map(([row, score]) => [row, score / sum] as const).sort((x, y) => y[1] - x[1])
    return input(best, { share, scale, worths: worthsOf(...worths.sort((x, y) => y - x)) })
  })
const somePart = fc.double({ min: 0, max: 1, noNaN: true })
const someEvidence = fc.double({ min: 0.1, max: 1, noNaN: true })

test('law: weights sum to one, of a source alone to one within a factor of two', () => {
  fc.assert(
    fc.property(
      fc.array(anInput, { minLength: 1, maxLength: 5 }),
      someEvidence,
      somePart,
      (inputs, evidence, learned) => {
        const sum = merged(inputs, evidence, 10, learned).reduce((total, [, score]) => total + score, 0)
        // Scores are float32, rounded to thousandths above. A source alone is scaled by a power of two.
        expect(sum).toBeLessThan(1.005)
        expect(sum).toBeGreaterThan(inputs.length === 1 ? 0.495 : 0.995)
      },
    ),
  )
})

test('law: a source alone keeps its order, whatever was learned', () => {
  fc.assert(
    fc.property(anInput, someEvidence, somePart, (one, evidence, learned) => {
      const rows = merged([one], evidence, 10, learned).map(([row]) => row)
      const scoreOf = new Map(Array.from({ length: one.hits.count }, (_, i) => [one.hits.rows[i], one.hits.scores[i]]))
      expect(rows).toHaveLength(one.hits.count)
      for (let i = 1; i < rows.length; i++)
        expect(scoreOf.get(rows[i - 1])).toBeGreaterThanOrEqual(scoreOf.get(rows[i]) ?? Infinity)
    }),
  )
})

test('law: a source that found nothing changes nothing', () => {
  fc.assert(
    fc.property(
      fc.array(anInput, { minLength: 2, maxLength: 4 }),
      fc.constantFrom('relative' as const, 'probability' as const),
      someEvidence,
      somePart,
      (inputs, scale, evidence, learned) => {
        const empty = input([], { scale, worths: worthsOf(...new Array<number>(10).fill(1)) })
        expect(merged([...inputs, empty], evidence, 10, learned)).toEqual(merged(inputs, evidence, 10, learned))
      },
    ),
  )
})

test('what several sources found adds up, and the best of the union are kept', () => {
  const inputs = [
    input([
      [a, 1],
      [b, 1],
    ]),
    input([
      [b, 1],
      [c, 1],
    ]),
    input([[d, 0.01]], { scale: 'probability' }),
  ]
  expect(merged(inputs, 1, 1)).toEqual([[b, 0.49]])
  expect(merged(inputs, 1)).toHaveLength(4)
})

test('a share of zero is silent beside others, and no matter when asked alone', () => {
  const silent = input([[a, 1]], { share: 0 })
  expect(merged([silent, input([[b, 1]])], 0.5)).toEqual([[b, 1]])
  expect(merged([silent], 0.5)).toEqual([[a, 1]])
})

test('nothing found is an empty answer', () => {
  expect(merged([input([]), input([], { scale: 'probability' })], 1)).toEqual([])
})
