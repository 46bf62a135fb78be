import { mix32 } from '@freshet/domain/hash'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { createCalibration, fewestSamples, missing, rankIn, silent, type Calibration } from './calibration.ts'
import { createHits, type Hits } from '@freshet/columns/score-board'
import { decodeSnapshot, encodeSnapshot } from '@freshet/columns/snapshot'

const target = 7

/** An answer of 20 rows with the target at a rank, or without it at -1. */
function answer(rank: number): Hits {
  const hits = createHits(20)
  hits.count = 20
  for (let i = 0; i < 20; i++) {
    hits.rows[i] = i === rank ? target : 100 + i
    hits.scores[i] = 20 - i
  }
  return hits
}

/** The target's rank in each source's answer; null: the source found nothing. */
function ranksOf(...ranks: readonly (number | null)[]): Int32Array {
  return Int32Array.from(ranks, (rank) => rankIn(rank === null ? createHits(20) : answer(rank), target))
}

const three = ['right', 'noise', 'absent'].map((name) => ({ name, share: 1, maxCandidates: 20 }))

/** The n-th training example: the first source is right, the second at random, the third finds nothing. */
function teach(calibration: Calibration, n: number): void {
  calibration.learn(ranksOf(n % 3, (mix32(n) % 60) - 40, null))
}

function taught(examples: number): Calibration {
  const calibration = createCalibration(three)
  for (let n = 0; n < examples; n++) teach(calibration, n)
  return calibration
}

const sum = (column: Float64Array): number => column.reduce((total, value) => total + value, 0)
const worths = (calibration: Calibration): readonly (readonly number[])[] =>
  three.map((_, source) => [...calibration.worthOf(source)])

test('a rank tells the target, an answer without it, and no answer apart', () => {
  expect([...ranksOf(3, -1, null)]).toEqual([3, missing, silent])
})

describe('the worth', () => {
  test('of a source that holds the target grows, of noise falls, of one that never answered stays', () => {
    const before = taught(0)
    const after = taught(400)
    expect(sum(after.worthOf(0))).toBeGreaterThan(4 * sum(before.worthOf(0)))
    expect(sum(after.worthOf(1))).toBeLessThan(sum(after.worthOf(0)) / 4)
    expect(after.worthOf(2)).toEqual(before.worthOf(2))
  })

  test('is the rank of the target', () => {
    const worth = taught(400).worthOf(0)
    expect(worth[0]).toBeGreaterThan(20 * (worth[10] ?? Infinity))
  })

  test('of a share of 0 is nothing until something is found there', () => {
    const calibration = createCalibration([{ name: 'silent', share: 0, maxCandidates: 20 }])
    expect(sum(calibration.worthOf(0))).toBe(0)
    for (let n = 0; n < 40; n++) calibration.learn(ranksOf(0))
    expect(calibration.worthOf(0)[0]).toBeGreaterThan(0)
  })

  test('law: it never rises with rank and stays finite, whatever was taken', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: -1, max: 19 }), fc.integer({ min: -1, max: 19 })), { maxLength: 200 }),
        (examples) => {
          const calibration = createCalibration(three)
          for (const ranks of examples) {
            calibration.learn(ranksOf(...ranks))
          }
          for (const column of worths(calibration)) {
            for (let rank = 1; rank < column.length; rank++) {
              expect(column[rank]).toBeLessThanOrEqual(column[rank - 1] ?? -1)
              expect(column[rank]).toBeGreaterThan(0)
            }
          }
        },
      ),
    )
  })
})

test('law: it does not depend on the order of training examples', () => {
  const example = fc.tuple(fc.integer({ min: -1, max: 19 }), fc.integer({ min: -1, max: 19 }))
  const examples = fc.array(example, { minLength: fewestSamples, maxLength: fewestSamples })
  fc.assert(
    fc.property(examples, fc.nat(), (inOrder, draw) => {
      const shuffled = inOrder
        .map((ranks, n) => ({ ranks, at: mix32(draw + n) }))
        .toSorted((a, b) => a.at - b.at)
        .map(({ ranks }) => ranks)
      const [one, other] = [inOrder, shuffled].map((order) => {
        const calibration = createCalibration(three)
        for (const ranks of order) calibration.learn(ranksOf(...ranks))
        return worths(calibration)
      })
      expect(one).toEqual(other)
    }),
  )
})

test('a source that adds nothing to a better one loses its weight', () => {
  const calibration = createCalibration(three)
  for (let n = 0; n < 600; n++) calibration.learn(ranksOf(n % 2 === 0 ? 0 : 8, n % 2 === 0 ? 2 : -1, null))
  // Judged alone, by how often it is right, it would have about a quarter of the other's worth.
  expect(calibration.worthOf(1)[2]).toBeLessThan((calibration.worthOf(0)[0] ?? 0) / 12)
})

test('little is not used: the part is 0 below the fewest samples, and grows from there', () => {
  expect(taught(fewestSamples - 1).part).toBe(0)
  const early = taught(fewestSamples).part
  expect(early).toBeGreaterThan(0)
  expect(taught(500).part).toBeGreaterThan(early)
  expect(taught(500).part).toBeLessThan(1)
})

test('between two steps nothing changes', () => {
  const calibration = taught(fewestSamples)
  const before = worths(calibration)
  for (let n = 0; n < fewestSamples / 8; n++) teach(calibration, n)
  expect(worths(calibration)).toEqual(before)
})

test('what was long ago is forgotten', () => {
  const calibration = taught(1_000)
  // From now on the second source is right.
  for (let n = 0; n < 12_000; n++) {
    calibration.learn(ranksOf(-1, 0, null))
  }
  expect(calibration.worthOf(1)[0]).toBeGreaterThan(20 * (calibration.worthOf(0)[0] ?? Infinity))
})

test('law: a restored calibration continues in the same way as the saved one', () => {
  fc.assert(
    fc.property(fc.nat(150), fc.nat(150), (before, after) => {
      const whole = taught(before + after)
      const restored = createCalibration(three)
      restored.load(decodeSnapshot(encodeSnapshot((writer) => taught(before).save(writer))))
      for (let n = before; n < before + after; n++) teach(restored, n)
      expect(worths(restored)).toEqual(worths(whole))
      expect(restored.part).toBe(whole.part)
      expect(restored.samples).toBe(whole.samples)
    }),
    { numRuns: 30 },
  )
})

test('a snapshot made for longer answers is taken over', () => {
  const longer = createCalibration(three.map((source) => ({ ...source, maxCandidates: 10_000 })))
  for (let n = 0; n < 100; n++) teach(longer, n)
  const shorter = createCalibration(three)
  shorter.load(decodeSnapshot(encodeSnapshot((writer) => longer.save(writer))))
  expect(shorter.worthOf(0)).toHaveLength(20)
  expect(shorter.worthOf(0)[0]).toBe(longer.worthOf(0)[0])
})
