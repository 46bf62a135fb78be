import { describe, expect, it } from 'vitest'
import type { Column } from '../../plan/column.ts'
import { categories, indices, numbers, sequences, vectors, type Plain } from '../../plan/testing.ts'
import { evaluated } from '../testing.ts'

const amounts = sequences([[3, null, 1], [], [null]], numbers)

describe('sequence transforms', () => {
  it.each<readonly [string, object, Column, readonly Plain[]]>([
    ['pool', { by: 'mean' }, amounts, [2, null, null]],
    ['pool', { by: 'sum' }, amounts, [4, null, null]],
    ['pool', { by: 'max' }, amounts, [3, null, null]],
    ['pool', { by: 'last' }, amounts, [3, null, null]],
    [
      'pool',
      { by: 'mean' },
      sequences(
        [
          [
            [1, 10],
            [3, null],
          ],
          [],
        ],
        vectors,
      ),
      [
        [2, 10],
        [null, null],
      ],
    ],
    ['pool', { by: 'last' }, sequences([['new', 'old'], []], categories), ['new', null]],
    [
      'pool',
      { by: 'last' },
      sequences(
        [
          [
            [4, 5],
            [6, 7],
          ],
          [],
        ],
        indices,
      ),
      [
        [4, 5],
        [-1, -1],
      ],
    ],
    ['length', {}, amounts, [3, 0, 1]],
  ])('%s %j', (name, params, column, expected) => {
    expect(evaluated(name, params, column)).toEqual(expected)
  })
})
