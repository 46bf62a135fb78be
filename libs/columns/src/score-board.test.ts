import fc from 'fast-check'
import { expect, test } from 'vitest'

import { aRowOrder } from './row-order.fixture.ts'
import { bestRows, createHits, createScoreBoard, selectorInto, type Hits } from './score-board.ts'

test('law: the best are those of a full sort by score, ties by hash, whatever the order of adding', () => {
  const scored = fc.array(fc.tuple(fc.nat(60), fc.constantFrom(0.5, 1, 2, 2.00000000001, 3)), {
    maxLength: 80,
    size: 'max',
  })
  fc.assert(
    fc.property(scored, fc.nat(30), (adds, limit) => {
      const order = aRowOrder(Array.from({ length: 61 }, (_, i) => `p${i}`))
      const board = createScoreBoard(order)
      board.clear()
      const sums = new Map<number, number>()
      for (const [row, score] of adds) {
        board.add(row, score)
        sums.set(row, (sums.get(row) ?? 0) + score)
      }
      const hits = createHits(100)
      board.top(limit, (row) => row % 7 !== 0, hits)
      const expected = [...sums]
        .filter(([row]) => row % 7 !== 0)
        .map(([row, sum]) => ({ row, score: Math.fround(sum) }))
        .sort((a, b) => b.score - a.score || (order.before(a.row, b.row) ? -1 : 1))
        .slice(0, limit)
      expect([...hits.rows.subarray(0, hits.count)]).toEqual(expected.map(({ row }) => row))
      expect([...hits.scores.subarray(0, hits.count)]).toEqual(expected.map(({ score }) => score))
    }),
  )
})

test('law: rows chosen together are those chosen one after another, and few others are asked about', () => {
  const score = fc.oneof(fc.constantFrom(-1, 0, NaN, Infinity, 1e-45, 0.5, 1, 2, 2.00000000001, 3), fc.float())
  fc.assert(
    fc.property(
      fc.array(score, { maxLength: 80, size: 'max' }),
      fc.nat(30),
      fc.integer({ min: 2, max: 9 }),
      (scores, limit, part) => {
        const order = aRowOrder(scores.map((_, i) => `p${i}`))
        const accept = (row: number): boolean => row % part !== 0
        const [singly, together] = [createHits(20), createHits(20)]
        const one = selectorInto(order, limit, singly)
        scores.forEach((each, row) => one.offer(row, each, accept))
        one.finish()
        const rows = Int32Array.from(scores, (_, row) => row)
        bestRows(
          order,
          { rows, scores: Float32Array.from(scores), count: rows.length },
          { limit, accept, hits: together },
        )
        const answer = ({ rows: of, scores: worth, count }: Hits) => [of.slice(0, count), worth.slice(0, count)]
        expect(answer(together)).toEqual(answer(singly))
      },
    ),
  )
})

test('rows that cannot be chosen are not asked about', () => {
  const rows = Int32Array.from({ length: 5_000 }, (_, i) => i)
  const order = aRowOrder([...rows].map((row) => `p${row}`))
  let asked = 0
  const accept = (): boolean => ++asked > 0
  const scores = Float32Array.from(rows, (row) => 1 + ((row * 7919) % 5_000))
  const hits = createHits(300)
  bestRows(order, { rows, scores, count: 5_000 }, { limit: 300, accept, hits })
  expect(hits.count).toBe(300)
  expect(asked).toBeLessThan(330)
})

test('law: adding to many entries is adding to one after another', () => {
  const rows = fc.array(fc.nat(9), { maxLength: 20 })
  const weights = fc.array(fc.float({ min: 0, max: 9, noNaN: true }), { minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(fc.array(fc.tuple(rows, weights, fc.integer({ min: -20, max: 9 })), { maxLength: 5 }), (calls) => {
      const order = aRowOrder(Array.from({ length: 10 }, (_, i) => `p${i}`))
      const [together, singly] = [createScoreBoard(order), createScoreBoard(order)]
      for (const board of [together, singly]) {
        board.clear()
        board.add(3, 9)
        board.clear()
      }
      for (const [entries, weighed, shift] of calls) {
        const range = { from: Math.min(1, entries.length), to: entries.length, shift, factor: 0.7 }
        together.addAll(Int32Array.from(entries), range, Float64Array.from(weighed))
        for (let i = range.from; i < range.to; i++) {
          const place = Math.max(0, Math.min(weighed.length - 1, i + shift))
          singly.add(entries[i] ?? 0, 0.7 * (weighed[place] ?? 0))
        }
      }
      const sums = (board: typeof singly) =>
        Array.from({ length: board.touched }, (_, i) => [board.touchedRow(i), board.get(board.touchedRow(i))])
      expect(sums(together)).toEqual(sums(singly))
    }),
  )
})

test('sums are chosen by what they are worth times a factor', () => {
  const board = createScoreBoard(aRowOrder(['a', 'b', 'c']))
  board.clear()
  board.add(1, 5)
  board.add(2, 1)
  const hits = createHits(3)
  board.top(
    3,
    () => true,
    hits,
    (row) => (row === 2 ? 10 : 1),
  )
  expect([...hits.rows.subarray(0, hits.count)]).toEqual([2, 1])
})

test('ties are ordered by pin ids, not by rows', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f']
  const orders = [names, [...names].reverse()].map((pinIds) => {
    const order = aRowOrder(pinIds)
    const board = createScoreBoard(order)
    board.clear()
    pinIds.forEach((pinId) => board.add(pinIds.indexOf(pinId), 1))
    const hits = createHits(4)
    board.top(4, () => true, hits)
    return [...hits.rows.subarray(0, hits.count)].map((row) => pinIds[row])
  })
  expect(orders[0]).toEqual(orders[1])
})

test('rows whose sums are zero or less are left out', () => {
  const order = aRowOrder(['a', 'b', 'c'])
  const board = createScoreBoard(order)
  board.clear()
  board.add(0, 0)
  board.add(1, -1)
  board.add(2, NaN)
  const hits = createHits(3)
  board.top(3, () => true, hits)
  expect(hits.count).toBe(0)
})
