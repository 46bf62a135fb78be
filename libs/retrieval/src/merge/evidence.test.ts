import { asId, type PinId } from '@freshet/domain/ids'
import { expect, test } from 'vitest'

import { aQuery, minuteMs, recentClicks, startMs } from '../builders.fixture.ts'
import { createCatalogue } from '../views/catalogue.ts'
import { measureEvidence } from './evidence.ts'
import { createNeighbourIndex } from '../neighbours/neighbour-index.ts'
import { createQueryBuilder } from '../query/query.ts'

const caps = {
  maxSessions: 9999,
  maxSessionActions: 99_999,
  maxActionsPerSession: 50,
  maxSessionsPerPin: 500,
  sessionGapMs: 30 * minuteMs,
}
const catalogue = createCatalogue({ maxPins: 100, seed: 1, showUnlistedPins: true })
const index = createNeighbourIndex(caps, { index: 0, count: 1 })
const queries = createQueryBuilder({
  catalogue,
  index,
  config: { maxRecentActions: 20, sessionGapMs: 30 * minuteMs },
})

for (let user = 0; user < 2000; user++) {
  for (const pinId of ['everybody', ...(user % 20 === 0 ? ['some'] : []), ...(user === 0 ? ['one'] : [])]) {
    index.fold({ userId: `u${user}`, sessionId: null, pinRow: catalogue.intern(asId<PinId>(pinId)), atMs: startMs })
  }
}

function evidenceAfter(...pinIds: readonly string[]): number {
  return measureEvidence(queries.build(aQuery({ recent: recentClicks(pinIds) })), index.trails)
}

test('many trails through a rare pin are more evidence than one trail through an unknown pin or all trails through a pin that everybody touched', () => {
  expect(evidenceAfter('some')).toBeGreaterThan(2 * evidenceAfter('one'))
  expect(evidenceAfter('some')).toBeGreaterThan(1.5 * evidenceAfter('everybody'))
})

test('is least without a history, and grows with it', () => {
  expect(evidenceAfter()).toBe(0.1)
  expect(evidenceAfter('unseen')).toBe(0.1)
  expect(evidenceAfter('everybody', 'some')).toBeGreaterThan(evidenceAfter('some'))
  expect(evidenceAfter('some', 'some')).toBe(evidenceAfter('some'))
})

test('related pins are asked for because of one pin, so what is like it is trusted even where nobody has touched it', () => {
  const related = { surface: 'related' as const, pinId: asId<PinId>('one') }
  expect(measureEvidence(queries.build(aQuery(related)), index.trails)).toBeGreaterThanOrEqual(0.6)
  expect(
    measureEvidence(queries.build(aQuery({ ...related, recent: recentClicks(['some']) })), index.trails),
  ).toBeLessThan(1)
})
