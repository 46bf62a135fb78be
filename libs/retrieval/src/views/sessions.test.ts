import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { minuteMs, startMs } from '../builders.fixture.ts'
import { goneRow } from './catalogue.ts'
import { sessionKey } from './session-keys.ts'
import { createSessions, type SessionAction, type Sessions, type SessionsOptions } from './sessions.ts'
import { decodeSnapshot, encodeSnapshot } from '@freshet/columns/snapshot'

const roomy: SessionsOptions = {
  grouping: 'session',
  maxSessions: 1000,
  maxSessionActions: 100_000,
  maxActionsPerSession: 50,
  maxSessionsPerPin: 1000,
  sessionGapMs: 30 * minuteMs,
}

function action(userId: string, pinRow: number, minute: number, sessionId: string | null = null): SessionAction {
  return { userId, sessionId, pinRow, atMs: startMs + minute * minuteMs }
}

function pinsOf(sessions: Sessions, session: number): readonly number[] {
  const start = sessions.startOf(session)
  return [...sessions.pinRows.subarray(start, start + sessions.lengthOf(session))]
}

/** The whole view by keys, free of row numbers. */
function contentOf(sessions: Sessions, pinRows: number): unknown {
  const name = (session: number): string => `${sessions.keyHigh(session)}:${sessions.keyLow(session)}`
  const touches = Array.from({ length: pinRows }, (_, pinRow) => {
    const start = sessions.pinStartOf(pinRow)
    return Array.from({ length: sessions.pinLengthOf(pinRow) }, (_, i) => {
      const session = sessions.sessionRows[start + i] ?? -1
      return [name(session), sessions.sessionAtMs[start + i], sessions.lastAtMs(session), pinsOf(sessions, session)]
    })
  })
  const counts = Array.from({ length: pinRows }, (_, pinRow) => sessions.sessionCountOf(pinRow))
  return { touches, counts, size: sessions.size, actions: sessions.actions, ever: sessions.sessionsEver }
}

const users = 4
const trails = fc.array(
  fc.array(
    fc.record({
      pin: fc.integer({ min: 1, max: 6 }),
      gap: fc.constantFrom(0, 1, 5, 40),
      id: fc.constantFrom(null, null, 'a', 'b'),
    }),
    {
      maxLength: 12,
      size: 'max',
    },
  ),
  { minLength: users, maxLength: users },
)

/** The trails as one stream, users interleaved as `order` says, each user's own order kept. */
function interleaved(
  input: readonly (readonly { pin: number; gap: number; id: string | null }[])[],
  order: readonly number[],
): SessionAction[] {
  const streams = input.map((steps, user) => {
    let minute = 0
    return steps.map(({ pin, gap, id }) => action(`u${user}`, pin, (minute += gap), id))
  })
  const out: SessionAction[] = []
  for (const pick of order) {
    const next = streams[pick % users]?.shift()
    if (next !== undefined) out.push(next)
  }
  return [...out, ...streams.flat()]
}

describe.each(['session', 'user'] as const)('grouped by %s', (grouping) => {
  test.each([1000, 2])(
    'law: the view does not depend on how users interleave (%i sessions a pin)',
    (maxSessionsPerPin) => {
      const order = fc.array(fc.nat(users - 1), { maxLength: 60 })
      fc.assert(
        fc.property(trails, order, order, (input, first, second) => {
          const contents = [first, second].map((interleaving) => {
            const sessions = createSessions({ ...roomy, grouping, maxSessionsPerPin })
            for (const step of interleaved(input, interleaving)) sessions.fold(step)
            return contentOf(sessions, 7)
          })
          expect(contents[0]).toEqual(contents[1])
        }),
      )
    },
  )

  test('law: a restored snapshot is the same view and continues in the same way', () => {
    fc.assert(
      fc.property(trails, trails, (before, after) => {
        const options = { ...roomy, grouping, maxSessionsPerPin: 3 }
        const sessions = createSessions(options)
        for (const step of interleaved(before, [])) sessions.fold(step)
        const restored = createSessions(options)
        restored.load(decodeSnapshot(encodeSnapshot((writer) => sessions.save(writer))))
        expect(contentOf(restored, 7)).toEqual(contentOf(sessions, 7))
        for (const step of interleaved(after, [])) {
          const later = { ...step, atMs: step.atMs + 600 * minuteMs }
          sessions.fold(later)
          restored.fold(later)
        }
        expect(contentOf(restored, 7)).toEqual(contentOf(sessions, 7))
      }),
    )
  })
})

test.each(['session', 'user'] as const)(
  'law, A1: grouped by %s, the events of one user may come in any order, years late among them',
  (grouping) => {
    const dayMinutes = 24 * 60
    const steps = fc.uniqueArray(
      fc.record({ minute: fc.integer({ min: 0, max: 3000 * dayMinutes }), id: fc.constantFrom('a', 'b', 'c') }),
      { selector: ({ minute }) => minute, maxLength: 25 },
    )
    fc.assert(
      fc.property(steps, fc.infiniteStream(fc.nat()), fc.constantFrom(50, 4), (input, draws, maxActionsPerSession) => {
        // Each pin once: of a pin touched twice in a row the view keeps the last time alone.
        const actions = input.map(({ minute, id }, pin) => action('u', pin, minute, id))
        const keys = actions.map(() => Number(draws.next().value))
        const shuffled = actions
          .map((_, i) => i)
          .sort((a, b) => (keys[a] ?? 0) - (keys[b] ?? 0))
          .map((i) => actions[i]!)
        const [happened, came] = [actions.toSorted((a, b) => a.atMs - b.atMs), shuffled].map((order) => {
          const sessions = createSessions({ ...roomy, grouping, maxActionsPerSession })
          for (const step of order) sessions.fold(step)
          return contentOf(sessions, actions.length)
        })
        expect(came).toEqual(happened)
      }),
    )
  },
)

test('A1: actions that come late begin no session of their own each, and join none of years later', () => {
  const sessions = createSessions(roomy)
  const yearMinutes = 365 * 24 * 60
  const current = sessions.fold(action('u', 1, yearMinutes))
  const [first, second] = [sessions.fold(action('u', 2, 0)), sessions.fold(action('u', 3, 10))]
  expect(first).not.toBe(current)
  expect(second).toBe(first)
  expect(sessions.fold(action('u', 4, yearMinutes - 5))).toBe(current)
  expect(pinsOf(sessions, current)).toEqual([4, 1])
  expect(sessions.find('u', null, 5)).toBe(-1)
  expect(sessions.fold(action('u', 5, yearMinutes + 5))).toBe(current)
  expect(sessions.size).toBe(2)
})

test('a pause longer than the gap begins a new session, a shorter one does not', () => {
  const sessions = createSessions(roomy)
  const first = sessions.fold(action('u', 1, 0))
  expect(sessions.fold(action('u', 2, 30))).toBe(first)
  expect(sessions.fold(action('u', 3, 61))).not.toBe(first)
  expect(sessions.size).toBe(2)
})

test('a session id overrides pauses, and is the user’s own', () => {
  const sessions = createSessions(roomy)
  const first = sessions.fold(action('u', 1, 0, 's'))
  expect(sessions.fold(action('u', 2, 500, 's'))).toBe(first)
  expect(sessions.fold(action('v', 2, 0, 's'))).not.toBe(first)
  expect({ high: sessions.keyHigh(first), low: sessions.keyLow(first) }).toEqual(sessionKey('u', 's'))
  expect(sessions.find('u', 's', startMs)).toBe(first)
})

test('grouped by user, pauses and session ids make no difference', () => {
  const sessions = createSessions({ ...roomy, grouping: 'user' })
  const trail = sessions.fold(action('u', 1, 0, 's'))
  expect(sessions.fold(action('u', 2, 9999))).toBe(trail)
  expect(pinsOf(sessions, trail)).toEqual([1, 2])
})

test('the same pin again in a row is one entry with the later time', () => {
  const sessions = createSessions(roomy)
  const session = sessions.fold(action('u', 1, 0))
  sessions.fold(action('u', 1, 3))
  sessions.fold(action('u', 2, 4))
  sessions.fold(action('u', 1, 5))
  expect(pinsOf(sessions, session)).toEqual([1, 2, 1])
  expect(sessions.pinLengthOf(1)).toBe(1)
  expect(sessions.sessionCountOf(1)).toBe(1)
})

test('a session keeps its latest actions, and leaves the lists of pins it has forgotten', () => {
  const sessions = createSessions({ ...roomy, maxActionsPerSession: 3 })
  const session = sessions.fold(action('u', 1, 0))
  for (const pin of [2, 3, 4]) sessions.fold(action('u', pin, pin))
  expect(pinsOf(sessions, session)).toEqual([2, 3, 4])
  expect(sessions.pinLengthOf(1)).toBe(0)
})

test('beyond its cap the session whose last action is oldest goes, everywhere', () => {
  const sessions = createSessions({ ...roomy, maxSessions: 2 })
  sessions.fold(action('old', 1, 0))
  sessions.fold(action('kept', 1, 1))
  sessions.fold(action('old', 2, 2))
  sessions.fold(action('new', 1, 3))
  expect(sessions.size).toBe(2)
  expect(sessions.find('kept', null, startMs)).toBe(-1)
  expect(sessions.find('old', null, startMs)).toBeGreaterThanOrEqual(0)
  expect(sessions.pinLengthOf(1)).toBe(2)
})

test('beyond the cap of actions whole sessions go, the oldest first', () => {
  const sessions = createSessions({ ...roomy, maxSessionActions: 5 })
  for (const [user, minute] of [
    ['a', 0],
    ['b', 10],
    ['c', 20],
  ] as const) {
    for (const pin of [1, 2]) sessions.fold(action(user, pin, minute + pin))
  }
  expect(sessions.actions).toBe(4)
  expect(sessions.find('a', null, startMs)).toBe(-1)
  expect(sessions.pinLengthOf(1)).toBe(2)
})

test('memory stays within the cap however many sessions come', () => {
  const sessions = createSessions({ ...roomy, maxSessions: 100 })
  for (let i = 0; i < 200; i++) for (let pin = 0; pin < 5; pin++) sessions.fold(action(`u${i}`, pin, i * 60 + pin))
  const bytes = sessions.bytes()
  for (let i = 200; i < 2_000; i++) for (let pin = 0; pin < 5; pin++) sessions.fold(action(`u${i}`, pin, i * 60 + pin))
  expect(sessions.size).toBe(100)
  expect(sessions.bytes()).toBe(bytes)
})

test('law: a forgotten user leaves what the others alone would have left, counts apart, and is not found', () => {
  fc.assert(
    fc.property(trails, fc.array(fc.nat(users - 1), { maxLength: 40 }), fc.boolean(), (input, order, byUser) => {
      const options = { ...roomy, grouping: byUser ? ('user' as const) : ('session' as const) }
      const actions = interleaved(input, order)
      const [all, others] = [createSessions(options), createSessions(options)]
      for (const each of actions) {
        all.fold(each)
        if (each.userId !== 'u0') others.fold(each)
      }
      all.forget('u0')
      all.forget('nobody')
      const shape = (sessions: Sessions) => ({ ...(contentOf(sessions, 7) as object), counts: null, ever: null })
      expect(shape(all)).toEqual(shape(others))
      for (const { userId, sessionId, atMs } of actions) {
        if (userId === 'u0') expect(all.find('u0', sessionId, atMs)).toBe(-1)
      }
      const bytes = encodeSnapshot((writer) => all.save(writer))
      const loaded = createSessions(options)
      loaded.load(decodeSnapshot(bytes))
      expect(shape(loaded)).toEqual(shape(others))
    }),
  )
})

test('rows of forgotten sessions are used again', () => {
  const sessions = createSessions({ ...roomy, maxSessions: 3 })
  for (let round = 0; round < 20; round++) {
    for (const user of ['a', 'b']) sessions.fold(action(`${user}${round}`, round % 5, round))
    sessions.forget(`a${round}`)
  }
  expect(sessions.size).toBe(2)
  expect(sessions.rowLimit).toBeLessThan(10)
})

test('two gone pins stay apart when the action between them is taken back: they are different pins', () => {
  const gone = new Set<number>()
  const sessions = createSessions({ ...roomy, isGone: (row) => row === goneRow || gone.has(row) })
  for (const [minute, pinRow] of [1, 2, 3, 4].entries()) sessions.fold(action('ann', pinRow, minute, 's'))
  const session = sessions.fold(action('ann', 5, 4, 's'))
  gone.add(1).add(3)
  sessions.clean(session)
  sessions.withdraw('ann', 2, () => true)
  expect(pinsOf(sessions, session)).toEqual([goneRow, goneRow, 4, 5])
})
