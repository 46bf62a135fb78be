import { mix32 } from '@freshet/domain/hash'
import { createDraw, type Line } from './draws.ts'

/** Of a recording, how often knowledge is brought up to date where that is done at marks. */
const marks = 50

/**
 * How an invented data set is made: users have tastes, a session is about one of them, pins within a taste are taken by
 * Zipf's law.
 */
export interface Shape {
  readonly pins: number
  readonly users: number
  readonly tastes: number
  readonly events: number
  readonly sessionLength: number
  /** From one event to the next, milliseconds. */
  readonly stepMs: number
  /** Pins appear over the whole time and are taken while they are among the newest this many of their taste; 0: all are there from the start. */
  readonly freshest: number
  /** Whether the catalogue describes pins with their taste as topic. */
  readonly isDescribed: boolean
  readonly hasSessions: boolean
  readonly action: 'click' | 'save'
  readonly hasBoards: boolean
  readonly idOf: (kind: string, number: number) => string
  readonly repeats: 'allow' | 'forbid'
}

const plain: Shape = {
  pins: 5_000,
  users: 3_000,
  tastes: 40,
  events: 40_000,
  sessionLength: 4,
  stepMs: 20_000,
  freshest: 0,
  isDescribed: false,
  hasSessions: true,
  action: 'click',
  hasBoards: false,
  idOf: (kind, number) => `${kind}${number}`,
  repeats: 'forbid',
}

/** The shapes of this kind by name. */
export const tasteShapes: Readonly<Record<string, Shape>> = {
  shop: plain,
  news: { ...plain, pins: 8_000, tastes: 8, sessionLength: 3, freshest: 30, isDescribed: true },
  'long histories': { ...plain, users: 150, hasSessions: false, sessionLength: 8, action: 'save', stepMs: 600_000 },
  boards: { ...plain, users: 800, hasSessions: false, action: 'save', hasBoards: true, isDescribed: true },
  'fifty pins': { ...plain, pins: 50, tastes: 5, users: 500, events: 20_000, repeats: 'allow' },
  sparse: { ...plain, pins: 300_000, tastes: 2_000, users: 20_000, isDescribed: true },
  'long ids': {
    ...plain,
    events: 20_000,
    idOf: (kind, number) => `${kind}${'é日🙂'.repeat(25)}${number}`.padEnd(128, 'ü').slice(0, 128),
  },
  'one second': { ...plain, events: 20_000, stepMs: 0 },
  'years apart': { ...plain, events: 20_000, stepMs: 86_400_000 },
  'no engagement': { ...plain, pins: 2_000, events: 300, users: 300, sessionLength: 1, isDescribed: true },
}

const startMs = Date.UTC(1990, 0, 1)

/** The recording of a shape: the same shape gives the same lines. From the third part of its events on a question stands before each but the first of a session. */
export function* linesOfShape(shape: Shape): Generator<Line> {
  const { draw, zipf } = createDraw(0)
  const { pins, users, tastes, events, sessionLength, stepMs, freshest, idOf } = shape
  const perTaste = Math.floor(pins / tastes)
  const describe = (pin: number, atMs: number): Line => ({
    pin: {
      pinId: idOf('p', pin),
      topics: [idOf('t', Math.floor(pin / perTaste))],
      creatorId: idOf('c', pin % (tastes * 5)),
      createdAt: new Date(atMs).toISOString(),
    },
  })
  let published = freshest > 0 ? 0 : perTaste
  const publish = function* (until: number, atMs: number): Generator<Line> {
    for (; published < until; published++) {
      if (!shape.isDescribed) continue
      for (let taste = 0; taste < tastes; taste++) yield describe(taste * perTaste + published, atMs)
    }
  }
  if (freshest === 0 && shape.isDescribed)
    for (let pin = 0; pin < perTaste * tastes; pin++) yield describe(pin, startMs)
  let nextMark = 0
  for (let at = 0, session = 0; at < events; session++) {
    if (at >= nextMark) {
      yield { mark: `event ${at}` }
      nextMark += events / marks
    }
    const user = draw(users)
    const taste = mix32(user * 3 + draw(2)) % tastes
    for (let step = 0; step < sessionLength && at < events; step++, at++) {
      const occurredAt = new Date(startMs + at * stepMs).toISOString()
      if (freshest > 0)
        yield* publish(Math.min(perTaste, Math.floor((at / events) * perTaste) + 1), startMs + at * stepMs)
      const first = freshest > 0 ? Math.max(0, published - freshest) : 0
      const about = draw(10) === 0 ? draw(tastes) : taste
      const pin = about * perTaste + first + zipf(published - first)
      const who = { userId: idOf('u', user), ...(shape.hasSessions && { sessionId: idOf('s', session) }) }
      if (at > events / 3 && (step > 0 || sessionLength === 1))
        yield {
          question: { at: occurredAt, ...who, target: idOf('p', pin), group: `third ${Math.floor((at / events) * 3)}` },
        }
      yield {
        engagement: {
          eventId: `e${at}`,
          ...who,
          action: shape.action,
          pinId: idOf('p', pin),
          ...(shape.hasBoards && { boardId: idOf('b', user * 5 + taste) }),
          occurredAt,
        },
      }
    }
  }
}
