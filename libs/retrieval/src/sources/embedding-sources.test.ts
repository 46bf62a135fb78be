import { anOpenRetrieval } from '../builders.fixture.ts'
import { describe, expect, it } from 'vitest'
import { asId, type PinId, type UserId } from '@freshet/domain/ids'
import type { Pin } from '@freshet/domain/pin'
import { aCataloguePin } from '@freshet/domain/testing'

import type { RetrieveQuery } from '../question.ts'
import type { Retrieval } from '../retrieval.ts'
import { sourceDefinitions } from '../source-definitions.ts'

const nowMs = 1_000 * 86_400_000

const aRetrieval = (name: string): Retrieval =>
  anOpenRetrieval({
    config: {
      sources: Object.fromEntries(sourceDefinitions.map((source) => [source.name, { enabled: source.name === name }])),
    },
    seed: 4,
    refresh: 'event',
  })

const aPin = (name: string, visualEmbedding: readonly number[] | null): Pin =>
  aCataloguePin(name, { visualEmbedding: visualEmbedding === null ? null : Float32Array.from(visualEmbedding) })

/** Feeds vectors to the source in the way that it receives them. */
const put = (retrieval: Retrieval, name: string, vectors: Readonly<Record<string, readonly number[]>>): void => {
  for (const [pin, vector] of Object.entries(vectors)) {
    if (name === 'visual-neighbours') retrieval.foldPin({ kind: 'upsert', pin: aPin(pin, vector) })
    else retrieval.foldEmbeddings([{ pinId: asId<PinId>(pin), vector: Float32Array.from(vector) }])
  }
}

const ask = (retrieval: Retrieval, pins: readonly string[], more: Partial<RetrieveQuery> = {}): readonly string[] =>
  retrieval.retrieve({
    surface: 'home',
    atMs: nowMs,
    userId: asId<UserId>('me'),
    recent: pins.map((pin, i) => ({
      pinId: asId<PinId>(pin),
      action: 'click' as const,
      occurredAtMs: nowMs - (pins.length - i) * 60_000,
      sessionId: null,
      boardId: null,
    })),
    limit: 50,
    ...more,
  }).pinIds

describe.each(['pin2vec', 'visual-neighbours'])('%s', (name) => {
  const corners = { q: [1, 0, 0], near: [0.9, 0.1, 0], far: [0.1, 0.9, 0], opposite: [-1, 0, 0] }

  it('finds the nearest first', () => {
    const retrieval = aRetrieval(name)
    put(retrieval, name, corners)
    expect(ask(retrieval, ['q'])).toEqual(['q', 'near', 'far'])
  })

  it('finds neighbours of a pin that nobody has touched, for related pins, and not the pin itself', () => {
    const retrieval = aRetrieval(name)
    put(retrieval, name, corners)
    const related = { surface: 'related' as const, pinId: asId<PinId>('q') }
    expect(ask(retrieval, [], related).slice(0, 2)).toEqual(['near', 'far'])
  })

  it('serves several interests: also the one that the last pins are not about', () => {
    const retrieval = aRetrieval(name)
    const fillers = Object.fromEntries(
      Array.from({ length: 60 }, (_, i) => [`filler${i}`, [0, Math.cos(i / 40), Math.sin(i / 40)]] as const),
    )
    put(retrieval, name, { a1: [1, 0, 0], a2: [0.99, 0.01, 0], a3: [0.98, 0, 0.02], b1: [0, 1, 0], ...fillers })
    put(retrieval, name, { 'like-a': [0.97, 0.02, 0.01], 'like-b': [0, 0.99, 0.01] })
    const latest = Array.from({ length: 5 }, (_, i) => `filler${i}`)
    const found = ask(retrieval, ['a1', 'a2', 'a3', ...latest], { limit: 30 })
    expect(found).toContain('like-a')
    expect(found).toContain('like-b')
  })

  it('leaves excluded and deleted pins out without making the answer shorter', () => {
    const retrieval = aRetrieval(name)
    const many = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`p${i}`, [1, i / 30, 0]] as const))
    put(retrieval, name, many)
    retrieval.foldPin({ kind: 'delete', pinId: asId<PinId>('p1') })
    const exclude = ['p0', 'p2', 'p3'].map((pin) => asId<PinId>(pin))
    const found = ask(retrieval, ['p0'], { exclude, limit: 10 })
    expect(found).toEqual(['p4', 'p5', 'p6', 'p7', 'p8', 'p9', 'p10', 'p11', 'p12', 'p13'])
  })

  it('finds nothing if the recent pins have no embedding', () => {
    const retrieval = aRetrieval(name)
    expect(ask(retrieval, ['q'])).toEqual([])
    put(retrieval, name, { near: [1, 0] })
    expect(ask(retrieval, ['q'])).toEqual([])
  })

  it('answers from a restored snapshot as before', () => {
    const retrieval = aRetrieval(name)
    put(retrieval, name, corners)
    const restored = aRetrieval(name)
    restored.restore(retrieval.snapshot(new Uint8Array(0)))
    expect(ask(restored, ['q'])).toEqual(['q', 'near', 'far'])
  })
})

describe('visual neighbours', () => {
  it('leaves malformed embeddings out and counts them by reason', () => {
    const retrieval = aRetrieval('visual-neighbours')
    put(retrieval, 'visual-neighbours', { q: [1, 0], good: [1, 0.1], wide: [1, 0, 0], nan: [NaN, 1], zero: [0, 0] })
    expect(ask(retrieval, ['q'])).toEqual(['q', 'good'])
    expect(retrieval.stats().counts['visual-neighbours']).toEqual({
      vectors: 2,
      width: 2,
      otherWidths: 1,
      EMBEDDING_WRONG_WIDTH: 0,
      EMBEDDING_NOT_FINITE: 1,
      EMBEDDING_ZERO_NORM: 1,
    })
  })

  it('A11: one vector of a wrong width, which came first, changes nothing; nor after a restart', () => {
    const retrieval = aRetrieval('visual-neighbours')
    put(retrieval, 'visual-neighbours', { odd: [1, 0] })
    const looks = (n: number) => [1, ...Array.from({ length: 7 }, (_, i) => (i === n % 7 ? 0.1 : 0))]
    put(retrieval, 'visual-neighbours', Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`p${n}`, looks(n)])))
    const restarted = aRetrieval('visual-neighbours')
    restarted.restore(retrieval.snapshot(new Uint8Array(0)))
    for (const each of [retrieval, restarted]) {
      const found = ask(each, ['p0'])
      expect(found).toHaveLength(30)
      expect(found).not.toContain('odd')
      expect(each.stats().counts['visual-neighbours']).toMatchObject({ vectors: 30, width: 8, otherWidths: 1 })
    }
  })

  it('takes an embedding away with the change that has none', () => {
    const retrieval = aRetrieval('visual-neighbours')
    put(retrieval, 'visual-neighbours', { q: [1, 0], x: [1, 0.1] })
    retrieval.foldPin({ kind: 'upsert', pin: aPin('x', null) })
    expect(ask(retrieval, ['q'])).toEqual(['q'])
  })
})

describe('pin2vec', () => {
  it('takes an embedding away when it is withdrawn', () => {
    const retrieval = aRetrieval('pin2vec')
    put(retrieval, 'pin2vec', { q: [1, 0], x: [1, 0.1] })
    retrieval.foldEmbeddings([{ pinId: asId<PinId>('x'), vector: null }])
    expect(ask(retrieval, ['q'])).toEqual(['q'])
  })
})

it.each([0, 1, 20, 25, 26, 27, 60, 95, 120])(
  'finds the nearest accepted pins when the %i nearest are refused',
  (refused) => {
    const retrieval = anOpenRetrieval({
      config: {
        sources: Object.fromEntries(
          sourceDefinitions.map(({ name }) => [name, { enabled: name === 'pin2vec', maxCandidates: 20 }]),
        ),
      },
    })
    const angle = (n: number): number => ((n + 1) * Math.PI) / 200
    const names = Array.from({ length: 120 }, (_, n) => `p${n}`)
    const vectors = Object.fromEntries(names.map((name, n) => [name, [Math.cos(angle(n)), Math.sin(angle(n))]]))
    put(retrieval, 'pin2vec', { q: [1, 0], ...vectors })
    const exclude = ['q', ...names.slice(0, refused)].map((name) => asId<PinId>(name))
    const expected = names.slice(refused, refused + 20)
    expect(ask(retrieval, ['q'], { exclude })).toEqual(expected)
    expect(ask(retrieval, ['q'], { exclude, among: names.map((name) => asId<PinId>(name)) })).toEqual(expected)
  },
)

it('breaks off with the nearest that it has seen, although most of them are refused', () => {
  let looks = 0
  const retrieval = anOpenRetrieval({
    config: {
      maxUnlistedPins: 20_001,
      sources: Object.fromEntries(
        sourceDefinitions.map(({ name }) => [
          name,
          { enabled: name === 'pin2vec', maxCandidates: 20, deadlineMs: 1_000 },
        ]),
      ),
    },
    clock: { now: () => looks++ },
  })
  const angle = (n: number): number => (((n * 7_919) % 20_000) * Math.PI) / 20_000
  const vectors = Array.from({ length: 20_000 }, (_, n) => [`p${n}`, [Math.cos(angle(n)), Math.sin(angle(n))]] as const)
  put(retrieval, 'pin2vec', { q: [1, 0], ...Object.fromEntries(vectors) })
  // More of the nearest are over than the search spares, and the request does not name them.
  for (const [name] of vectors) {
    if (angle(Number(name.slice(1))) < 0.002)
      retrieval.foldPin({ kind: 'upsert', pin: aCataloguePin(name, { expiresAtMs: nowMs - 1 }) })
  }
  const angleOf = (name: string): number => (name === 'q' ? 0 : angle(Number(name.slice(1))))
  let before = Infinity
  for (let deadlineMs = 1; deadlineMs < 60; deadlineMs++) {
    const found = ask(retrieval, ['q'], { deadlineMs, exclude: [asId<PinId>('q')] })
    const nearest = found.length === 0 ? Infinity : angleOf(found[0]!)
    expect(nearest, `${deadlineMs} looks`).toBeLessThanOrEqual(before)
    before = nearest
  }
  expect(before).toBeLessThan(0.003)
})
