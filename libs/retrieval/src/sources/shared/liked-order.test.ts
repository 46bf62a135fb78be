import { mix32 } from '@freshet/domain/hash'
import { asId, type PinId } from '@freshet/domain/ids'
import { createScoreBoard } from '@freshet/columns/score-board'
import { createTopList } from '@freshet/columns/top-list'
import { expect, test } from 'vitest'

import { hourMs, startMs } from '../../builders.fixture.ts'
import { createCatalogue } from '../../views/catalogue.ts'
import { createRates } from '../../views/rates.ts'
import { createLikedOrder } from './liked-order.ts'

test('law: the order is that of all listed pins by share, also after the rates or the lists have changed', () => {
  const catalogue = createCatalogue({ maxPins: 100, seed: 1, showUnlistedPins: true })
  for (let n = 0; n < 60; n++) catalogue.intern(asId<PinId>(`pin-${n}`))
  const rates = createRates()
  const lists = rates.counters.map(({ weightOf }) =>
    createTopList({ order: catalogue, maxListed: 20, keyOf: weightOf, admits: catalogue.isShown }),
  )
  const order = createLikedOrder({ catalogue, rates, board: createScoreBoard(catalogue) }, lists)
  for (let n = 0; n < 400; n++) {
    const row = 1 + (mix32(n) % 60)
    rates.fold(row, startMs + n * hourMs)
    for (const list of lists) list.raised(row)
    if (n % 7 !== 0) continue
    // Before anything is learned, only the two longest half-lives have a weight.
    const listed = new Set(lists.slice(3).flatMap((list) => Array.from({ length: list.size }, (_, i) => list.rowAt(i))))
    const share = (each: number): number => Math.fround(rates.shareOf(each))
    const expected = [...listed].sort((a, b) => share(b) - share(a) || (catalogue.before(a, b) ? -1 : 1))
    const { rows, scores, count } = order.read(n)
    expect([...rows.subarray(0, count)]).toEqual(expected)
    expect([...scores.subarray(0, count)]).toEqual(expected.map(share))
    expect(order.read(n)).toBe(order.read(n))
  }
})
