import { aCataloguePin } from '@freshet/domain/testing'
import { asId, type CreatorId, type PinId, type TopicId, type UserId } from '@freshet/domain/ids'
import { hash32 } from '@freshet/domain/hash'
import { pinKeysOf } from '@freshet/domain/pin-keys'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'

import { aQuery, foldTrail, recentClicks, startMs } from '../builders.fixture.ts'
import type { RetrieveQuery, ShownPins } from '../question.ts'
import { createRetrieval, type Retrieval } from '../retrieval.ts'
import { maxSwept } from './sweep.ts'

const nothingShown: ShownPins = {
  seen: new Uint32Array(0),
  seenAtSeconds: new Uint32Array(0),
  seenBefore: [],
  served: new Uint32Array(0),
  servedAtSeconds: new Uint32Array(0),
}

function served(pinIds: readonly string[], atSeconds = (n: number) => 1_000_000 + n): ShownPins {
  const { low } = pinKeysOf(pinIds)
  return { ...nothingShown, served: low, servedAtSeconds: Uint32Array.from(pinIds, (_, n) => atSeconds(n)) }
}

function withPins(count: number, config: Parameters<typeof createRetrieval>[0]['config'] = {}): Retrieval {
  const retrieval = createRetrieval({ config, seed: 1, refresh: 'event' })
  for (let n = 0; n < count; n++) retrieval.foldPin({ kind: 'upsert', pin: aCataloguePin(`p${n}`) })
  return retrieval
}

/** Repeats the request, with all earlier answers as served pins, until the sweep reports that nothing is left. */
function everything(retrieval: Retrieval, rest: Partial<RetrieveQuery> = {}, take = 25): string[] {
  const shown: string[] = []
  let sweptTo = 0
  for (let asked = 0; asked < 10_000; asked++) {
    const answer = retrieval.retrieve(aQuery({ limit: 200, ...rest, shown: served(shown), fillTo: 50, sweptTo }))
    const fresh = answer.pinIds.slice(0, answer.pinIds.length - answer.shownBefore)
    sweptTo = answer.sweptTo
    // Not the first ones: a ranker reorders them.
    shown.push(...fresh.slice(-take))
    if (fresh.length === 0 && answer.exhausted) return shown
  }
  throw new Error('there is no end')
}

describe('A7: a sweep', () => {
  it('does not run if the sources find enough or the request does not want it', () => {
    const retrieval = withPins(900)
    expect(retrieval.retrieve(aQuery({ limit: 500 })).pinIds).toHaveLength(300)
    const enough = retrieval.retrieve(aQuery({ limit: 500, fillTo: 300 }))
    expect(enough.sources.map(({ name }) => name)).not.toContain('catalogue-sweep')
    const more = retrieval.retrieve(aQuery({ limit: 500, fillTo: 500 }))
    expect(more.pinIds).toHaveLength(500)
    expect(new Set(more.pinIds).size).toBe(500)
    expect(more.sources.find(({ name }) => name === 'catalogue-sweep')!.candidates).toHaveLength(200)
  })

  it('appends to what the sources found, and keeps their order and scores', () => {
    const retrieval = withPins(900)
    for (let n = 0; n < 10; n++) foldTrail(retrieval, `u${n}`, ['p1', 'p2', 'p3', 'p4'])
    const query = aQuery({ limit: 2_000, recent: recentClicks(['p1']) })
    const plain = retrieval.retrieve(query)
    const filled = retrieval.retrieve({ ...query, fillTo: 800 })
    expect(filled.pinIds.slice(0, plain.pinIds.length)).toEqual(plain.pinIds)
    expect([...filled.scores.subarray(0, plain.scores.length)]).toEqual([...plain.scores])
    expect([...filled.scores]).toEqual([...filled.scores].sort((a, b) => b - a))
  })

  test('law: repeated requests return every eligible pin once, and no hidden, blocked or deleted pin or pin of another locale', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            creator: fc.constantFrom('ann', 'bob', null),
            locale: fc.constantFrom('de-AT', 'en-US', null),
            fate: fc.constantFrom('stays', 'stays', 'stays', 'hidden', 'deleted'),
          }),
          { minLength: 1, maxLength: 700, size: 'max' },
        ),
        fc.integer({ min: 1, max: 50 }),
        (catalogue, take) => {
          const retrieval = withPins(0)
          const eligible: string[] = []
          const exclude: PinId[] = []
          catalogue.forEach(({ creator, locale, fate }, n) => {
            const pinId = asId<PinId>(`p${n}`)
            const creatorId = creator === null ? null : asId<CreatorId>(creator)
            retrieval.foldPin({ kind: 'upsert', pin: aCataloguePin(pinId, { creatorId, locale }) })
            if (fate === 'hidden') exclude.push(pinId)
            if (fate === 'deleted') retrieval.foldPin({ kind: 'delete', pinId })
            if (fate === 'stays' && creator !== 'bob' && locale !== 'en-US') eligible.push(pinId)
          })
          // One pin of each locale, so that both are known.
          retrieval.foldPin({ kind: 'upsert', pin: aCataloguePin('at', { locale: 'de-AT' }) })
          const excludeCreators = [asId<CreatorId>('bob')]
          const all = everything(retrieval, { exclude, excludeCreators, locale: 'de-AT' }, take)
          expect(all.length).toBe(new Set(all).size)
          expect([...all].sort()).toEqual([...eligible, 'at'].sort())
        },
      ),
      { seed: 11, numRuns: 25 },
    )
  })

  it('reaches the last unseen pin of a catalogue of 200,000 with a bounded look at each request', () => {
    const maxSweepSteps = 1_000
    const off = createRetrieval({ seed: 1, refresh: 'event' }).sourceNames
    const sources = Object.fromEntries(off.map((name) => [name, { enabled: name === 'revisit' }]))
    const retrieval = withPins(0, { maxSweepSteps, sources })
    const bob = asId<CreatorId>('bob')
    for (let n = 0; n < 200_000; n++)
      retrieval.foldPin({ kind: 'upsert', pin: aCataloguePin(`p${n}`, { creatorId: n % 50_000 === 77 ? null : bob }) })
    const shown: string[] = []
    let sweptTo = 0
    let requests = 0
    for (let exhausted = false; shown.length < 4 && !exhausted; requests++) {
      const query = { limit: 200, shown: served(shown), fillTo: 50, sweptTo, excludeCreators: [bob] }
      const answer = retrieval.retrieve(aQuery(query))
      shown.push(...answer.pinIds.slice(0, answer.pinIds.length - answer.shownBefore))
      sweptTo = answer.sweptTo
      exhausted = answer.exhausted
    }
    expect(shown.sort()).toEqual(['p100077', 'p150077', 'p50077', 'p77'].sort())
    expect(requests).toBeLessThanOrEqual(220)
  }, 60_000)

  it('returns the pins shown longest ago if nothing else is left: generations first, then by time', () => {
    const retrieval = withPins(6)
    const names = Array.from({ length: 6 }, (_, n) => `p${n}`)
    const fingerprint = (name: string) => hash32(name) % 2 ** 20
    const [p0 = '', p1 = '', p2 = '', p3 = '', p4 = '', p5 = ''] = names
    const atSeconds = startMs / 1000
    const shown: ShownPins = {
      seen: Uint32Array.of(hash32(p5), hash32(p2)),
      seenAtSeconds: Uint32Array.of(atSeconds - 500, atSeconds - 5_000_000),
      seenBefore: [Uint32Array.of(fingerprint(p4)), Uint32Array.of(fingerprint(p1), fingerprint(p5))],
      served: pinKeysOf([p0, p3, p0]).low,
      servedAtSeconds: Uint32Array.of(atSeconds - 900, atSeconds - 400, atSeconds - 300),
    }
    const answer = retrieval.retrieve(aQuery({ atMs: startMs, shown, fillTo: 5 }))
    expect(answer).toMatchObject({ exhausted: true, shownBefore: 5, pinIds: [p4, p1, p2, p5, p3] })
    expect(answer.sources.at(-1)).toMatchObject({ name: 'seen-again' })
  })

  it('skips creators and topics that are blocked by hash', () => {
    const retrieval = withPins(0)
    const pin = (n: number) => {
      const creatorId = asId<CreatorId>(n < 500 ? 'ann' : 'bob')
      return aCataloguePin(`p${n}`, { creatorId, topics: [asId<TopicId>(n % 2 === 0 ? 'tax' : 'art')] })
    }
    for (let n = 0; n < 520; n++) retrieval.foldPin({ kind: 'upsert', pin: pin(n) })
    const excludeCreatorHashes = Uint32Array.of(hash32('ann'))
    expect(everything(retrieval, { excludeCreatorHashes })).toHaveLength(20)
    const both = { excludeCreatorHashes, excludeTopicHashes: Uint32Array.of(hash32('tax')) }
    expect(everything(retrieval, both)).toHaveLength(10)
  })

  it('has its own order for each user, the same on every instance that knows the same pins', () => {
    const one = withPins(2_000)
    const other = createRetrieval({ seed: 1, refresh: 'event' })
    for (let n = 1_999; n >= 0; n--) other.foldPin({ kind: 'upsert', pin: aCataloguePin(`p${n}`) })
    const sweepOf = (retrieval: Retrieval, userId: string) => {
      const found = retrieval.retrieve(aQuery({ userId: asId<UserId>(userId), limit: 600, fillTo: 600 }))
      const sweep = found.sources.find(({ name }) => name === 'catalogue-sweep')!
      return [...sweep.candidates].map((at) => found.pinIds[at])
    }
    const restored = createRetrieval({ seed: 1, refresh: 'event' })
    restored.restore(one.snapshot(new Uint8Array(0)))
    const order = sweepOf(one, 'ada')
    expect(sweepOf(restored, 'ada')).toEqual(order)
    expect(order).not.toEqual(sweepOf(one, 'bob'))
    const taken = new Set(sweepOf(other, 'ada'))
    expect(order.filter((pinId) => taken.has(pinId)).length).toBeGreaterThan(150)
  })

  it('finds no more than fits', () => {
    const retrieval = withPins(4_000)
    const answer = retrieval.retrieve(aQuery({ limit: 2_000, fillTo: 2_000 }))
    expect(answer.pinIds).toHaveLength(Math.min(2_000, 300 + maxSwept))
  })
})
