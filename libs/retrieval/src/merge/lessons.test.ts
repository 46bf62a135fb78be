import { asId, type PinId, type UserId } from '@freshet/domain/ids'
import { expect, test } from 'vitest'

import { anEngagement, minuteMs, startMs } from '../builders.fixture.ts'
import { createCatalogue } from '../views/catalogue.ts'
import { isHeldOut } from '@freshet/domain/held-out'
import { lessonOf, type LessonState, type LessonViews } from './lessons.ts'
import { createSessions } from '../views/sessions.ts'

const caps = {
  maxSessions: 100,
  maxSessionActions: 1_000,
  maxActionsPerSession: 10,
  maxSessionsPerPin: 10,
  sessionGapMs: 30 * minuteMs,
}

/** Views in which `u` touched `old` long ago and `a`, `b` in session `s`. */
function views(): LessonViews {
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

const nothingYet: LessonState = { samples: 0, lastLessonMs: -Infinity, waiting: [] }

function lessonAbout(pinId: string, state: Partial<LessonState> = {}, userId = 'u'): ReturnType<typeof lessonOf> {
  const engagement = anEngagement({ userId, sessionId: 's', pinId, atMs })
  return lessonOf(engagement, { ...nothingYet, ...state, pinId: asId<PinId>(pinId) }, views())
}

test('a lesson is the question before the action', () => {
  const lesson = lessonAbout(chosen(16))
  expect(lesson).toMatchObject({ surface: 'home', atMs, userId: asId<UserId>('u'), sessionId: 's' })
  expect(lesson?.exclude).toBeUndefined()
  expect(lesson?.recent?.map(({ pinId, sessionId }) => [pinId, sessionId])).toEqual([
    ['old', null],
    ['a', 's'],
    ['b', 's'],
  ])
})

test('one action in 16 is a lesson, fewer later, and each of those is one of the former', () => {
  const pinIds = Array.from({ length: 16_000 }, (_, n) => `p${n}`)
  const early = pinIds.filter((pinId) => isHeldOut({ userId: 'u', pinId, atMs }))
  const late = pinIds.filter((pinId) => isHeldOut({ userId: 'u', pinId, atMs }, 64))
  expect(early.length).toBeGreaterThan(900)
  expect(early.length).toBeLessThan(1_100)
  expect(late.length).toBeGreaterThan(200)
  expect(late.length).toBeLessThan(300)
  expect(early).toEqual(expect.arrayContaining(late))
  const onlyEarly = early.find((pinId) => !late.includes(pinId)) ?? ''
  expect(lessonAbout(onlyEarly, { samples: 2_047 })).not.toBeNull()
  expect(lessonAbout(onlyEarly, { samples: 2_048 })).toBeNull()
  expect(lessonAbout(chosen(64), { samples: 2_048 })).not.toBeNull()
  expect(lessonAbout(chosen(256), { samples: 5_000 })).not.toBeNull()
})

test('lessons keep their distance once there are many', () => {
  const lastLessonMs = atMs - 20
  expect(lessonAbout(chosen(16), { samples: 511, lastLessonMs })).not.toBeNull()
  expect(lessonAbout(chosen(16), { samples: 512, lastLessonMs })).toBeNull()
  expect(lessonAbout(chosen(16), { samples: 512, lastLessonMs: atMs - 50 })).not.toBeNull()
})

test('what the user did since the views were brought up to date comes last, and is enough to know a user by', () => {
  const waiting = [
    { pinId: asId<PinId>('c'), action: 'click', occurredAtMs: atMs - 1, sessionId: null, boardId: null },
  ] as const
  expect(lessonAbout(chosen(16), { waiting })?.recent?.map(({ pinId }) => pinId)).toEqual(['old', 'a', 'b', 'c'])
  let stranger = 0
  while (!isHeldOut({ userId: `stranger${stranger}`, pinId: 'p', atMs })) stranger++
  expect(lessonAbout('p', { waiting }, `stranger${stranger}`)?.recent?.map(({ pinId }) => pinId)).toEqual(['c'])
})

test('no lesson: another action, a user without a trail', () => {
  let other = 0
  while (isHeldOut({ userId: 'u', pinId: `p${other}`, atMs })) other++
  expect(lessonAbout(`p${other}`)).toBeNull()
  let stranger = 0
  while (!isHeldOut({ userId: `stranger${stranger}`, pinId: 'p', atMs })) stranger++
  expect(lessonAbout('p', {}, `stranger${stranger}`)).toBeNull()
})

test('A29: a pin that the user comes back to is a lesson, the last one too', () => {
  for (const pinId of ['a', 'b']) {
    let minute = 0
    while (!isHeldOut({ userId: 'u', pinId, atMs: atMs + minute * minuteMs })) minute++
    const taken = anEngagement({ userId: 'u', pinId, sessionId: 's', atMs: atMs + minute * minuteMs })
    expect(lessonOf(taken, { ...nothingYet, pinId: asId<PinId>(pinId) }, views())?.recent).toHaveLength(3)
  }
})
