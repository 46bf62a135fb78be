import { describe, expect, it } from 'vitest'
import { createVectorIndex } from './adaptive-index.ts'
import { createExactIndex } from './exact-index.ts'
import { mulberry32 } from '@freshet/domain/mulberry32'
import { gaussian } from './seeded.fixture.ts'
import { vectorIndexSuite } from './vector-index.suite.ts'

vectorIndexSuite({ name: 'adaptive', recall: 1, make: (dimensions) => createVectorIndex({ dimensions }) })

vectorIndexSuite({
  name: 'adaptive, beyond its border',
  recall: 0.95,
  make: (dimensions) => createVectorIndex({ dimensions, exactUpTo: 1_000 }),
})

describe('createVectorIndex', () => {
  it('is exact up to the border and again when it shrinks below it', () => {
    const random = mulberry32(1)
    const exact = createExactIndex({ dimensions: 24 })
    const index = createVectorIndex({ dimensions: 24, exactUpTo: 2_000 })
    const put = (row: number) => {
      const vector = gaussian(random, 24)
      exact.upsert(row, vector)
      index.upsert(row, vector)
    }
    const agree = () => {
      const query = gaussian(random, 24)
      expect(index.search(query, 200)).toEqual(exact.search(query, 200))
    }
    for (let row = 0; row < 2_000; row++) put(row)
    agree()
    for (let row = 2_000; row < 4_000; row++) put(row)
    for (let row = 500; row < 2_500; row++) {
      exact.remove(row)
      index.remove(row)
    }
    agree()
  })

  it.each([NaN, -1])('refuses a border of %d rows', (exactUpTo) => {
    expect(() => createVectorIndex({ dimensions: 2, exactUpTo })).toThrow(RangeError)
  })
})
