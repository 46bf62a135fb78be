import { describe, expect, it } from 'vitest'
import { valueAt } from './column-value.ts'
import type { Column } from './column.ts'

const categories = { kind: 'categories', rows: 3, codes: Int32Array.of(1, -1, 0), names: ['a', 'b'] } as const

describe('the value of a row', () => {
  it.each<readonly [string, Column, readonly unknown[]]>([
    ['numbers', { kind: 'numbers', rows: 2, width: 1, values: Float32Array.of(0.5, NaN) }, [0.5, null]],
    [
      'vectors',
      { kind: 'numbers', rows: 2, width: 2, values: Float32Array.of(1, 2, NaN, 4) },
      [
        [1, 2],
        [null, 4],
      ],
    ],
    ['names', categories, ['b', null, 'a']],
    [
      'indices',
      { kind: 'indices', rows: 2, hashes: 2, values: Int32Array.of(3, 4, -1, -1) },
      [
        [3, 4],
        [null, null],
      ],
    ],
    [
      'sequences',
      { kind: 'sequences', rows: 3, offsets: Int32Array.of(0, 2, 2, 3), elements: categories },
      [['b', null], [], ['a']],
    ],
  ])('of %s is JSON, null where it is missing', (_, column, expected) => {
    expect(Array.from({ length: column.rows }, (_row, row) => valueAt(column, row))).toEqual(expected)
  })

  it('of a column with one row holds for all rows', () => {
    expect(valueAt({ kind: 'numbers', rows: 1, width: 1, values: Float32Array.of(7) }, 41)).toBe(7)
  })
})
