import { asId, type PinId, type UserId } from '@freshet/domain/ids'
import { expect, test } from 'vitest'

import { anEngagement, minuteMs, startMs } from '../builders.fixture.ts'
import { createCatalogue } from '../views/catalogue.ts'
import { isHeldOut } from '@freshet/domain/held-out'
import { toTrainingQuery, type SamplingState, type HistoryViews } from './training-examples.ts'
import { createSessions } from '../views/sessions.ts'

const caps = {
  maxSessions: 100,
  maxSessionActions: 1_000,
  maxActionsPerSession: 10,
  maxSessionsPerPin: 10,
  sessionGapMs: 30 * minuteMs,
}

/** Views in which `u` touched `old` long ago and `a`, `b` in session `s`. */
function views(): HistoryViews {
  const catalogue = createCatalogue({ maxPins: 10_000, seed: 1, showUnlistedPins: true })
  const sessions = createSessions({ ...caps, grouping: 'session' })
  const trails = createSessions({ ...caps, grouping: 'user' })
  const done = [
    ['old', 'before', startMs],
    ['a', 's', startMs + 100 * minuteMs],
    ['b', 's', startMs + 101 * minuteMs],
  ] as const
  for (const [pinId, sessionId, atMs] of done) {
    const pinRow = catalogue.intern(asId<PinId>(pinId))
    for (const view of [sessions, trails]) view.fold({ userId: 'u', sessionId, pinRow, atMs })
  }
  return { catalogue, sessions, trails }
}

const atMs = startMs + 102 * minuteMs
const chosen = (oneIn: number, from = 0): string => {
  for (let n = from; ; n++) if (isHeldOut({ userId: 'u', pinId: `p${n}`, atMs }, oneIn)) return `p${n}`
}

const nothingYet: SamplingState = { samples: 0, lastExampleMs: -Infinity, waiting: [] }

function exampleAbout(
  pinId: string,
  state: Partial<SamplingState> = {},
  userId = 'u',
): ReturnType<typeof toTrainingQuery> {
  const engagement = anEngagement({ userId, sessionId: 's', pinId, atMs })
  return toTrainingQuery(engagement, { ...nothingYet, ...state, pinId: asId<PinId>(pinId) }, views())
}

test('the training query is the query just before the action', () => {
  const example = exampleAbout(chosen(16))
  expect(example).toMatchObject({ surface: 'home', atMs, userId: asId<UserId>('u'), sessionId: 's' })
  expect(example?.exclude).toBeUndefined()
  expect(example?.recent?.map(({ pinId, sessionId }) => [pinId, sessionId])).toEqual([
    ['old', null],
    ['a', 's'],
    ['b', 's'],
  ])
})

test('one action in 16 is sampled, later fewer, and every action sampled later would have been sampled before', () => {
  const pinIds = Array.from({ length: 16_000 }, (_, n) => `p${n}`)
  const early = pinIds.filter((pinId) => isHeldOut({ userId: 'u', pinId, atMs }))
  const late = pinIds.filter((pinId) => isHeldOut({ userId: 'u', pinId, atMs }, 64))
  expect(early.length).toBeGreaterThan(900)
  expect(early.length).toBeLessThan(1_100)
  expect(late.length).toBeGreaterThan(200)
  expect(late.length).toBeLessThan(300)
  expect(early).toEqual(expect.arrayContaining(late))
  const onlyEarly = early.find((pinId) => !late.includes(pinId)) ?? ''
  expect(exampleAbout(onlyEarly, { samples: 2_047 })).not.toBeNull()
  expect(exampleAbout(onlyEarly, { samples: 2_048 })).toBeNull()
  expect(exampleAbout(chosen(64), { samples: 2_048 })).not.toBeNull()
  expect(exampleAbout(chosen(256), { samples: 5_000 })).not.toBeNull()
})

test('training examples are a least time apart once there are many', () => {
  const lastExampleMs = atMs - 20
  expect(exampleAbout(chosen(16), { samples: 511, lastExampleMs })).not.toBeNull()
  expect(exampleAbout(chosen(16), { samples: 512, lastExampleMs })).toBeNull()
  expect(exampleAbout(chosen(16), { samples: 512, lastExampleMs: atMs - 50 })).not.toBeNull()
})

test('actions that wait for the next mark come last, and suffice for a user without a trail', () => {
  const waiting = [
    { pinId: asId<PinId>('c'), action: 'click', occurredAtMs: atMs - 1, sessionId: null, boardId: null },
  ] as const
  expect(exampleAbout(chosen(16), { waiting })?.recent?.map(({ pinId }) => pinId)).toEqual(['old', 'a', 'b', 'c'])
  let stranger = 0
  while (!isHeldOut({ userId: `stranger${stranger}`, pinId: 'p', atMs })) stranger++
  expect(exampleAbout('p', { waiting }, `stranger${stranger}`)?.recent?.map(({ pinId }) => pinId)).toEqual(['c'])
})

test('an action that is not sampled and a user without a trail give no training query', () => {
  let other = 0
  while (isHeldOut({ userId: 'u', pinId: `p${other}`, atMs })) other++
  expect(exampleAbout(`p${other}`)).toBeNull()
  let stranger = 0
  while (!isHeldOut({ userId: `stranger${stranger}`, pinId: 'p', atMs })) stranger++
  expect(exampleAbout('p', {}, `stranger${stranger}`)).toBeNull()
})

test('A29: a pin that the user returns to gives a training query, even if it was the last one', () => {
  for (const pinId of ['a', 'b']) {
    let minute = 0
    while (!isHeldOut({ userId: 'u', pinId, atMs: atMs + minute * minuteMs })) minute++
    const taken = anEngagement({ userId: 'u', pinId, sessionId: 's', atMs: atMs + minute * minuteMs })
    expect(toTrainingQuery(taken, { ...nothingYet, pinId: asId<PinId>(pinId) }, views())?.recent).toHaveLength(3)
  }
})
