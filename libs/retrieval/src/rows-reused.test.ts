import { aCataloguePin } from '@freshet/domain/testing'
import { asId, type PinId, type UserId } from '@freshet/domain/ids'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { aQuery, anEngagement, asData, dayMs, hourMs, recentClicks, startMs } from './builders.fixture.ts'
import { createRetrieval, type Retrieval } from './retrieval.ts'

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j']
const users = ['ann', 'bob', 'cleo']
const locales = [null, 'de-DE', 'en-US', 'fr']
const caps = {
  maxPins: 7,
  maxUnlistedPins: 3,
  unlistedTtlMs: 2 * dayMs,
  maxSessions: 8,
  maxActionsPerSession: 6,
  maxSessionsPerPin: 3,
  maxBoards: 6,
  maxEdges: 200,
  maxBoardsPerPin: 2,
  maxPinsPerBoard: 4,
} as const

const pinId = fc.constantFrom(...names)
const step = fc.oneof(
  fc.record({
    kind: fc.constant('describe' as const),
    pinId,
    creator: fc.nat(2),
    topic: fc.nat(3),
    locale: fc.constantFrom(...locales),
    width: fc.constantFrom(0, 2, 4),
  }),
  fc.record({ kind: fc.constant('delete' as const), pinId }),
  fc.record({
    kind: fc.constant('act' as const),
    pinId,
    user: fc.constantFrom(...users),
    action: fc.constantFrom('click' as const, 'save' as const, 'hide' as const, 'unsave' as const),
    board: fc.nat(2),
    hours: fc.constantFrom(0, 1, 30),
  }),
  fc.record({ kind: fc.constant('embed' as const), pinId, withdraw: fc.boolean() }),
  fc.record({ kind: fc.constant('erase' as const), user: fc.constantFrom(...users) }),
)
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

/** Folds each event into several views, at a time that advances. */
function createFolder(): (views: readonly Retrieval[], given: Step) => number {
  let atMs = startMs
  return (views, given) => {
    if (given.kind === 'act') atMs += given.hours * hourMs
    for (const view of views) foldStep(view, given, atMs)
    return atMs
  }
}

function foldStep(view: Retrieval, given: Step, atMs: number): void {
  if (given.kind === 'erase') return view.foldErasure(asId<UserId>(given.user))
  const id = asId<PinId>(given.pinId)
  const seed = given.pinId.charCodeAt(0)
  if (given.kind === 'delete') return view.foldPin({ kind: 'delete', pinId: id })
  if (given.kind === 'describe') {
    const visualEmbedding =
      given.width === 0 ? null : Float32Array.from({ length: given.width }, (_, i) => Math.sin(seed * 7 + i))
    const [creatorId, topics] = [asId<never>(`c${given.creator}`), [asId<never>(`t${given.topic}`)]]
    const pin = aCataloguePin(given.pinId, {
      creatorId,
      topics,
      locale: given.locale,
      createdAtMs: atMs,
      visualEmbedding,
    })
    return view.foldPin({ kind: 'upsert', pin })
  }
  if (given.kind === 'embed') {
    const vector = given.withdraw ? null : Float32Array.from({ length: 4 }, (_, i) => Math.cos(seed * 3 + i))
    view.foldEmbeddings([{ pinId: id, vector }])
    return
  }
  const boardId = given.action === 'save' || given.action === 'unsave' ? `board${given.board}` : null
  view.foldEngagement(anEngagement({ userId: given.user, pinId: given.pinId, action: given.action, boardId, atMs }))
}

/** The answers of the views to some queries, on both surfaces. */
function answers(view: Retrieval, atMs: number): unknown {
  const follows = {
    followedCreators: [asId<never>('c0'), asId<never>('c1')],
    followedTopics: [asId<never>('t1')],
    followedBoards: [asId<never>('board0')],
  }
  return names.flatMap((name, i) => {
    const recent = recentClicks([names[(i + 3) % names.length]!, name], atMs)
    const common = { atMs, recent, userId: asId<UserId>(users[i % users.length]!), ...follows }
    const locale = locales[i % locales.length] ?? null
    return [
      asData(view, aQuery({ ...common, locale })),
      asData(view, aQuery({ ...common, surface: 'related', pinId: asId<PinId>(name) })),
    ]
  })
}

const casesPerTest = 5

/** Sequences of steps with draws: 0 snapshots and restores the views that reuse rows, 0 and 1 compare all answers. */
const steps = fc.array(fc.tuple(step, fc.nat(9)), { minLength: 20, maxLength: 90, size: 'max' })

/** Folds the steps into views that never reuse rows and into views that do, and compares their answers. */
function expectEqualAnswers(
  given: readonly (readonly [Step, number])[],
  { never, makeReusing }: { readonly never: Retrieval; readonly makeReusing: () => Retrieval },
): void {
  let again = makeReusing()
  const next = createFolder()
  for (const [event, draw] of given) {
    const atMs = next([never, again], event)
    if (draw === 0) {
      const bytes = again.snapshot(new Uint8Array(0))
      again = makeReusing()
      again.restore(bytes)
    }
    if (draw <= 1) expect(answers(again, atMs)).toEqual(answers(never, atMs))
  }
  const { pins, unlistedPins } = again.stats()
  expect(pins + unlistedPins).toBeLessThanOrEqual(caps.maxPins)
}

describe('A12 · row numbers are used again', () => {
  for (const showUnlistedPins of [false, true]) {
    for (const spareRows of [3, 6, 15]) {
      it(`law: neither reusing rows nor restoring views changes an answer (spare rows: ${spareRows}, unlisted pins shown: ${showUnlistedPins})`, () => {
        const make = (rows: number) =>
          createRetrieval({ config: { ...caps, showUnlistedPins }, seed: 1, refresh: 'event', spareRows: rows })
        fc.assert(
          fc.property(steps, (given) => {
            expectEqualAnswers(given, { never: make(1_000_000), makeReusing: () => make(spareRows) })
          }),
          { numRuns: casesPerTest, endOnFailure: true },
        )
      }, 120_000)
    }
  }

  it('a new pin inherits nothing from the pin whose row it got', () => {
    const view = createRetrieval({ config: caps, seed: 1, refresh: 'event', spareRows: 3 })
    const describePin = (pinId: string) =>
      view.foldPin({ kind: 'upsert', pin: aCataloguePin(pinId, { visualEmbedding: Float32Array.of(1, 2) }) })
    describePin('seen')
    for (let round = 0; round < 50; round++) {
      describePin(`old${round}`)
      for (const userId of users)
        for (const pinId of ['seen', `old${round}`])
          view.foldEngagement(anEngagement({ userId, pinId, action: 'save', boardId: 'board', atMs: startMs + round }))
      view.foldPin({ kind: 'delete', pinId: asId<PinId>(`old${round}`) })
      view.foldPin({ kind: 'upsert', pin: aCataloguePin('new') })
      const { pinIds, sources } = view.retrieve(aQuery({ recent: recentClicks(['seen']) }))
      const by = sources.filter(({ candidates }) => [...candidates].some((i) => pinIds[i] === 'new'))
      // Popularity lists the newest pins too, below all pins that somebody likes.
      expect(by.map(({ name }) => name)).toEqual(['popularity'])
      expect(pinIds).not.toContain(`old${round}`)
      view.foldPin({ kind: 'delete', pinId: asId<PinId>('new') })
    }
  })

  it('the views do not grow while ten times their cap of pins is created and deleted', () => {
    const maxPins = 500
    const view = createRetrieval({ config: { maxPins, maxUnlistedPins: 100 }, seed: 1, refresh: 'event' })
    const bytes: number[] = []
    for (let n = 0; n < 25 * maxPins; n++) {
      const topics = Array.from({ length: 3 }, (_, i) => asId<never>(`topic-${n}-${i}`))
      const visualEmbedding = Float32Array.from({ length: 8 }, (_, i) => Math.sin(n + i))
      const pin = aCataloguePin(`pin-${n}`, {
        creatorId: asId<never>(`creator-${n}`),
        topics,
        locale: 'de',
        visualEmbedding,
      })
      view.foldPin({ kind: 'upsert', pin: { ...pin, createdAtMs: startMs + n } })
      for (const of of [`pin-${n}`, `unknown-${n}`])
        view.foldEngagement(
          anEngagement({ userId: `u${n % 50}`, pinId: of, action: 'save', boardId: `b${n % 50}`, atMs: startMs + n }),
        )
      if (n >= maxPins / 2) view.foldPin({ kind: 'delete', pinId: asId<PinId>(`pin-${n - maxPins / 2}`) })
      if (n % (5 * maxPins) === 5 * maxPins - 1) {
        const all = view.stats().bytes
        bytes.push(Object.values(all).reduce((sum, each) => sum + each, 0))
      }
    }
    const { pins, unlistedPins, refusedPins, expiredPins } = view.stats()
    expect({ pins, unlistedPins, refusedPins }).toEqual({ pins: maxPins / 2, unlistedPins: 100, refusedPins: 0 })
    expect(expiredPins).toBeGreaterThan(20 * maxPins)
    expect(Math.max(...bytes.slice(1))).toBeLessThan(1.05 * bytes[1]!)
  }, 60_000)
})
