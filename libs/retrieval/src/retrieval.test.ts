import { aCataloguePin } from '@freshet/domain/testing'
import { asId, type BoardId, type CreatorId, type TopicId, type UserId } from '@freshet/domain/ids'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import {
  anOpenRetrieval,
  aQuery,
  anEngagement,
  asData,
  dayMs,
  foldTrail,
  hourMs,
  pins,
  recentClicks,
  startMs,
} from './builders.fixture.ts'
import { SnapshotError } from '@freshet/columns/errors'
import type { RetrieveQuery } from './question.ts'
import { createRetrieval, type Retrieval } from './retrieval.ts'
import { sourceDefinitions } from './source-definitions.ts'
import { sourceNames } from '@freshet/domain/source-names'

const creator = asId<CreatorId>('creator')
const topic = asId<TopicId>('topic')

function perEvent(): Retrieval {
  return anOpenRetrieval({ seed: 1, refresh: 'event' })
}

/** Ten users who took a, b, c, d, e one after the other. */
function withTaste(retrieval: Retrieval = perEvent()): Retrieval {
  for (let i = 0; i < 10; i++) foldTrail(retrieval, `u${i}`, ['a', 'b', 'c', 'd', 'e'])
  return retrieval
}

interface Step {
  readonly pin: number
  readonly gap: number
  readonly save: boolean
}

function engagementsOf(streams: readonly (readonly Step[])[], order: readonly number[]) {
  const left = streams.map((steps, user) => {
    let atMs = startMs
    return steps.map(({ pin, gap, save }) => {
      atMs += gap * hourMs
      const boardId = save ? `board${pin % 2}` : null
      return anEngagement({ userId: `u${user}`, pinId: `p${pin}`, action: save ? 'save' : 'click', boardId, atMs })
    })
  })
  const interleaved = order.flatMap((pick) => left[pick % left.length]?.splice(0, 1) ?? [])
  return [...interleaved, ...left.flat()]
}

const streams = fc.array(
  fc.array(fc.record({ pin: fc.nat(8), gap: fc.nat(3), save: fc.boolean() }), { maxLength: 10, size: 'max' }),
  {
    minLength: 4,
    maxLength: 4,
  },
)
/** Nine pins of two creators and three topics, published a day apart, so that sources of topics and creators have answers. */
function foldDescribedPins(retrieval: Retrieval, from: 'first' | 'last' = 'first'): void {
  for (let at = 0; at < 9; at++) {
    // The pins of different partitions arrive in any order too: rows, topics and creators then have other numbers.
    const i = from === 'first' ? at : 8 - at
    const topics = [asId<TopicId>(`topic${i % 3}`), asId<TopicId>(`topic${(i + 1) % 3}`)]
    const creatorId = asId<CreatorId>(`creator${i % 2}`)
    const visualEmbedding = Float32Array.of(1, i, i * i)
    const createdAtMs = startMs - (i >> 1) * dayMs
    const pin = aCataloguePin(`p${i}`, { creatorId, topics, createdAtMs, visualEmbedding })
    retrieval.foldPin({ kind: 'upsert', pin })
  }
}

/** Asks as a user who clicked pins, saved one to a board, and follows topics, a creator and a board. */
function aFollowersQuery(userId: string, rest: Partial<RetrieveQuery> = {}): RetrieveQuery {
  const [first, saved] = recentClicks(['p1', 'p2'], later)
  return aQuery({
    userId: asId<UserId>(userId),
    recent: [first!, { ...saved!, action: 'save', boardId: asId<BoardId>('board0') }],
    followedTopics: [asId<TopicId>('topic0'), asId<TopicId>('topic2')],
    followedCreators: [asId<CreatorId>('creator1')],
    followedBoards: [asId<BoardId>('board1')],
    atMs: later,
    ...rest,
  })
}

const order = fc.array(fc.nat(3), { maxLength: 40 })
const later = startMs + 60 * hourMs

test('law: answers do not depend on how the events of different users interleave', () => {
  fc.assert(
    fc.property(streams, order, order, (input, first, second) => {
      const answers = [first, second].map((interleaving, run) => {
        const retrieval = perEvent()
        foldDescribedPins(retrieval, run === 0 ? 'first' : 'last')
        for (const engagement of engagementsOf(input, interleaving)) retrieval.foldEngagement(engagement)
        return ['u0', 'asker'].map((userId) => asData(retrieval, aFollowersQuery(userId)))
      })
      expect(answers[0]).toEqual(answers[1])
    }),
    { numRuns: 25 },
  )
})

test('law, A1: a history of years gives the same views sorted by user and sorted by time', () => {
  const years = fc.array(
    fc.array(fc.record({ pin: fc.nat(8), gapDays: fc.integer({ min: 0, max: 400 }), save: fc.boolean() }), {
      maxLength: 8,
      size: 'max',
    }),
    { minLength: 4, maxLength: 4 },
  )
  fc.assert(
    fc.property(years, (input) => {
      const byUser = input.flatMap((steps, user) => {
        let atMs = startMs - 3000 * dayMs + user * hourMs
        return steps.map(({ pin, gapDays, save }) => {
          atMs += gapDays * dayMs + user + 1
          const boardId = save ? `board${pin % 2}` : null
          return anEngagement({ userId: `u${user}`, pinId: `p${pin}`, action: save ? 'save' : 'click', boardId, atMs })
        })
      })
      const byTime = byUser.toSorted((a, b) => a.occurredAtMs - b.occurredAtMs)
      const answers = [byUser, byTime].map((history) => {
        // Only what the merge has learned depends on the order.
        const retrieval = createRetrieval({ seed: 1, refresh: 'event', config: { adaptShares: false } })
        foldDescribedPins(retrieval)
        for (const engagement of history) retrieval.foldEngagement(engagement)
        return ['u0', 'asker'].map((userId) => asData(retrieval, aFollowersQuery(userId)))
      })
      expect(answers[0]).toEqual(answers[1])
    }),
    { numRuns: 40 },
  )
})

test('A1: a save that arrives after its unsave does not put the pin back on its board', () => {
  const board = { action: 'save' as const, boardId: 'shoes' }
  const answers = [0, 1].map((late) => {
    const retrieval = perEvent()
    for (const pinId of ['a', 'b', 'c']) retrieval.foldPin({ kind: 'upsert', pin: aCataloguePin(pinId) })
    const save = anEngagement({ ...board, userId: 'u1', pinId: 'b', atMs: startMs })
    const unsave = anEngagement({ ...board, userId: 'u1', pinId: 'b', action: 'unsave', atMs: startMs + hourMs })
    retrieval.foldEngagement(anEngagement({ ...board, userId: 'u2', pinId: 'a', atMs: startMs }))
    for (const engagement of late === 0 ? [save, unsave] : [unsave, save]) retrieval.foldEngagement(engagement)
    const query = aQuery({ recent: recentClicks(['a']), sources: ['board-co-occurrence'] })
    return asData(retrieval, query)
  })
  expect(answers[1]).toEqual(answers[0])
})

test('law: a restored snapshot gives the same answers, folds on in the same way, and returns its positions', () => {
  fc.assert(
    fc.property(streams, streams, (before, after) => {
      const retrieval = perEvent()
      foldDescribedPins(retrieval)
      const german = { creatorId: creator, topics: [topic], createdAtMs: startMs, locale: 'de' }
      retrieval.foldPin({ kind: 'upsert', pin: aCataloguePin('p3', german) })
      retrieval.foldPin({ kind: 'delete', pinId: pins('p5')[0]! })
      retrieval.foldEmbeddings([{ pinId: pins('p1')[0]!, vector: Float32Array.of(0.5, 1, 0) }])
      for (const engagement of engagementsOf(before, [])) retrieval.foldEngagement(engagement)
      const restored = perEvent()
      expect(restored.restore(retrieval.snapshot(Uint8Array.of(7, 8, 9)))).toEqual(Uint8Array.of(7, 8, 9))
      const queries = [aFollowersQuery('asker'), aFollowersQuery('u0', { followedCreators: [creator], locale: 'de' })]
      for (const query of queries) expect(asData(restored, query)).toEqual(asData(retrieval, query))
      for (const engagement of engagementsOf(after, [])) {
        const moved = { ...engagement, occurredAtMs: engagement.occurredAtMs + dayMs }
        retrieval.foldEngagement(moved)
        restored.foldEngagement(moved)
      }
      for (const query of queries) expect(asData(restored, query)).toEqual(asData(retrieval, query))
    }),
    { numRuns: 20 },
  )
})

describe('an answer', () => {
  test('names each source that found a candidate, with score and rank in it', () => {
    const retrieval = withTaste()
    const answer = retrieval.retrieve(aQuery({ recent: recentClicks(['a', 'b']) }))
    expect(new Set(answer.pinIds)).toEqual(new Set(pins('a', 'b', 'c', 'd', 'e')))
    const neighbours = answer.sources.find(({ name }) => name === 'session-neighbours')!
    expect(neighbours.ranks[0]).toBe(1)
    expect([...neighbours.scores]).toEqual([...neighbours.scores].sort((a, b) => b - a))
    const best = answer.pinIds[neighbours.candidates[0] ?? -1]
    expect(['a', 'b', 'c']).toContain(best)
  })

  test('is ordered by merged score and holds no pin twice', () => {
    const { pinIds, scores } = withTaste().retrieve(aQuery({ recent: recentClicks(['a']) }))
    expect([...scores]).toEqual([...scores].sort((a, b) => b - a))
    expect(new Set(pinIds).size).toBe(pinIds.length)
  })

  test('comes from the named sources only', () => {
    const { sources } = withTaste().retrieve(
      aQuery({ recent: recentClicks(['a']), sources: ['popularity', 'no-such'] }),
    )
    expect(sources.map(({ name }) => name)).toEqual(['popularity'])
  })

  test('does not shrink when pins are excluded: the search continues past them', () => {
    const retrieval = perEvent()
    for (let user = 0; user < 5; user++)
      foldTrail(
        retrieval,
        `u${user}`,
        Array.from({ length: 40 }, (_, i) => `p${i}`),
      )
    const recent = recentClicks(['p0'])
    const all = retrieval.retrieve(aQuery({ recent, limit: 10 }))
    const rest = retrieval.retrieve(aQuery({ recent, limit: 10, exclude: all.pinIds }))
    expect(all.pinIds).toHaveLength(10)
    expect(rest.pinIds).toHaveLength(10)
    expect(rest.pinIds.filter((pinId) => all.pinIds.includes(pinId))).toEqual([])
  })

  test('leaves out blocked creators and topics', () => {
    const retrieval = withTaste()
    retrieval.foldPin({ kind: 'upsert', pin: aCataloguePin('c', { creatorId: creator }) })
    retrieval.foldPin({ kind: 'upsert', pin: aCataloguePin('d', { topics: [topic] }) })
    const query = aQuery({ recent: recentClicks(['a']), excludeCreators: [creator], excludeTopics: [topic] })
    const { pinIds } = retrieval.retrieve(query)
    expect(pinIds).not.toContain('c')
    expect(pinIds).not.toContain('d')
    expect(pinIds).toContain('e')
  })

  test('holds only pins of `among`, if given', () => {
    const { pinIds } = withTaste().retrieve(aQuery({ recent: recentClicks(['a']), among: pins('d', 'e', 'unknown') }))
    expect(new Set(pinIds)).toEqual(new Set(['d', 'e']))
  })

  test('for a pin leaves the pin itself out and takes its neighbours', () => {
    const { pinIds } = withTaste().retrieve(aQuery({ surface: 'related', pinId: pins('b')[0]! }))
    expect(pinIds).not.toContain('b')
    expect(pinIds).toContain('c')
  })

  test('for an unknown user holds popular pins', () => {
    const { pinIds } = withTaste().retrieve(aQuery())
    expect(pinIds).toHaveLength(5)
  })

  test('of empty views is empty', () => {
    expect(perEvent().retrieve(aQuery({ recent: recentClicks(['a']) })).pinIds).toEqual([])
  })
})

describe('a deleted pin', () => {
  test('is in no answer, and is found again by earlier engagements once it is created again', () => {
    const retrieval = withTaste()
    const query = aQuery({
      recent: recentClicks(['a', 'b']),
      sources: ['session-neighbours', 'co-occurrence', 'popularity'],
    })
    const before = retrieval.retrieve(query).pinIds
    retrieval.foldPin({ kind: 'delete', pinId: pins('c')[0]! })
    expect(retrieval.retrieve(query).pinIds).not.toContain('c')
    retrieval.foldPin({ kind: 'upsert', pin: aCataloguePin('c') })
    expect(retrieval.retrieve(query).pinIds).toEqual(before)
  })

  test('that was never known is not an error', () => {
    const retrieval = perEvent()
    retrieval.foldPin({ kind: 'delete', pinId: pins('never')[0]! })
    expect(retrieval.stats().pins).toBe(0)
  })
})

describe('refreshed at marks', () => {
  test('knowledge about all users waits for the mark, the user’s own actions do not', () => {
    const retrieval = withTaste(anOpenRetrieval({ seed: 1, refresh: 'mark' }))
    expect(retrieval.retrieve(aQuery({ recent: recentClicks(['a']) })).pinIds).toEqual([])
    expect(retrieval.stats().pending).toBe(50)
    retrieval.mark()
    expect(retrieval.stats().pending).toBe(0)
    foldTrail(retrieval, 'late', ['a', 'new'])
    const asked = retrieval.retrieve(aQuery({ recent: recentClicks(['d']) }))
    expect(asked.pinIds).toContain('e')
    expect(asked.pinIds).not.toContain('new')
  })

  test('after the mark, answers equal those of views refreshed per event', () => {
    const marked = withTaste(anOpenRetrieval({ seed: 1, refresh: 'mark' }))
    marked.mark()
    const query = aQuery({ recent: recentClicks(['b', 'c']) })
    expect(asData(marked, query)).toEqual(asData(withTaste(), query))
  })
})

test('a pin published a minute ago and liked by three users is immediately a candidate for users of the same taste', () => {
  const retrieval = perEvent()
  for (let i = 0; i < 300; i++) foldTrail(retrieval, `other${i}`, [`x${i % 7}`, `x${(i + 1) % 7}`, `x${(i + 2) % 7}`])
  withTaste(retrieval)
  const atMs = startMs + dayMs
  retrieval.foldPin({ kind: 'upsert', pin: aCataloguePin('news', { createdAtMs: atMs - 60_000 }) })
  for (const user of ['u1', 'u2', 'u3'])
    retrieval.foldEngagement(anEngagement({ userId: user, pinId: 'news', atMs: atMs - 1000 }))
  const { pinIds } = retrieval.retrieve(aQuery({ recent: recentClicks(['d', 'e'], atMs), atMs, limit: 20 }))
  expect(pinIds).toContain('news')
})

describe('refuses', () => {
  test('malformed embeddings, each by name, and folds the good ones', () => {
    const retrieval = perEvent()
    const [a, b, c, d] = pins('a', 'b', 'c', 'd')
    const problems = retrieval.foldEmbeddings([
      { pinId: a!, vector: Float32Array.of(1, 0) },
      { pinId: b!, vector: Float32Array.of(1, 0, 0) },
      { pinId: c!, vector: Float32Array.of(NaN, 0) },
      { pinId: d!, vector: Float32Array.of(0, 0) },
      { pinId: b!, vector: Float32Array.of(0.9, 0.1) },
    ])
    expect(problems.map(({ code }) => code)).toEqual(['EMBEDDING_NOT_FINITE', 'EMBEDDING_ZERO_NORM'])
    expect(retrieval.retrieve(aQuery({ recent: recentClicks(['a']), sources: ['pin2vec'] })).pinIds).toContain('b')
  })

  test('a snapshot cut in half, leaving the views as they were', () => {
    const retrieval = withTaste()
    const bytes = retrieval.snapshot(new Uint8Array(0))
    const query = aQuery({ recent: recentClicks(['a']) })
    const before = asData(retrieval, query)
    expect(() => retrieval.restore(bytes.slice(0, bytes.length / 2))).toThrow(SnapshotError)
    expect(asData(retrieval, query)).toEqual(before)
  })

  test('a snapshot of other parameters', () => {
    const bytes = anOpenRetrieval({ config: { maxPins: 9 }, seed: 1, refresh: 'event' }).snapshot(new Uint8Array(0))
    expect(() => perEvent().restore(bytes)).toThrow(expect.objectContaining({ code: 'SNAPSHOT_OTHER_CONFIG' }))
  })

  test('pins beyond the cap, counted', () => {
    const retrieval = createRetrieval({ config: { maxPins: 2 }, seed: 1, refresh: 'event' })
    expect(retrieval.full()).toBeNull()
    for (const pinId of ['a', 'b', 'c']) retrieval.foldPin({ kind: 'upsert', pin: aCataloguePin(pinId) })
    foldTrail(retrieval, 'u', ['a', 'b', 'c', 'd'])
    expect(retrieval.stats()).toMatchObject({ pins: 2, unlistedPins: 0 })
    expect(retrieval.full()).toMatch(/no room beside 2 \(maxPins is 2\)/)
    expect(retrieval.retrieve(aQuery()).pinIds).toHaveLength(2)
  })
})

test('a user with 10⁵ actions and a board with 10⁴ pins can be folded and queried', () => {
  const retrieval = perEvent()
  for (let i = 0; i < 100_000; i++) {
    retrieval.foldEngagement(
      anEngagement({
        userId: 'busy',
        pinId: `p${i % 10_000}`,
        action: 'save',
        boardId: 'wide',
        atMs: startMs + i * 1000,
      }),
    )
  }
  const { pinIds } = retrieval.retrieve(aQuery({ recent: recentClicks(['p1', 'p9999']), atMs: startMs + 2 * dayMs }))
  expect(pinIds.length).toBeGreaterThan(20)
}, 60_000)

describe('deadlines', () => {
  test('a source whose turn comes too late is skipped and named', () => {
    let nowMs = 0
    const clock = { now: () => (nowMs += 10) }
    const retrieval = withTaste(anOpenRetrieval({ seed: 1, refresh: 'event', clock }))
    const answer = retrieval.retrieve(aQuery({ recent: recentClicks(['a']), deadlineMs: 20 }))
    expect(answer.sources.map(({ name }) => name)).toEqual(retrieval.sourceNames.slice(0, 2))
    expect(answer.skipped).toEqual(retrieval.sourceNames.slice(2))
    expect(answer.pinIds.length).toBeGreaterThan(0)
  })

  test('each source has its own', () => {
    let nowMs = 0
    const config = { sources: { popularity: { deadlineMs: 1000 }, revisit: { deadlineMs: 1000 } } }
    const retrieval = withTaste(
      anOpenRetrieval({ seed: 1, refresh: 'event', config, clock: { now: () => (nowMs += 60) } }),
    )
    expect(retrieval.retrieve(aQuery({ recent: recentClicks(['a']) })).sources.map(({ name }) => name)).toEqual([
      'popularity',
      'revisit',
    ])
  })
})

describe('the sources', () => {
  test('are those whose ranks and scores features read', () => {
    expect(sourceDefinitions.map(({ name }) => name)).toEqual(sourceNames)
  })
})

describe('a source that is running when the time is up', () => {
  const config = (name: string) => ({
    sources: {
      ...Object.fromEntries(sourceDefinitions.map((definition) => [definition.name, { enabled: false }])),
      [name]: { enabled: true, deadlineMs: 1000 },
    },
  })
  // The clock moves when it is looked at, so that a deadline of n milliseconds is n looks.
  function broad(name: string): Retrieval {
    let nowMs = 0
    const retrieval = anOpenRetrieval({
      seed: 1,
      refresh: 'event',
      config: config(name),
      clock: { now: () => nowMs++ },
    })
    for (let user = 0; user < 150; user++) {
      const trail = Array.from({ length: 60 }, (_, i) => `p${(user * 7 + i * 11) % 97}`)
      foldTrail(retrieval, `u${user}`, ['a', 'b', ...trail])
      for (const [i, pinId] of ['a', 'b', ...trail].entries())
        retrieval.foldEngagement(
          anEngagement({ userId: `u${user}`, pinId, action: 'save', boardId: `b${user}`, atMs: startMs + i }),
        )
    }
    return retrieval
  }
  const question = aQuery({
    recent: ['a', 'b'].map((pinId, i) => ({
      pinId: pins(pinId)[0]!,
      action: 'save' as const,
      occurredAtMs: later - 1000 + i,
      sessionId: null,
      boardId: asId<BoardId>(`mine${i}`),
    })),
    atMs: later,
  })

  test.each([
    'session-neighbours',
    'co-occurrence',
    'board-co-occurrence',
    'pixie-walk',
    'long-term-walk',
    'saved-boards',
  ])('%s breaks off with what it has, and is named', (name) => {
    const retrieval = broad(name)
    const whole = retrieval.retrieve({ ...question, deadlineMs: 900 })
    const cut = retrieval.retrieve({ ...question, deadlineMs: 1 })
    expect(whole.interrupted).toEqual([])
    expect(cut.interrupted).toEqual([name])
    expect(cut.skipped).toEqual([])
    expect(cut.pinIds.length).toBeGreaterThan(0)
    expect(cut).not.toEqual({ ...whole, interrupted: [name] })
    expect(retrieval.retrieve({ ...question, deadlineMs: 900 })).toEqual(whole)
  })
})

test('statistics name the bytes of every view', () => {
  const { bytes, maxBytes, bytesPer, unlistedPins: known, sessions, sessionActions } = withTaste().stats()
  for (const [view, most] of Object.entries(maxBytes)) expect(bytes[view]).toBeLessThan(most)
  expect(Math.min(bytesPer.pin, bytesPer.session, bytesPer.sessionAction)).toBeGreaterThan(0)
  expect(Object.keys(bytes)).toEqual(expect.arrayContaining(['catalogue', 'sessions', 'trails', 'popularity']))
  expect({ known, sessions, sessionActions }).toEqual({ known: 5, sessions: 10, sessionActions: 50 })
})

test('sources that read trails and sessions forget an erased user', () => {
  const retrieval = withTaste()
  foldTrail(retrieval, 'ada', ['a', 'b', 'c', 'x'])
  const asked = (user: string) => {
    const recent = recentClicks(['a', 'b', 'c', 'x'])
    // Walks are seeded by the user; neighbours are not.
    const sources = ['session-neighbours']
    return asData(retrieval, aQuery({ userId: asId<UserId>(user), recent, sources, atMs: later }))
  }
  const before = retrieval.stats()
  expect(asked('ada')).not.toEqual(asked('stranger'))
  retrieval.foldErasure(asId<UserId>('ada'))
  expect(asked('ada')).toEqual(asked('stranger'))
  expect(retrieval.stats().sessions).toBe(before.sessions - 1)
  expect(retrieval.stats().sessionActions).toBe(before.sessionActions - 4)
  expect(retrieval.stats().counts['graph']?.['boards']).toBe((before.counts['graph']?.['boards'] ?? 0) - 1)
  expect(retrieval.stats().counts['graph']?.['edges']).toBe((before.counts['graph']?.['edges'] ?? 0) - 4)
})
