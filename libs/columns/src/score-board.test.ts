import fc from 'fast-check'
import { expect, test } from 'vitest'

import { aRowOrder } from './row-order.fixture.ts'
import { createHits, createScoreBoard, selectorInto } from './score-board.ts'

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

test('law: rows offered together are chosen as rows offered one after another', () => {
  const score = fc.constantFrom(-1, 0, NaN, 0.5, 1, 2, 2.00000000001, 3)
  fc.assert(
    fc.property(fc.array(score, { maxLength: 80, size: 'max' }), fc.nat(30), (scores, limit) => {
      const order = aRowOrder(scores.map((_, i) => `p${i}`))
      const accept = (row: number): boolean => row % 7 !== 0
      const [singly, together] = [createHits(20), createHits(20)]
      const one = selectorInto(order, limit, singly)
      scores.forEach((each, row) => one.offer(row, each, accept))
      one.finish()
      const all = selectorInto(order, limit, together)
      all.offerAll(
        Uint32Array.from(scores, (_, row) => row),
        Float64Array.from(scores),
        scores.length,
        accept,
      )
      all.finish()
      expect(together).toEqual(singly)
    }),
  )
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
