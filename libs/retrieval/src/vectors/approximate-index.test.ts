import { describe, expect, it } from 'vitest'
import { createApproximateIndex } from './approximate-index.ts'
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
  it.each([{ recall: 0 }, { recall: 1.1 }, { recall: NaN }, { maxRowsPerCell: 31 }, { dimensions: 0 }])(
    'refuses %o',
    (options) => {
      expect(() => createApproximateIndex({ dimensions: 2, ...options })).toThrow(RangeError)
    },
  )
})
