import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mix32 } from '@freshet/domain/hash'
import { asId, type CreatorId, type PinId, type TopicId } from '@freshet/domain/ids'
import type { Pin } from '@freshet/domain/pin'
import { aCataloguePin } from '@freshet/domain/testing'

import { SnapshotError } from '@freshet/columns/errors'
import { createPin2Vec, type Pin2Vec, type Pin2VecOptions } from './pin2vec.ts'

const dayMs = 86_400_000

const aModel = (options: Partial<Pin2VecOptions> = {}): Pin2Vec =>
  createPin2Vec({
    dimensions: 16,
    maxPins: 500,
    maxSessions: 200,
    maxRecent: 1_000,
    maxReplay: 1_000,
    admitAfter: 1,
    publishAfterMove: 0,
    ...options,
  })

const pinId = (name: string): PinId => asId<PinId>(name)

const act = (model: Pin2Vec, session: string, pin: string, atMs = 0): void =>
  model.fold({ userId: 'u', sessionId: session, pinId: pinId(pin), atMs })

/** Sessions of three pins, each of pins of one of two tastes, `a0…a9` and `b0…b9`. */
function tasteful(model: Pin2Vec, sessions: number, from = 0): void {
  for (let s = from; s < from + sessions; s++) {
    const taste = s % 2 === 0 ? 'a' : 'b'
    for (let i = 0; i < 3; i++) act(model, `s${s}`, `${taste}${mix32(s * 3 + i) % 10}`, s)
  }
}

function cosine(model: Pin2Vec, a: string, b: string): number {
  const first = model.embeddingOf(a)
  const second = model.embeddingOf(b)
  if (first === null || second === null) return NaN
  return first.reduce((sum, value, i) => sum + value * (second[i] ?? 0), 0)
}

describe('A26 · an erased user', () => {
  it('is forgotten: no later action is paired with theirs, also after a checkpoint, and others keep their sessions', () => {
    const model = aModel()
    const does = (of: Pin2Vec, userId: string, pin: string): number => {
      const before = of.pairs
      of.fold({ userId, sessionId: null, pinId: pinId(pin), atMs: 1_000 })
      return of.pairs - before
    }
    for (const user of ['ada', 'bob']) for (const pin of ['a', 'b', 'c']) does(model, user, pin)
    model.forgetUser('ada')
    const restored = aModel()
    restored.restore(model.checkpoint(new Uint8Array(0)))
    for (const each of [model, restored]) {
      expect(does(each, 'bob', 'd')).toBeGreaterThan(does(each, 'ada', 'd'))
      // The next action of a user who comes back is paired with the one before it.
      expect(does(each, 'ada', 'e')).toBeGreaterThan(0)
    }
  })

  it('with sessions that have ids loses all of them', () => {
    const model = aModel({ replays: 0 })
    for (const session of ['s1', 's2']) for (const pin of ['a', 'b']) act(model, session, pin)
    model.forgetUser('u')
    const before = model.pairs
    for (const session of ['s1', 's2']) act(model, session, 'c')
    expect(model.pairs).toBe(before)
  })
})

describe('Pin2Vec', () => {
  it('puts pins of the same sessions near each other and others apart', () => {
    const model = aModel()
    const tastes = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
    for (let s = 0; s < 1_600; s++) {
      for (let i = 0; i < 3; i++) act(model, `s${s}`, `${tastes[s % 8] ?? ''}${mix32(s * 3 + i) % 10}`, s)
    }
    const within = tastes.map((taste) => cosine(model, `${taste}0`, `${taste}1`))
    const across = tastes.map((taste, i) => cosine(model, `${taste}0`, `${tastes[(i + 1) % 8] ?? ''}1`))
    expect(Math.min(...within)).toBeGreaterThan(Math.max(...across) + 0.3)
  })

  it('follows what has changed: a pin that moves to other sessions moves to their pins', () => {
    const model = aModel()
    tasteful(model, 400)
    for (let s = 0; s < 150; s++) {
      act(model, `m${s}`, `b${s % 10}`, 1_000 + s)
      act(model, `m${s}`, 'a0', 1_000 + s)
    }
    expect(cosine(model, 'a0', 'b3')).toBeGreaterThan(cosine(model, 'a0', 'a3'))
  })

  it('gives unit vectors of the wanted width', () => {
    const model = aModel({ dimensions: 24 })
    tasteful(model, 20)
    const touched = model.takeTouched(1_000)
    expect(touched.length).toBeGreaterThan(5)
    for (const { vector } of touched) {
      expect(vector).toHaveLength(24)
      expect(Math.hypot(...(vector ?? []))).toBeCloseTo(1, 5)
    }
  })

  it('hands out only what has changed since, and everything once', () => {
    const model = aModel({ negatives: 0, replays: 0 })
    tasteful(model, 100)
    const first = model.takeTouched(1_000).map((row) => row.pinId)
    expect(new Set(first).size).toBe(first.length)
    expect(model.takeTouched(1_000)).toEqual([])
    act(model, 'new', 'a1')
    act(model, 'new', 'a2')
    const touched = model.takeTouched(1_000).map((row) => row.pinId)
    expect(touched.toSorted()).toEqual(['a1', 'a2'])
  })

  it('hands out the rest next time if there is a limit', () => {
    const model = aModel()
    tasteful(model, 100)
    const parts = [model.takeTouched(7), model.takeTouched(7), model.takeTouched(1_000)].map((rows) => rows.length)
    expect(parts).toEqual([7, 7, 6])
  })

  it('A6: hands out again what was put back, as it is by then, each row once', () => {
    const model = aModel({ expireAfterMs: dayMs, negatives: 0, replays: 0 })
    tasteful(model, 100)
    model.foldPin({ kind: 'delete', pinId: pinId('a1') })
    const taken = model.takeTouched(1_000)
    expect(taken).toContainEqual({ pinId: 'a1', vector: null })
    expect(model.takeTouched(1_000)).toEqual([])
    act(model, 'new', 'b1')
    act(model, 'new', 'b2')
    model.foldPin({ kind: 'delete', pinId: pinId('a2') })
    model.putBack(taken)
    const again = model.takeTouched(1_000)
    expect(again.map((row) => row.pinId).toSorted()).toEqual(taken.map((row) => row.pinId).toSorted())
    for (const row of again) expect(row.vector).toEqual(model.embeddingOf(row.pinId))
    expect(model.takeTouched(1_000)).toEqual([])
  })

  it('gives a pin an embedding only after enough engagements', () => {
    const model = aModel({ admitAfter: 3 })
    tasteful(model, 100)
    act(model, 'x', 'rare')
    act(model, 'y', 'rare')
    expect(model.embeddingOf('rare')).toBeNull()
    act(model, 'z', 'rare')
    expect(model.embeddingOf('rare')).not.toBeNull()
  })

  it('withdraws the embedding of a pin that nobody has touched for long', () => {
    const model = aModel({ expireAfterMs: dayMs })
    act(model, 's', 'old1', 0)
    act(model, 's', 'old2', 0)
    act(model, 't', 'other', 0)
    act(model, 't', 'old1', 0)
    model.takeTouched(100)
    act(model, 'v', 'new1', 2 * dayMs)
    const withdrawn = model.takeTouched(100).filter((row) => row.vector === null)
    expect(withdrawn.map((row) => row.pinId).toSorted()).toEqual(['old1', 'old2', 'other'])
    expect(model.embeddingOf('old1')).toBeNull()
    expect(model.pins).toBe(1)
  })

  it('withdraws the embedding of a deleted pin, and starts from scratch when it is created again', () => {
    const model = aModel()
    tasteful(model, 50)
    model.takeTouched(1_000)
    model.foldPin({ kind: 'delete', pinId: pinId('a1') })
    expect(model.embeddingOf('a1')).toBeNull()
    expect(model.takeTouched(1_000)).toContainEqual({ pinId: 'a1', vector: null })
    act(model, 'again', 'a1', 99)
    expect(model.embeddingOf('a1')).not.toBeNull()
  })

  it('places a new pin by topic, creator and words before anyone has touched it', () => {
    const model = aModel()
    for (let i = 0; i < 10; i++) {
      const creatorOf = (taste: string): CreatorId => asId<CreatorId>(`creator-${taste}`)
      model.foldPin({
        kind: 'upsert',
        pin: aCataloguePin(`a${i}`, {
          topics: [asId<TopicId>('baking')],
          title: 'Sourdough bread',
          creatorId: creatorOf('a'),
        }),
      })
      model.foldPin({
        kind: 'upsert',
        pin: aCataloguePin(`b${i}`, {
          topics: [asId<TopicId>('cycling')],
          title: 'Gravel bike',
          creatorId: creatorOf('b'),
        }),
      })
    }
    for (let round = 0; round < 10; round++) {
      tasteful(model, 60, round * 60)
      model.takeTouched(1_000)
    }
    const news: readonly Pin[] = [
      aCataloguePin('by-topic', { topics: [asId<TopicId>('baking')] }),
      aCataloguePin('by-words', { description: 'how to bake BREAD from sourdough' }),
      aCataloguePin('by-creator', { creatorId: asId<CreatorId>('creator-a') }),
    ]
    for (const pin of news) {
      model.foldPin({ kind: 'upsert', pin })
      expect(cosine(model, pin.pinId, 'a3')).toBeGreaterThan(cosine(model, pin.pinId, 'b3') + 0.3)
    }
    const handedOut = model.takeTouched(1_000).map((row) => row.pinId)
    expect(handedOut).toEqual(expect.arrayContaining(news.map((pin) => pin.pinId)))
  })

  it('places pins of a catalogue that came before anything was learned, once it has been', () => {
    const model = aModel()
    model.foldPin({ kind: 'upsert', pin: aCataloguePin('early', { topics: [asId<TopicId>('baking')] }) })
    model.foldPin({ kind: 'upsert', pin: aCataloguePin('a1', { topics: [asId<TopicId>('baking')] }) })
    expect(model.embeddingOf('early')).toBeNull()
    tasteful(model, 100)
    expect(model.takeTouched(1_000).map((row) => row.pinId)).toContain('early')
  })

  it('hands out a bounded number of untouched pins for an engagement, however large the catalogue that is described', () => {
    const model = aModel()
    const topics = [asId<TopicId>('baking')]
    for (let i = 0; i < 300; i++) model.foldPin({ kind: 'upsert', pin: aCataloguePin(`untouched${i}`, { topics }) })
    for (let i = 0; i < 10; i++) model.foldPin({ kind: 'upsert', pin: aCataloguePin(`a${i}`, { topics }) })
    expect(model.takeTouched(1_000)).toEqual([])
    const placed = new Set<string>()
    for (let i = 0; i < 200; i++) {
      act(model, `s${i >> 2}`, `a${mix32(i) % 10}`, i)
      const untouched = model.takeTouched(1_000).filter(({ pinId }) => pinId.startsWith('untouched'))
      expect(untouched.length).toBeLessThanOrEqual(4)
      for (const { pinId } of untouched) placed.add(pinId)
    }
    expect(placed.size).toBe(300)
  })

  it('law: what is learned does not depend on how often rows are handed out', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { minLength: 20, maxLength: 60 }), fc.nat(7), (pins, every) => {
        const often = aModel()
        const never = aModel()
        for (const model of [often, never]) {
          for (let i = 0; i < 10; i++) {
            const topics = [asId<TopicId>(i % 2 === 0 ? 'even' : 'odd')]
            model.foldPin({ kind: 'upsert', pin: aCataloguePin(`p${i}`, { topics }) })
          }
          pins.forEach((pin, i) => {
            act(model, `s${i >> 2}`, `p${pin}`, i)
            if (model === often && i % (every + 1) === 0) model.takeTouched(5)
          })
        }
        for (let i = 0; i <= 20; i++) expect(often.embeddingOf(`p${i}`)).toEqual(never.embeddingOf(`p${i}`))
      }),
    )
  })

  it('does not place a pin whose description has no known features', () => {
    const model = aModel()
    tasteful(model, 50)
    model.foldPin({ kind: 'upsert', pin: aCataloguePin('silent') })
    model.foldPin({ kind: 'upsert', pin: aCataloguePin('strange', { title: 'unheard-of' }) })
    expect(model.embeddingOf('silent')).toBeNull()
    expect(model.embeddingOf('strange')).toBeNull()
  })

  it('ends a session after a pause if events have no session id', () => {
    const together = aModel({ negatives: 0, replays: 0 })
    const apart = aModel({ negatives: 0, replays: 0 })
    for (const [model, pauseMs] of [
      [together, 1_000],
      [apart, 31 * 60_000],
    ] as const) {
      model.fold({ userId: 'u', sessionId: null, pinId: pinId('x'), atMs: 0 })
      model.fold({ userId: 'u', sessionId: null, pinId: pinId('y'), atMs: pauseMs })
    }
    expect(together.pairs).toBe(2)
    expect(apart.pairs).toBe(0)
  })

  it('never exceeds its cap of pins, and keeps learning new ones', () => {
    const model = aModel({ maxPins: 40, publishAfterMove: 0.5 })
    for (let i = 0; i < 5_000; i++) act(model, `s${i >> 2}`, `p${i >> 3}`, i * 1_000)
    expect(model.pins).toBeLessThanOrEqual(40)
    expect(model.embeddingOf(`p${4_999 >> 3}`)).not.toBeNull()
    model.foldPin({ kind: 'upsert', pin: aCataloguePin('too-many', { title: 'word' }) })
    expect(model.pins).toBeLessThanOrEqual(40)
  })

  it('law: the same stream and seed give the same model, another seed another one', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(5), fc.nat(12)), { minLength: 12, maxLength: 80 }),
        fc.nat(),
        (some, seed) => {
          const [first, second, other] = [aModel({ seed }), aModel({ seed }), aModel({ seed: seed + 1 })]
          for (const model of [first, second, other]) {
            for (const [session, pin] of some) act(model, `s${session}`, `p${pin}`)
          }
          const none = new Uint8Array(0)
          expect(Buffer.from(second.checkpoint(none)).equals(Buffer.from(first.checkpoint(none)))).toBe(true)
          expect(other.embeddingOf(`p${some[0]?.[1] ?? 0}`)).not.toEqual(first.embeddingOf(`p${some[0]?.[1] ?? 0}`))
        },
      ),
      { numRuns: 20 },
    )
  })

  it('law: a model restored from a checkpoint continues bit-equal', () => {
    fc.assert(
      fc.property(fc.nat(120), fc.nat(120), (before, after) => {
        const options = { maxPins: 18, maxSessions: 20, publishAfterMove: 0.5, expireAfterMs: 50 }
        const model = aModel(options)
        model.foldPin({ kind: 'upsert', pin: aCataloguePin('a1', { title: 'some words' }) })
        tasteful(model, before)
        model.takeTouched(3)
        const restored = aModel(options)
        tasteful(restored, 7)
        const positions = restored.restore(model.checkpoint(Uint8Array.of(1, 2, 3)))
        expect([...positions]).toEqual([1, 2, 3])
        tasteful(model, after, before)
        tasteful(restored, after, before)
        expect(restored.takeTouched(1_000)).toEqual(model.takeTouched(1_000))
        const none = new Uint8Array(0)
        expect(Buffer.from(restored.checkpoint(none)).equals(Buffer.from(model.checkpoint(none)))).toBe(true)
      }),
      { numRuns: 15 },
    )
  })

  it('refuses a checkpoint that is cut, changed or of other options', () => {
    const model = aModel()
    tasteful(model, 10)
    const bytes = model.checkpoint(new Uint8Array(8))
    const changed = bytes.slice()
    changed[bytes.length >> 1] = (changed[bytes.length >> 1] ?? 0) ^ 1
    const problem = (target: Pin2Vec, given: Uint8Array): string => {
      try {
        target.restore(given)
        return 'none'
      } catch (error) {
        return error instanceof SnapshotError ? error.code : String(error)
      }
    }
    expect(problem(aModel(), bytes.subarray(0, bytes.length >> 1))).toBe('SNAPSHOT_TRUNCATED')
    expect(problem(aModel(), changed)).toBe('SNAPSHOT_CORRUPT')
    expect(problem(aModel({ dimensions: 32 }), bytes)).toBe('SNAPSHOT_OTHER_CONFIG')
    expect(problem(aModel(), bytes)).toBe('none')
  })

  it('refuses widths and caps that can not be', () => {
    expect(() => aModel({ dimensions: 18 })).toThrow(RangeError)
    expect(() => aModel({ dimensions: 0 })).toThrow(RangeError)
    expect(() => aModel({ dimensions: 512, maxPins: 8_000_000 })).toThrow(/bytes/)
    expect(() => aModel({ maxPins: 2 ** 25 })).toThrow(/maxPins/)
  })
})

describe('A8: a save that was taken back', () => {
  const act = (pinId: string, n: number) => ({
    userId: 'u',
    sessionId: 's',
    pinId: asId<PinId>(pinId),
    atMs: n * 1_000,
  })

  it('is not paired with later pins, and its earlier pairs are not learned again', () => {
    const options = { dimensions: 16, maxPins: 100, admitAfter: 1, replays: 0, seed: 1 }
    const pairsAfter = (withdraws: boolean) => {
      const model = createPin2Vec(options)
      model.fold(act('a', 1))
      model.fold(act('z', 2))
      if (withdraws) model.withdraw(act('z', 3))
      const before = model.pairs
      model.fold(act('b', 4))
      return model.pairs - before
    }
    // With a and with z, each in both directions; or with a alone.
    expect([pairsAfter(false), pairsAfter(true)]).toEqual([4, 2])
  })

  it('is not replayed', () => {
    const options = { dimensions: 16, maxPins: 100, admitAfter: 1, replays: 4, seed: 1 }
    const model = createPin2Vec(options)
    model.fold(act('a', 1))
    model.fold(act('z', 2))
    model.withdraw(act('z', 3))
    const before = model.pairs
    model.fold({ ...act('c', 4), userId: 'another', sessionId: 't' })
    expect(model.pairs).toBe(before)
  })

  it('by an unknown user changes nothing', () => {
    const model = createPin2Vec({ dimensions: 16, maxPins: 100 })
    expect(() => model.withdraw(act('never-seen', 1))).not.toThrow()
  })
})
