import { describe, expect, it } from 'vitest'
import { createApproximateIndex } from './approximate-index.ts'
import { createExactIndex } from './exact-index.ts'
import { mulberry32 } from '@freshet/domain/mulberry32'
import { gaussian } from './seeded.fixture.ts'
import { vectorIndexSuite } from './vector-index.suite.ts'

vectorIndexSuite({ name: 'approximate', recall: 0.95, make: (dimensions) => createApproximateIndex({ dimensions }) })

vectorIndexSuite({
  name: 'approximate, small cells',
  recall: 0.95,
  make: (dimensions) => createApproximateIndex({ dimensions, maxRowsPerCell: 48, exactUpTo: 2_500 }),
})

vectorIndexSuite({
  name: 'approximate, many small cells, all read',
  recall: 1,
  make: (dimensions) => createApproximateIndex({ dimensions, maxRowsPerCell: 32, recall: 1 }),
})

describe('createApproximateIndex', () => {
  it('looks far enough for long vectors in cells of short ones', () => {
    const random = mulberry32(6)
    const exact = createExactIndex({ dimensions: 32 })
    const index = createApproximateIndex({ dimensions: 32, maxRowsPerCell: 128 })
    const draw = () => {
      const length = Math.exp(gaussian(random, 1)[0]!)
      return gaussian(random, 32).map((x) => x * length)
    }
    for (let row = 0; row < 20_000; row++) {
      const vector = draw()
      exact.upsert(row, vector)
      index.upsert(row, vector)
    }
    let found = 0
    for (let i = 0; i < 40; i++) {
      const query = draw()
      const best = new Set(exact.search(query, 50).rows)
      found += index.search(query, 50).rows.filter((row) => best.has(row)).length
    }
    expect(found / 2_000).toBeGreaterThanOrEqual(0.95)
  })

  it.each([{ recall: 0 }, { recall: 1.1 }, { recall: NaN }, { maxRowsPerCell: 31 }, { dimensions: 0 }])(
    'refuses %o',
    (options) => {
      expect(() => createApproximateIndex({ dimensions: 2, ...options })).toThrow(RangeError)
    },
  )
})
