import { asId, type PinId } from '@freshet/domain/ids'
import { expect, test } from 'vitest'

import { createCatalogue } from './catalogue.ts'
import { mergeHits, type MergeInput } from './merge.ts'
import { createHits, createScoreBoard } from './score-board.ts'

const catalogue = createCatalogue({ maxPins: 10, seed: 1 })
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

function merged(inputs: readonly MergeInput[], evidence: number, limit = 10): readonly (readonly [number, number])[] {
  const hits = createHits(10)
  mergeHits(inputs, { catalogue, board: createScoreBoard(catalogue), evidence }, { limit, hits })
  return Array.from({ length: hits.count }, (_, i) => [
    hits.rows[i] ?? -1,
    Math.round((hits.scores[i] ?? 0) * 1000) / 1000,
  ])
}

test('relative sources are parts of the evidence, probabilities are taken as they are', () => {
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
    [b, 0.4],
    [c, 0.1],
  ])
  expect(merged([relative, popular], 0.1)).toEqual([
    [b, 0.225],
    [c, 0.1],
    [a, 0.075],
  ])
})

test('relative sources divide the evidence by share, and one that found nothing leaves its part to the others', () => {
  const first = input([[a, 1]], { share: 3 })
  const second = input([[b, 7]], { share: 1 })
  expect(merged([first, second], 0.8)).toEqual([
    [a, 0.6],
    [b, 0.2],
  ])
  expect(merged([input([], { share: 3 }), second], 0.8)).toEqual([[b, 0.8]])
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
  expect(merged(inputs, 1, 1)).toEqual([[b, 0.5]])
  expect(merged(inputs, 1)).toHaveLength(4)
})

test('a share of zero is silent beside others, and no matter when asked alone', () => {
  const silent = input([[a, 1]], { share: 0 })
  expect(merged([silent, input([[b, 1]])], 0.5)).toEqual([[b, 0.5]])
  expect(merged([silent], 0.5)).toEqual([[a, 0.5]])
})

test('nothing found is an empty answer', () => {
  expect(merged([input([]), input([], { scale: 'probability' })], 1)).toEqual([])
})
