import { describe, expect, it } from 'vitest'
import type { Column } from '../../plan/column.ts'
import { categories, indices, numbers, sequences, vectors, type Plain } from '../../plan/testing.ts'
import { evaluated, roundedTo32Bits } from '../testing.ts'

type Row = readonly [name: string, args: readonly Column[], expected: readonly Plain[]]

describe('operators', () => {
  it.each<Row>([
    ['add', [numbers([1, null]), numbers([2, 2])], [3, null]],
    [
      'add',
      [
        vectors([
          [1, 2],
          [3, 4],
        ]),
        numbers([10]),
      ],
      [
        [11, 12],
        [13, 14],
      ],
    ],
    ['subtract', [numbers([1, null]), numbers([2, 2])], [-1, null]],
    [
      'multiply',
      [
        numbers([3, null]),
        vectors([
          [1, 2],
          [3, 4],
        ]),
      ],
      [
        [3, 6],
        [null, null],
      ],
    ],
    ['divide', [numbers([1, 1, null]), numbers([4, 0, 1])], [0.25, null, null]],
    ['power', [numbers([2, -1, 1e30, null]), numbers([3, 0.5, 2, 1])], [8, null, null, null]],
    ['negate', [numbers([2, null])], [-2, null]],
    ['less', [numbers([1, 2, 3, null]), numbers([2])], [1, 0, 0, null]],
    ['less_equal', [numbers([1, 2, 3, null]), numbers([2])], [1, 1, 0, null]],
    ['greater', [numbers([1, 2, 3, null]), numbers([2])], [0, 0, 1, null]],
    ['greater_equal', [numbers([1, 2, 3, null]), numbers([2])], [0, 1, 1, null]],
    ['equal', [numbers([1, 2, null]), numbers([2])], [0, 1, null]],
    ['not_equal', [numbers([1, 2, null]), numbers([2])], [1, 0, null]],
    ['equal', [categories(['a', 'b', null]), categories(['b'])], [0, 1, null]],
    ['not_equal', [categories(['a', 'b', 'b']), categories(['b', null, 'b'])], [1, null, 0]],
    ['and', [numbers([1, 1, 0, null]), numbers([5, 0, 0, 0])], [1, 0, 0, null]],
    ['or', [numbers([1, 1, 0, null]), numbers([5, 0, 0, 1])], [1, 1, 0, null]],
    ['not', [numbers([0, 1, -2, null])], [1, 0, 0, null]],
    ['if', [numbers([1, 0, null, -1]), numbers([7]), numbers([1, 2, 3, 4])], [7, 2, null, 7]],
    [
      'if',
      [numbers([1, 0]), vectors([[1, 2]]), numbers([3])],
      [
        [1, 2],
        [3, 3],
      ],
    ],
    ['exists', [numbers([0, null])], [1, 0]],
    [
      'exists',
      [
        vectors([
          [1, 2],
          [1, null],
        ]),
      ],
      [1, 0],
    ],
    ['exists', [categories(['a', null])], [1, 0]],
    [
      'exists',
      [
        indices([
          [3, 4],
          [-1, -1],
        ]),
      ],
      [1, 0],
    ],
    ['exists', [sequences([['a'], []], categories)], [1, 0]],
    ['default', [numbers([1, null, null]), numbers([9, 9, null])], [1, 9, null]],
    [
      'default',
      [
        vectors([
          [1, null],
          [null, 4],
        ]),
        numbers([0]),
      ],
      [
        [1, 0],
        [0, 4],
      ],
    ],
    ['default', [categories(['a', null, null]), categories(['x', 'y', null])], ['a', 'y', null]],
    ['default', [categories(['a', null]), categories(['z'])], ['a', 'z']],
  ])('%s of %j', (name, args, expected) => {
    expect(evaluated(name, {}, ...args)).toEqual(expected.map(roundedTo32Bits))
  })

  it('have constants of numbers and names', () => {
    expect(evaluated('constant', { value: 0.1 })).toEqual([Math.fround(0.1)])
    expect(evaluated('constant', { value: 'sat' })).toEqual(['sat'])
  })
})
