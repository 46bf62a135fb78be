import { aCataloguePin } from '@freshet/domain/testing'
import { hash32 } from '@freshet/domain/hash'
import { asId, type PinId, type SessionId } from '@freshet/domain/ids'
import { describe, expect, test } from 'vitest'

import { aQuery, minuteMs, pins, startMs } from '../builders.fixture.ts'
import { createCatalogue } from '../views/catalogue.ts'
import { createQueryBuilder } from './query.ts'
import { createNeighbourIndex } from '../neighbours/neighbour-index.ts'
import type { RecentAction } from '../question.ts'

const caps = {
  maxSessions: 99,
  maxSessionActions: 999,
  maxActionsPerSession: 50,
  maxSessionsPerPin: 50,
  sessionGapMs: 30 * minuteMs,
}
const catalogue = createCatalogue({ maxPins: 100, seed: 1, showUnlistedPins: true })
const queries = createQueryBuilder({
  catalogue,
  index: createNeighbourIndex(caps, { index: 0, count: 1 }),
  config: { maxRecentActions: 5, sessionGapMs: 30 * minuteMs },
})
for (const pinId of ['a', 'b', 'c', 'd', 'e', 'f']) catalogue.upsert(aCataloguePin(pinId))

function recent(
  ...steps: readonly (readonly [pinId: string, minute: number, sessionId?: string, action?: RecentAction['action']])[]
): readonly RecentAction[] {
  return steps.map(([pinId, minute, sessionId, action]) => ({
    pinId: asId<PinId>(pinId),
    action: action ?? 'click',
    occurredAtMs: startMs + minute * minuteMs,
    sessionId: sessionId === undefined ? null : asId<SessionId>(sessionId),
    boardId: null,
  }))
}

function rowsOf(query: ReturnType<typeof queries.build>): readonly string[] {
  return [...query.recentRows.subarray(0, query.recentCount)].map((row) => catalogue.pinIdOf(row))
}

const atMs = startMs + 100 * minuteMs

describe('the current session', () => {
  test('begins after the last long pause', () => {
    const query = queries.build(aQuery({ atMs, recent: recent(['a', 0], ['b', 10], ['c', 80], ['d', 95]) }))
    expect(rowsOf(query).slice(query.sessionStart)).toEqual(['c', 'd'])
  })

  test('is empty when the user has been away', () => {
    const query = queries.build(aQuery({ atMs, recent: recent(['a', 0], ['b', 10]) }))
    expect(query.sessionStart).toBe(query.recentCount)
  })

  test('follows session ids if there are any', () => {
    const query = queries.build(aQuery({ atMs, recent: recent(['a', 90, 'x'], ['b', 10, 'y'], ['c', 95, 'y']) }))
    expect(rowsOf(query).slice(query.sessionStart)).toEqual(['b', 'c'])
  })
})

test('only positive actions on known pins are a history, the latest up to the cap', () => {
  const steps = recent(['a', 1], ['b', 2], ['c', 3], ['d', 4], ['e', 5], ['f', 6, 's', 'hide'], ['a', 7])
  expect(rowsOf(queries.build(aQuery({ atMs, recent: steps })))).toEqual(['b', 'c', 'd', 'e', 'a'])
})

test('the pin that related pins are asked for is all of the history, and is not accepted; of an unknown pin the history stays', () => {
  const query = queries.build(aQuery({ surface: 'related', pinId: pins('f')[0]!, atMs, recent: recent(['a', 95]) }))
  expect(rowsOf(query)).toEqual(['f'])
  expect(query.accept(catalogue.rowOf('f'))).toBe(false)
  expect(query.accept(catalogue.rowOf('a'))).toBe(true)
  const unknown = aQuery({ surface: 'related', pinId: pins('nothing')[0]!, atMs, recent: recent(['a', 95]) })
  expect(rowsOf(queries.build(unknown))).toEqual(['a'])
})

test('what one request excludes the next one does not', () => {
  queries.build(aQuery({ exclude: pins('a'), among: pins('a', 'b') }))
  const query = queries.build(aQuery())
  expect(['a', 'b', 'c'].map((pinId) => query.accept(catalogue.rowOf(pinId)))).toEqual([true, true, true])
})

test('A13: pins are excluded by the hashes of their ids as well, for one request', () => {
  const excludeHashes = Uint32Array.from(['a', 'c', 'unknown'], (id) => hash32(id)).sort()
  const query = queries.build(aQuery({ atMs, excludeHashes }))
  const accepted = ['a', 'b', 'c', 'd', 'e', 'f'].filter((pinId) => query.accept(catalogue.rowOf(pinId)))
  expect(accepted).toEqual(['b', 'd', 'e', 'f'])
  expect(queries.build(aQuery({ atMs })).accept(catalogue.rowOf('a'))).toBe(true)
})

test('a pin that a request accepts once it accepts again, and only that request', () => {
  const rows = ['a', 'b', 'c'].map((pinId) => catalogue.rowOf(pinId))
  for (const exclude of [pins('a'), pins('b', 'c'), pins()]) {
    const query = queries.build(aQuery({ atMs, exclude }))
    const expected = rows.map((row) => !exclude.includes(catalogue.pinIdOf(row)))
    for (let times = 0; times < 2; times++) {
      expect(rows.map(query.accept)).toEqual(expected)
      expect(rows.map(query.isEligible)).toEqual(expected)
    }
  }
})

test('a pin that the user was shown is refused each time, although it is eligible', () => {
  const none = new Uint32Array(0)
  const seen = Uint32Array.of(hash32('a'))
  const shown = { seen, seenAtSeconds: Uint32Array.of(1), seenBefore: [], served: none, servedAtSeconds: none }
  const query = queries.build(aQuery({ atMs, shown }))
  const row = catalogue.rowOf('a')
  expect([query.accept(row), query.isEligible(row), query.accept(row)]).toEqual([false, true, false])
  expect(queries.build(aQuery({ atMs })).accept(row)).toBe(true)
})
