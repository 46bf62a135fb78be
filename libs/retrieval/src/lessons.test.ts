import { asId, type PinId, type UserId } from '@freshet/domain/ids'
import { expect, test } from 'vitest'

import { anEngagement, minuteMs, startMs } from './builders.fixture.ts'
import { createCatalogue } from './catalogue.ts'
import { isLesson, lessonOf, type LessonViews } from './lessons.ts'
import { createSessions } from './sessions.ts'

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
  for (let n = from; ; n++) if (isLesson({ userId: 'u', pinId: `p${n}`, atMs }, oneIn)) return `p${n}`
}

function lessonAbout(pinId: string, samples = 0, userId = 'u'): ReturnType<typeof lessonOf> {
  const known = views()
  return lessonOf(anEngagement({ userId, sessionId: 's', pinId, atMs }), { pinId: asId<PinId>(pinId), samples }, known)
}

test('a lesson is the question before the action', () => {
  const lesson = lessonAbout(chosen(16))
  expect(lesson).toMatchObject({ surface: 'home', atMs, userId: asId<UserId>('u'), sessionId: 's' })
  expect(lesson?.exclude).toEqual(['old', 'a', 'b'])
  expect(lesson?.recent?.map(({ pinId, sessionId }) => [pinId, sessionId])).toEqual([
    ['old', null],
    ['a', 's'],
    ['b', 's'],
  ])
})

test('one action in 16 is a lesson, one in 128 later, and each of those is one of the former', () => {
  const pinIds = Array.from({ length: 16_000 }, (_, n) => `p${n}`)
  const early = pinIds.filter((pinId) => isLesson({ userId: 'u', pinId, atMs }))
  const late = pinIds.filter((pinId) => isLesson({ userId: 'u', pinId, atMs }, 128))
  expect(early.length).toBeGreaterThan(900)
  expect(early.length).toBeLessThan(1_100)
  expect(late.length).toBeGreaterThan(90)
  expect(late.length).toBeLessThan(160)
  expect(early).toEqual(expect.arrayContaining(late))
  const onlyEarly = early.find((pinId) => !late.includes(pinId)) ?? ''
  expect(lessonAbout(onlyEarly, 511)).not.toBeNull()
  expect(lessonAbout(onlyEarly, 512)).toBeNull()
  expect(lessonAbout(chosen(128), 512)).not.toBeNull()
})

test('no lesson: another action, a user without a trail, a pin of the trail', () => {
  let other = 0
  while (isLesson({ userId: 'u', pinId: `p${other}`, atMs })) other++
  expect(lessonAbout(`p${other}`)).toBeNull()
  let stranger = 0
  while (!isLesson({ userId: `stranger${stranger}`, pinId: 'p', atMs })) stranger++
  expect(lessonAbout('p', 0, `stranger${stranger}`)).toBeNull()
  const known = views()
  let minute = 0
  while (!isLesson({ userId: 'u', pinId: 'a', atMs: atMs + minute * minuteMs })) minute++
  const again = anEngagement({ userId: 'u', pinId: 'a', sessionId: 's', atMs: atMs + minute * minuteMs })
  expect(lessonOf(again, { pinId: asId<PinId>('a'), samples: 0 }, known)).toBeNull()
})
