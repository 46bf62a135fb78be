import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NewBuffers } from '../../plan/buffers.ts'
import type { Column } from '../../plan/column.ts'
import { categories, indices, numbers, sequences, someRows, vectors } from '../../plan/testing.ts'
import { transformCatalogue } from '../catalogue.ts'
import type { FixedTransform } from '../definition.ts'
import { evaluated } from '../testing.ts'

const names = fc.array(fc.option(fc.string(), { freq: 5 }), { minLength: 1, maxLength: 30 })

describe('hash', () => {
  it('depends on the name only: not on its place, the dictionary or the other names', () => {
    fc.assert(
      fc.property(names, fc.integer({ min: 2, max: 1e6 }), (values, rows) => {
        const page = evaluated('hash', { rows }, categories(values))
        values.forEach((value, at) => expect(evaluated('hash', { rows }, categories([value]))).toEqual([page[at]]))
        for (const found of page.flat() as number[]) expect(found >= -1 && found < rows).toBe(true)
      }),
    )
  })

  it('gives a missing name no row, and a name as many rows as there are hash functions', () => {
    const [known, missing] = evaluated('hash', { rows: 1_000, hashes: 3 }, categories(['a', null]))
    expect(missing).toEqual([-1, -1, -1])
    expect(new Set(known as number[]).size).toBe(3)
    expect(evaluated('hash', { rows: 1_000 }, sequences([['a', 'b'], []], categories))).toHaveLength(2)
  })

  it('spreads names evenly, by functions that collide independently', () => {
    const many = Array.from({ length: 20_000 }, (_, at) => `pin-${at}`)
    const rows = 100
    const found = evaluated('hash', { rows, hashes: 2 }, categories(many)) as readonly (readonly number[])[]
    const both = new Uint32Array(rows * rows)
    for (const [first, second] of found) both[first! * rows + second!]!++
    // Two names per cell are expected: a chi-squared statistic of 9,999 ± 141.
    const chiSquared = both.reduce((sum, count) => sum + (count - 2) ** 2 / 2, 0)
    expect(chiSquared).toBeGreaterThan(9_300)
    expect(chiSquared).toBeLessThan(10_700)
  })

  it('hashes a dictionary that grew', () => {
    const dictionary = ['a']
    const column = (codes: readonly number[]) =>
      ({ kind: 'categories', rows: codes.length, codes: Int32Array.from(codes), names: dictionary }) as const
    const [a] = evaluated('hash', { rows: 1_000 }, column([0]))
    dictionary.push('b')
    expect(evaluated('hash', { rows: 1_000 }, column([1, 0]))).toEqual([
      ...evaluated('hash', { rows: 1_000 }, categories(['b'])),
      a,
    ])
  })
})

describe('cross', () => {
  it('combines names, buckets, and each element of a sequence', () => {
    const [user, pins, bucket] = [categories(['u', null]), categories(['p', 'q']), indices([[3]])]
    expect(evaluated('cross', {}, user, pins, bucket)).toEqual(['u\u001fp\u001f3', null])
    const topics = sequences([['x', null, 'y'], ['z'], []], categories)
    expect(evaluated('cross', {}, categories(['u', 'v', 'w']), topics)).toEqual([
      ['u\u001fx', 'u\u001fy'],
      ['v\u001fz'],
      [],
    ])
    expect(evaluated('cross', {}, topics, sequences([['1', '2'], ['3'], ['4']], categories))[0]).toHaveLength(4)
  })

  it('is equal where its parts are equal in their order', () => {
    const pairs = [
      ['a', 'b'],
      ['a', 'b'],
      ['b', 'a'],
      ['ab', ''],
      ['', 'ab'],
    ] as const
    const [left, right] = [0, 1].map((part) => categories(pairs.map((pair) => pair[part]!)))
    const crosses = transformCatalogue.get('cross') as FixedTransform
    const column = crosses.evaluate([left!, right!], {}, new NewBuffers(pairs.length))
    const first = someRows(column, 0, 1)
    expect(evaluated('equal', {}, column, { ...first, ...hashesOf(column) })).toEqual([1, 1, 0, 0, 0])
  })
})

function hashesOf(column: Column): object {
  return column.kind === 'categories' && column.hashes !== undefined ? { hashes: column.hashes } : {}
}

describe('one_hot', () => {
  it('marks the value', () => {
    const params = { values: ['a', 'b', '1'] }
    expect(evaluated('one_hot', params, categories(['b', 'x', null]))).toEqual([
      [0, 1, 0],
      [0, 0, 0],
      [null, null, null],
    ])
    expect(evaluated('one_hot', params, sequences([['a', 'b', 'b'], []], categories))).toEqual([
      [1, 1, 0],
      [null, null, null],
    ])
    expect(evaluated('one_hot', params, indices([[1], [0]]))).toEqual([
      [0, 0, 1],
      [0, 0, 0],
    ])
  })
})

describe('lookup', () => {
  it('finds numbers and lists of numbers', () => {
    expect(evaluated('lookup', { table: { a: 2 } }, categories(['a', 'b', null]))).toEqual([2, null, null])
    expect(evaluated('lookup', { table: { a: 2 }, default: 7 }, categories(['constructor', null]))).toEqual([7, null])
    const table = { a: [1, 2], b: [3, 4] }
    expect(evaluated('lookup', { table, default: 0 }, sequences([['b', 'c'], []], categories))).toEqual([
      [
        [3, 4],
        [0, 0],
      ],
      [],
    ])
  })
})

describe('hash_text and hash_topics', () => {
  it('hash the words of a text, whatever their case and marks', () => {
    const params = { rows: 1_000, words: 4 }
    const [loud, quiet, one, none] = evaluated(
      'hash_text',
      params,
      categories(['BREAD, bread & Butter!', 'bread butter', 'Éclair', null]),
    )
    expect(loud).toEqual(quiet)
    expect((one as number[]).filter((row) => row >= 0)).toHaveLength(1)
    expect(none).toEqual([-1, -1, -1, -1])
  })

  it('take no more than the first words or topics', () => {
    const [row] = evaluated('hash_text', { rows: 1_000, words: 2 }, categories(['one two three']))
    expect([row]).toEqual(evaluated('hash_text', { rows: 1_000, words: 2 }, categories(['one two'])))
    const topics = sequences([['a', 'b', 'c'], [null, 'a'], []], categories)
    const [first, second, third] = evaluated('hash_topics', { rows: 1_000, topics: 2 }, topics) as readonly number[][]
    expect(first!.every((at) => at >= 0)).toBe(true)
    expect(second).toEqual([first![0], -1])
    expect(third).toEqual([-1, -1])
  })
})

it('takes no numbers', () => {
  expect(() => evaluated('hash', { rows: 10 }, numbers([1]))).toThrow('expected names, got numbers')
  expect(() => evaluated('lookup', { table: {} }, vectors([[1]]))).toThrow('expected categories, got numbers')
})
