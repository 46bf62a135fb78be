import { describe, expect, it } from 'vitest'
import type { Column } from '../../plan/column.ts'
import { numbers, sequences, times, vectors, type Plain } from '../../plan/testing.ts'
import { transformCatalogue } from '../catalogue.ts'
import { evaluated, roundedTo32Bits } from '../testing.ts'

const hourMs = 3_600_000
/** A time of 2026, at which 32-bit floats are two minutes apart. */
const now = 1_770_000_000_123

type Row = readonly [name: string, params: object, args: readonly Column[], expected: readonly Plain[]]

describe('numeric transforms', () => {
  it.each<Row>([
    ['log', {}, [numbers([1, 4, 0, -3, null])], [0, Math.log(4), Math.log(1e-6), Math.log(1e-6), null]],
    ['log', { floor: 0.5 }, [numbers([0.25, 2])], [Math.log(0.5), Math.log(2)]],
    ['log1p', {}, [numbers([0, 3, -2, null])], [0, Math.log(4), 0, null]],
    ['signed_log1p', {}, [numbers([3, 0, -3, null])], [Math.log(4), 0, -Math.log(4), null]],
    ['exp', {}, [numbers([0, 1, 1_000, null])], [1, Math.E, Math.exp(88), null]],
    ['sqrt', {}, [numbers([9, 0, -4, null])], [3, 0, 0, null]],
    ['abs', {}, [numbers([-2, 2, null])], [2, 2, null]],
    ['min', {}, [numbers([1, 5, null]), numbers([3, 2, 1]), numbers([4])], [1, 2, null]],
    ['max', {}, [numbers([1, 5, 1]), numbers([3, 2, null])], [3, 5, null]],
    ['clip', { low: -1, high: 2 }, [numbers([-5, 0, 7, null])], [-1, 0, 2, null]],
    ['clip', { low: 0 }, [numbers([-5, 7])], [0, 7]],
    ['clip', { high: 0 }, [numbers([-5, 7])], [-5, 0]],
    ['sigmoid', {}, [numbers([0, 500, -500, null])], [0.5, 1, 0, null]],
    ['identity', {}, [numbers([4, null])], [4, null]],
    ['smoothed_rate', { prior: 0.1, strength: 10 }, [numbers([0, 4, null]), numbers([0, 10, 3])], [0.1, 0.25, null]],
    [
      'dot',
      {},
      [
        vectors([
          [1, 2],
          [3, null],
        ]),
        vectors([[3, 4]]),
      ],
      [11, null],
    ],
    [
      'cosine',
      {},
      [
        vectors([
          [3, 0],
          [0, 0],
          [1, null],
        ]),
        vectors([[4, 4]]),
      ],
      [Math.SQRT1_2, 0, null],
    ],
    [
      'norm',
      {},
      [
        vectors([
          [3, 4],
          [0, null],
        ]),
      ],
      [5, null],
    ],
    [
      'concat',
      {},
      [numbers([1, null]), vectors([[2, 3]]), numbers([4, 5])],
      [
        [1, 2, 3, 4],
        [null, 2, 3, 5],
      ],
    ],
    ['bucketise', { boundaries: [1, 24] }, [numbers([0, 1, 23, 24, null])], [[0], [1], [1], [2], [-1]]],
  ])('%s %j', (name, params, args, expected) => {
    expect(evaluated(name, params, ...args)).toEqual(expected.map(roundedTo32Bits))
  })

  it.each<Row>([
    ['age', {}, [times([now - hourMs, now, now + 5]), times([now])], [1, 0, 0]],
    ['age', { unit: 'seconds' }, [times([now - 1_500]), times([now])], [1.5]],
    [
      'decayed',
      { half_life: 2 },
      [numbers([8, 8, 8]), times([now - 4 * hourMs, now, now + 1]), times([now])],
      [2, 8, 8],
    ],
  ])('%s %j keeps the milliseconds of times', (name, params, args, expected) => {
    expect(evaluated(name, params, ...args)).toEqual(expected)
  })

  it('work on each number of a vector and each element of a sequence', () => {
    expect(
      evaluated(
        'sqrt',
        {},
        vectors([
          [4, 9],
          [null, 16],
        ]),
      ),
    ).toEqual([
      [2, 3],
      [null, 4],
    ])
    expect(evaluated('sqrt', {}, sequences([[4], [], [9, 16]], numbers))).toEqual([[2], [], [3, 4]])
  })

  it.each([
    ['dot', 2, 3],
    ['dot', 2, 1],
    ['cosine', 1, 2],
  ])('%s refuses vectors of %i and %i numbers', (name, left, right) => {
    const sizes = [left, right].map((size) => ({ kind: 'vector', size }) as const)
    expect(transformCatalogue.get(name)!.typeOf(sizes, {})).toEqual({
      problem: `takes vectors of one size, not vector[${left}] and vector[${right}]`,
      arg: 1,
    })
  })
})
