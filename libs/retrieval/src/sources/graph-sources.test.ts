import { anOpenRetrieval } from '../builders.fixture.ts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Action, Engagement } from '@freshet/domain/engagement'
import { hash32 } from '@freshet/domain/hash'
import {
  asId,
  type BoardId,
  type EventId,
  type PinId,
  type SessionId,
  type TopicId,
  type UserId,
} from '@freshet/domain/ids'
import { aCataloguePin } from '@freshet/domain/testing'

import type { RetrievalConfigInput } from '../config.ts'
import type { RetrieveQuery } from '../question.ts'
import type { Retrieval } from '../retrieval.ts'
import { sourceDefinitions } from '../source-definitions.ts'
import type { SourceParameters } from '../source.ts'

const dayMs = 86_400_000
const nowMs = 1_000 * dayMs

const only = (name: string, parameters: SourceParameters = {}): RetrievalConfigInput => ({
  maxPins: 200_000,
  maxBoards: 200_000,
  maxEdges: 500_000,
  sources: Object.fromEntries(
    sourceDefinitions.map((source) => [
      source.name,
      source.name === name ? { enabled: true, parameters } : { enabled: false },
    ]),
  ),
})

const aRetrieval = (name: string, parameters: SourceParameters = {}): Retrieval =>
  anOpenRetrieval({ config: only(name, parameters), seed: 4, refresh: 'event' })

let events = 0
const anEngagement = (given: {
  user?: string
  session?: string
  action?: Action
  pin: string
  board?: string
  atMs?: number
}): Engagement => ({
  eventId: asId<EventId>(`e${events++}`),
  userId: asId<UserId>(given.user ?? 'someone'),
  sessionId: given.session === undefined ? null : asId<SessionId>(given.session),
  action: given.action ?? 'click',
  subject: { kind: 'pin', pinId: asId<PinId>(given.pin) },
  boardId: given.board === undefined ? null : asId<BoardId>(given.board),
  occurredAtMs: given.atMs ?? nowMs - dayMs,
  shown: { feedId: null, position: null, surface: null },
  dwellMs: null,
})

/** Each board's owner saves the pins to it, an hour apart. */
function save(retrieval: Retrieval, board: string, pins: readonly string[], atMs = nowMs - dayMs): void {
  for (const [i, pin] of pins.entries()) {
    const at = { user: `owner of ${board}`.replaceAll(' ', '-'), session: board, atMs: atMs + i * 3_600_000 }
    retrieval.foldEngagement(anEngagement({ ...at, action: 'save', pin, board }))
  }
}

const ask = (retrieval: Retrieval, pins: readonly string[], more: Partial<RetrieveQuery> = {}): readonly string[] =>
  retrieval.retrieve({
    surface: 'home',
    atMs: nowMs,
    userId: asId<UserId>('me'),
    recent: pins.map((pin) => ({
      pinId: asId<PinId>(pin),
      action: 'click' as const,
      occurredAtMs: nowMs - 60_000,
      sessionId: null,
      boardId: null,
    })),
    limit: 50,
    ...more,
  }).pinIds

const others = (found: readonly string[], start: string): readonly string[] => found.filter((pin) => pin !== start)

describe.each(['pixie-walk', 'long-term-walk', 'board-co-occurrence'])('%s', (name) => {
  it('finds pins that share boards with recent ones, those that share more first', () => {
    const retrieval = aRetrieval(name)
    save(retrieval, 'b1', ['q', 'twice', 'once'])
    save(retrieval, 'b2', ['q', 'twice'])
    save(retrieval, 'b3', ['unrelated', 'other'])
    expect(others(ask(retrieval, ['q']), 'q')).toEqual(['twice', 'once'])
  })

  it('counts a save immediately, and no longer once it is taken back', () => {
    const retrieval = aRetrieval(name)
    save(retrieval, 'b1', ['q'])
    expect(others(ask(retrieval, ['q']), 'q')).toEqual([])
    save(retrieval, 'b1', ['new'])
    expect(others(ask(retrieval, ['q']), 'q')).toEqual(['new'])
    if (name !== 'board-co-occurrence') return
    retrieval.foldEngagement(anEngagement({ action: 'unsave', pin: 'new', board: 'b1' }))
    expect(others(ask(retrieval, ['q']), 'q')).toEqual([])
  })

  it('finds nothing for an unknown user', () => {
    const retrieval = aRetrieval(name)
    save(retrieval, 'b1', ['q', 'x'])
    expect(ask(retrieval, [])).toEqual([])
    expect(ask(retrieval, ['never seen'.replace(' ', '-')])).toEqual([])
  })

  it('gives no deleted pin, and none of its old boards when it is created again', () => {
    const retrieval = aRetrieval(name)
    save(retrieval, 'b1', ['q', 'x', 'y'])
    retrieval.foldPin({ kind: 'delete', pinId: asId<PinId>('x') })
    expect(others(ask(retrieval, ['q']), 'q')).toEqual(['y'])
    retrieval.foldPin({ kind: 'upsert', pin: aCataloguePin('x') })
    expect(others(ask(retrieval, ['q']), 'q')).toEqual(['y'])
    save(retrieval, 'b2', ['q', 'x'])
    expect(others(ask(retrieval, ['q']), 'q').toSorted()).toEqual(['x', 'y'])
  })

  it('leaves a board about everything out', () => {
    const retrieval = aRetrieval(name)
    const pins = Array.from({ length: 80 }, (_, i) => `p${i}`)
    for (const [i, pin] of pins.entries()) {
      retrieval.foldPin({ kind: 'upsert', pin: aCataloguePin(pin, { topics: [asId<TopicId>(`topic${i}`)] }) })
    }
    for (const pin of pins) {
      retrieval.foldEngagement(anEngagement({ user: pin, session: pin, action: 'save', pin, board: 'everything' }))
    }
    expect(others(ask(retrieval, ['p0']), 'p0')).toEqual([])
    save(retrieval, 'narrow', ['p0', 'p1'])
    expect(others(ask(retrieval, ['p0']), 'p0')).toEqual(['p1'])
  })

  it('law: the answer does not depend on how the events of different users interleave', () => {
    const event = fc.record({ user: fc.nat(4), pin: fc.nat(8), minutes: fc.nat(300) })
    fc.assert(
      fc.property(fc.array(event, { minLength: 5, maxLength: 50 }), fc.nat(), (some, seed) => {
        const byTime = some.toSorted((a, b) => a.minutes - b.minutes)
        // Each user's events stay in order; the users take turns in another way.
        const turns = byTime
          .map((each, i) => ({ each, at: byTime.slice(0, i).filter(({ user }) => user === each.user).length, i }))
          .toSorted(
            (a, b) => a.at - b.at || hash32(`${a.each.user}`, seed) - hash32(`${b.each.user}`, seed) || a.i - b.i,
          )
        const orders = [byTime, turns.map(({ each }) => each)]
        const answers = orders.map((order) => {
          const retrieval = aRetrieval(name)
          for (const { user, pin, minutes } of order) {
            const at = { user: `u${user}`, pin: `p${pin}`, board: `b${user}`, atMs: nowMs - dayMs + minutes * 60_000 }
            retrieval.foldEngagement(anEngagement({ ...at, action: 'save' }))
          }
          const { pinIds, scores } = retrieval.retrieve({
            surface: 'related',
            atMs: nowMs,
            userId: null,
            pinId: asId<PinId>(`p${some[0]?.pin ?? 0}`),
            limit: 50,
          })
          return { pinIds, scores }
        })
        expect(answers[1]).toEqual(answers[0])
      }),
      { numRuns: 40 },
    )
  })

  it('answers from a restored snapshot as before', () => {
    const retrieval = aRetrieval(name)
    for (let board = 0; board < 30; board++) {
      const pins = Array.from({ length: 6 }, (_, i) => `p${hash32(`${board} ${i}`) % 40}`)
      save(retrieval, `b${board}`, [...new Set(pins)])
    }
    const restored = aRetrieval(name)
    restored.restore(retrieval.snapshot(new Uint8Array(0)))
    expect(ask(restored, ['p1', 'p2'])).toEqual(ask(retrieval, ['p1', 'p2']))
    expect(ask(retrieval, ['p1', 'p2']).length).toBeGreaterThan(5)
  })
})

describe('graph', () => {
  it('reports caps that cannot be addressed as an error of the configuration', () => {
    const config = { ...only('pixie-walk'), maxEdges: 1_000_000_000 }
    expect(() => anOpenRetrieval({ config, seed: 1, refresh: 'event' })).toThrow(
      expect.objectContaining({
        code: 'RETRIEVAL_CONFIG_INVALID',
        message: expect.stringMatching(/^a graph.*can be addressed/) as string,
      }),
    )
  })
})

describe('board co-occurrence', () => {
  it('prefers boards of today over boards of years ago', () => {
    const retrieval = aRetrieval('board-co-occurrence')
    save(retrieval, 'old', ['q', 'then'], nowMs - 900 * dayMs)
    save(retrieval, 'new', ['q', 'now'], nowMs - 2 * dayMs)
    expect(others(ask(retrieval, ['q']), 'q')).toEqual(['now', 'then'])
  })

  it('prefers pins saved to a board at about the same time: boards drift', () => {
    const retrieval = aRetrieval('board-co-occurrence')
    save(retrieval, 'b', ['early'], nowMs - 700 * dayMs)
    save(retrieval, 'b', ['q', 'near'], nowMs - 10 * dayMs)
    expect(others(ask(retrieval, ['q']), 'q')).toEqual(['near', 'early'])
  })

  it('ranks a pin that is on all boards below a pin that is only on the shared ones', () => {
    const retrieval = aRetrieval('board-co-occurrence')
    for (let i = 0; i < 20; i++) save(retrieval, `other${i}`, ['everywhere', `filler${i}`])
    save(retrieval, 'b', ['q', 'everywhere', 'special'])
    expect(others(ask(retrieval, ['q']), 'q')).toEqual(['special', 'everywhere'])
  })

  it('answers for a board of 100,000 pins', () => {
    const retrieval = aRetrieval('board-co-occurrence')
    for (let i = 0; i < 100_000; i++) {
      const atMs = nowMs - dayMs + i * 100
      retrieval.foldEngagement(anEngagement({ user: `u${i}`, action: 'save', pin: `p${i}`, board: 'huge', atMs }))
    }
    const found = others(ask(retrieval, ['p99999']), 'p99999')
    expect(found).toContain('p99998')
    expect(found).not.toContain('p0')
  })
})

describe('long-term walk', () => {
  it('discounts what is popular everywhere', () => {
    const retrieval = aRetrieval('long-term-walk', { beta: 0.9 })
    for (let i = 0; i < 30; i++) save(retrieval, `other${i}`, ['everywhere', `filler${i}`])
    save(retrieval, 'b1', ['q', 'special', 'everywhere'])
    save(retrieval, 'b2', ['q', 'special'])
    expect(others(ask(retrieval, ['q']), 'q').slice(0, 2)).toEqual(['special', 'everywhere'])
  })
})

describe('pixie walk', () => {
  it('gives the same answer to the same query, and at another time changes only close ranks', () => {
    const retrieval = aRetrieval('pixie-walk', { steps: 2_000 })
    for (let board = 0; board < 40; board++) {
      save(retrieval, `b${board}`, [...new Set([0, 1, 2, 3].map((i) => `p${hash32(`${board} ${i}`) % 30}`))])
    }
    expect(ask(retrieval, ['p1'])).toEqual(ask(retrieval, ['p1']))
  })

  it('prefers pins of the requested locale', () => {
    const retrieval = aRetrieval('pixie-walk', { bias: 0.9 })
    for (const [pin, locale] of [
      ['deutsch', 'de-DE'],
      ['english', 'en-GB'],
    ] as const) {
      retrieval.foldPin({ kind: 'upsert', pin: aCataloguePin(pin, { locale }) })
      save(retrieval, `board-${pin}`, ['q', pin])
    }
    expect(others(ask(retrieval, ['q'], { locale: 'en-GB' }), 'q')[0]).toBe('english')
    expect(others(ask(retrieval, ['q'], { locale: 'de-DE' }), 'q')[0]).toBe('deutsch')
  })
})
