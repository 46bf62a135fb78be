import { mulberry32 } from '@freshet/domain/mulberry32'
import { describe, expect, test } from 'vitest'
import { mmrPenalty } from './mmr.ts'
import { placeSoftly } from './place-softly.ts'
import { placementOf } from './placement.ts'
import { ssdPenalty } from './ssd.ts'
import { similarity, type BlockVectors } from './vectors.ts'

/** Rows of one block, scaled to length 1. */
function vectorsOf(...rows: (readonly number[])[]): BlockVectors {
  const unit = (row: readonly number[]) => {
    const length = Math.hypot(...row)
    return row.map((value) => (length === 0 ? 0 : value / length))
  }
  return { values: Float32Array.from(rows.flatMap(unit)), blocks: [rows[0]!.length] }
}

function randomVectors(count: number, width: number): BlockVectors {
  const random = mulberry32(4)
  return vectorsOf(...Array.from({ length: count }, () => Array.from({ length: width }, () => random() - 0.5)))
}

describe('sliding spectrum decomposition', () => {
  test('a candidate like a pick has the full penalty, one at a right angle none, one not known none', () => {
    const penalty = ssdPenalty(vectorsOf([1, 0], [2, 0], [0, 1], [1, 1], [0, 0]), { weight: 10, window: 4 })
    expect(penalty.of(1)).toBeCloseTo(0)
    penalty.place(0)
    expect(penalty.of(1)).toBeCloseTo(10, 4)
    expect(penalty.of(2)).toBeCloseTo(0)
    expect(penalty.of(3)).toBeCloseTo(10 * (1 - Math.SQRT1_2), 4)
    expect(penalty.of(4)).toBe(0)
  })

  test('two picks leave only what their plane does not contain', () => {
    const penalty = ssdPenalty(vectorsOf([1, 0, 0], [1, 1, 0], [1, 2, 2]), { weight: 1, window: 4 })
    penalty.place(0)
    penalty.place(1)
    expect(penalty.of(2)).toBeCloseTo(1 - 2 / 3, 4)
  })

  test('a pick counts only while it is in the window', () => {
    const penalty = ssdPenalty(vectorsOf([1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0]), { weight: 1, window: 2 })
    penalty.place(0)
    expect(penalty.of(3)).toBeCloseTo(1)
    penalty.place(1)
    expect(penalty.of(3)).toBeCloseTo(1)
    penalty.place(2)
    expect(penalty.of(3)).toBeCloseTo(0)
  })

  test('is the length of the residual after Gram–Schmidt, whenever a candidate is asked for', () => {
    const [count, width, window] = [40, 8, 5]
    const vectors = randomVectors(count, width)
    const penalty = ssdPenalty(vectors, { weight: 1, window })
    const row = (at: number) => Array.from(vectors.values.subarray(at * width, (at + 1) * width))
    const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0)
    const minus = (a: readonly number[], b: readonly number[]) => a.map((value, i) => value - dot(a, b) * b[i]!)
    const picks: number[][] = []
    const residualOf = (at: number) => picks.slice(-window).reduce((left, pick) => minus(left, pick), row(at))
    for (let pick = 0; pick < 20; pick++) {
      // Some candidates are asked for at every place, others rarely.
      for (let at = 20; at < count; at++)
        if (at % 3 === 0 || pick % 7 === at % 7)
          expect(penalty.of(at)).toBeCloseTo(1 - Math.hypot(...residualOf(at)), 3)
      const residual = residualOf(pick)
      picks.push(residual.map((value) => value / Math.hypot(...residual)))
      penalty.place(pick)
    }
  })

  test('a pick that adds no direction changes nothing', () => {
    const penalty = ssdPenalty(vectorsOf([1, 0], [1, 0], [3, 4]), { weight: 1, window: 3 })
    penalty.place(0)
    const before = penalty.of(2)
    penalty.place(1)
    expect(penalty.of(2)).toBeCloseTo(before)
  })
})

describe('maximal marginal relevance', () => {
  test('is the greatest similarity in the window, at least 0', () => {
    const penalty = mmrPenalty(vectorsOf([1, 0], [0, 1], [1, 1], [-1, 0]), { weight: 2, window: 1 })
    penalty.place(0)
    expect(penalty.of(2)).toBeCloseTo(2 * Math.SQRT1_2)
    expect(penalty.of(3)).toBe(0)
    penalty.place(1)
    expect(penalty.of(0)).toBeCloseTo(0)
  })
})

test('a block that no candidate has changes no penalty, to the bit', () => {
  const { values } = randomVectors(30, 12)
  // Blocks of 8 and 4 numbers, with 4 zeros between them.
  const wider = Float32Array.from({ length: 30 * 16 }, (_, i) => {
    const [row, at] = [i >> 4, i & 15]
    return at >= 8 && at < 12 ? 0 : values[row * 12 + (at < 8 ? at : at - 4)]!
  })
  for (const penaltyOf of [ssdPenalty, mmrPenalty]) {
    const [short, long] = [
      penaltyOf({ values, blocks: [8, 4] }, { weight: 1, window: 3 }),
      penaltyOf({ values: wider, blocks: [8, 4, 4] }, { weight: 1, window: 3 }),
    ]
    for (let pick = 0; pick < 10; pick++) {
      for (let at = 10; at < 30; at++) expect(long.of(at)).toBe(short.of(at))
      for (const penalty of [short, long]) penalty.place(pick)
    }
  }
})

test('both put something else between three of a kind', () => {
  const vectors = vectorsOf([1, 0, 0], [1, 0.1, 0], [1, 0, 0.1], [0, 1, 0], [0, 0, 1])
  const pool = placementOf(Float32Array.of(1, 0.9, 0.8, 0.7, 0.6))
  for (const penalty of [ssdPenalty, mmrPenalty]) {
    const { order } = placeSoftly(pool, { places: 5, lookAhead: 5 }, penalty(vectors, { weight: 1, window: 5 }))
    expect(Array.from(order.subarray(0, 3))).toEqual([0, 3, 4])
  }
})

test('the similarity is the mean over the blocks that both have', () => {
  const vectors = { values: Float32Array.of(1, 0, 1, 0, 1, 0, 0, 1, 0, 0, 1, 0), blocks: [2, 2] }
  expect(similarity(vectors, 0, 1)).toBeCloseTo(0.5)
  expect(similarity(vectors, 0, 2)).toBeCloseTo(1)
  expect(similarity({ values: Float32Array.of(1, 0, 0, 1), blocks: [1, 1] }, 0, 1)).toBeNaN()
})
