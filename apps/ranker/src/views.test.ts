import { noHeaders } from '@freshet/contracts/headers'
import { describe, expect, it } from 'vitest'
import { encodePinChange } from '@freshet/contracts/codecs/pin'
import { encodePinFeatures } from '@freshet/contracts/codecs/pin-state'
import fc from 'fast-check'
import { hash32 } from '@freshet/domain/hash'
import { asId, type CreatorId, type PinId, type TopicId } from '@freshet/domain/ids'
import { Pin as PinMessage } from '@freshet/contracts/gen/freshet/catalogue/v1/catalogue'
import { PinFeatures } from '@freshet/contracts/gen/freshet/state/v1/state'
import { unrestrictedPin, type Pin } from '@freshet/domain/pin'
import { foldPin, newPinState } from '@freshet/domain/pin-state'
import { anEngagement, noonMs } from '@freshet/domain/testing'
import { createRankerViews, type RankerViews } from './views.ts'

/** Folds one record into the views. */
function fold(views: RankerViews, topic: 'pins.v1' | 'pin-features.v1', key: string, value: Uint8Array | null): void {
  const from = views.progress.position(topic, 0) ?? 0
  const records = [{ position: from, key, value, appendedAtMs: noonMs, headers: noHeaders }]
  views.fold({ topic, partition: 0, from, next: from + 1, end: from + 1, records })
}

/** The record of a pin with this many clicks. */
function clicked(pinId: string, clicks: number, foldedTo: number): Uint8Array {
  const state = foldPin(
    newPinState,
    Array.from({ length: clicks }, () => anEngagement()),
  )
  return encodePinFeatures(pinId, state, foldedTo).features
}

function aPin(pinId: string, of: { readonly topic?: string; readonly creator?: string } = {}): Uint8Array {
  const texts = { title: '', description: '', locale: null, imageUrl: null, ...unrestrictedPin }
  const pin: Pin = {
    ...texts,
    pinId: asId<PinId>(pinId),
    topics: of.topic === undefined ? [] : [asId<TopicId>(of.topic)],
    creatorId: of.creator === undefined ? null : asId<CreatorId>(of.creator),
    createdAtMs: null,
    visualEmbedding: Float32Array.of(1),
  }
  return encodePinChange({ kind: 'upsert', pin })
}

const clickRow = 2
const totalColumn = 3

/** The number of a pin's clicks in the views; null: they have no state of it. */
function clicksOf(views: RankerViews, pinId: string): number | null {
  const entry = views.entryOf(pinId)
  return (entry && views.readingOf(entry)?.count(clickRow, totalColumn, noonMs)) ?? null
}

describe('views of the ranker', () => {
  it('keep the newest catalogue record and the newest state of each pin', () => {
    const views = createRankerViews({ maxPins: 10, maxDecodedStates: 10 })
    fold(views, 'pin-features.v1', 'a', clicked('a', 3, 7))
    expect(views.entryOf('a')?.pin).toBeNull()
    expect(clicksOf(views, 'a')).toBe(3)
    fold(views, 'pins.v1', 'a', aPin('a'))
    expect(views.entryOf('a')?.pin).toMatchObject({ pinId: 'a', visualEmbedding: null })
    fold(views, 'pin-features.v1', 'a', clicked('a', 5, 9))
    expect(clicksOf(views, 'a')).toBe(5)
    // Sent again after a crash.
    fold(views, 'pin-features.v1', 'a', clicked('a', 4, 8))
    expect(clicksOf(views, 'a')).toBe(5)
    fold(views, 'pins.v1', 'a', null)
    expect(views.entryOf('a')?.pin).toBeNull()
    expect(clicksOf(views, 'a')).toBe(5)
    fold(views, 'pin-features.v1', 'a', null)
    expect(views.entryOf('a')).toBeUndefined()
    expect(views.stats()).toMatchObject({ pins: 0, states: 0, refused: 0 })
  })

  it('reject and count pins beyond the cap, and take them when there is room', () => {
    const views = createRankerViews({ maxPins: 2, maxDecodedStates: 10 })
    for (const pinId of ['a', 'b', 'c']) {
      fold(views, 'pins.v1', pinId, aPin(pinId))
      fold(views, 'pin-features.v1', pinId, clicked(pinId, 1, 1))
    }
    expect(views.stats()).toMatchObject({ pins: 2, states: 2, refused: 2 })
    expect(views.entryOf('c')).toBeUndefined()
    fold(views, 'pins.v1', 'a', null)
    fold(views, 'pins.v1', 'c', aPin('c'))
    expect(views.entryOf('c')?.pin?.pinId).toBe('c')
    expect(clicksOf(views, 'c')).toBeNull()
  })

  it('A12: drop states of pins outside the catalogue first, and always keep room for pins of the catalogue', () => {
    const views = createRankerViews({ maxPins: 3, maxDecodedStates: 10 })
    fold(views, 'pins.v1', 'listed', aPin('listed'))
    fold(views, 'pin-features.v1', 'listed', clicked('listed', 1, 1))
    for (let n = 0; n < 30; n++) fold(views, 'pin-features.v1', `u${n}`, clicked(`u${n}`, 1, 1))
    expect(views.stats()).toMatchObject({ pins: 1, states: 3, refused: 0, displaced: 28 })
    expect(['listed', 'u29', 'u28', 'u27'].map((pinId) => clicksOf(views, pinId))).toEqual([1, 1, 1, null])
    fold(views, 'pins.v1', 'u28', aPin('u28'))
    fold(views, 'pins.v1', 'late', aPin('late'))
    fold(views, 'pin-features.v1', 'late', clicked('late', 2, 1))
    expect(['listed', 'u28', 'late', 'u29'].map((pinId) => clicksOf(views, pinId))).toEqual([1, 1, 2, null])
    fold(views, 'pin-features.v1', 'x', clicked('x', 1, 1))
    expect(views.stats()).toMatchObject({ states: 3, refused: 1 })
    fold(views, 'pins.v1', 'u28', null)
    fold(views, 'pin-features.v1', 'y', clicked('y', 1, 1))
    expect(['u28', 'y'].map((pinId) => clicksOf(views, pinId))).toEqual([null, 1])
  })

  it('give the same answers whichever states are kept decoded', () => {
    const views = createRankerViews({ maxPins: 100, maxDecodedStates: 4 })
    for (let pin = 0; pin < 20; pin++) fold(views, 'pin-features.v1', `p${pin}`, clicked(`p${pin}`, pin + 1, 1))
    for (let asked = 0; asked < 200; asked++) {
      const pin = (asked * asked + asked * 7) % 20
      expect(clicksOf(views, `p${pin}`)).toBe(pin + 1)
    }
    fold(views, 'pin-features.v1', 'p3', clicked('p3', 50, 2))
    expect(clicksOf(views, 'p3')).toBe(50)
  })

  it('find a pin of the catalogue by the hash of its id', () => {
    const views = createRankerViews({ maxPins: 10, maxDecodedStates: 10 })
    fold(views, 'pin-features.v1', 'a', clicked('a', 1, 1))
    expect(views.pinOf(hash32('a'))).toBeUndefined()
    fold(views, 'pins.v1', 'a', aPin('a'))
    fold(views, 'pins.v1', 'a', aPin('a', { topic: 'tea' }))
    expect(views.pinOf(hash32('a'))).toMatchObject({ pinId: 'a', topics: ['tea'] })
    fold(views, 'pins.v1', 'a', null)
    expect(views.pinOf(hash32('a'))).toBeUndefined()
  })

  it('law: rates of topics and creators are those of the newest records, whatever came before', () => {
    const ids = ['a', 'b', 'c', 'd']
    const change = fc.oneof(
      fc.record({
        pinId: fc.constantFrom(...ids),
        topic: fc.constantFrom('tea', 'jam'),
        creator: fc.constantFrom('x', 'y'),
      }),
      fc.record({ pinId: fc.constantFrom(...ids), clicks: fc.nat(5) }),
      fc.record({
        pinId: fc.constantFrom(...ids),
        gone: fc.constantFrom('pins.v1' as const, 'pin-features.v1' as const),
      }),
    )
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
        const [changed, direct] = [1, 2].map(() => createRankerViews({ maxPins: 3, maxDecodedStates: 2 }))
        for (const [at, each] of changes.entries()) {
          if ('topic' in each) fold(changed!, 'pins.v1', each.pinId, aPin(each.pinId, each))
          else if ('clicks' in each) fold(changed!, 'pin-features.v1', each.pinId, clicked(each.pinId, each.clicks, at))
          else fold(changed!, each.gone, each.pinId, null)
        }
        for (const pinId of ids) {
          const { pin = null } = changed!.entryOf(pinId) ?? {}
          const clicks = clicksOf(changed!, pinId)
          if (pin !== null)
            fold(direct!, 'pins.v1', pinId, aPin(pinId, { topic: pin.topics[0]!, creator: pin.creatorId! }))
          if (pin !== null && clicks !== null) fold(direct!, 'pin-features.v1', pinId, clicked(pinId, clicks, 1))
        }
        const meta = (topic: string, creator: string) => ({
          topics: [asId<TopicId>(topic)],
          creatorId: asId<CreatorId>(creator),
        })
        const pins = { pinMetas: [meta('tea', 'x'), meta('jam', 'y')], pins: [null, null] }
        expect(changed!.overallRates().numbersOf(pins)).toEqual(direct!.overallRates().numbersOf(pins))
      }),
    )
  })

  it('skip records that were folded before, and count invalid records', () => {
    const views = createRankerViews({ maxPins: 100, maxDecodedStates: 4 })
    const records = [{ position: 0, key: 'a', value: clicked('a', 1, 1), appendedAtMs: noonMs, headers: noHeaders }]
    const batch = { topic: 'pin-features.v1', partition: 0, from: 0, next: 1, end: 1, records }
    views.fold(batch)
    views.fold({ ...batch, records: [{ ...records[0]!, value: clicked('a', 9, 9) }] })
    expect(clicksOf(views, 'a')).toBe(1)
    fold(views, 'pin-features.v1', 'b', Uint8Array.of(0xff))
    expect(views.stats().rejected).toEqual({ CODEC_INVALID: 1 })
  })

  it('take no version from a record that nobody can read, nor from one under the key of another pin', () => {
    const views = createRankerViews({ maxPins: 10, maxDecodedStates: 4 })
    const pinId = asId<PinId>('a')
    fold(views, 'pins.v1', 'a', aPin('a'))
    fold(views, 'pins.v1', 'a', PinMessage.encode(PinMessage.create({ pinId, topics: [''], version: 900 })).finish())
    fold(views, 'pins.v1', 'a', encodePinChange({ kind: 'delete', pinId: asId<PinId>('b'), version: 900 }))
    expect(views.stats()).toMatchObject({ pins: 1, rejected: { CODEC_INVALID: 2 } })
    fold(views, 'pins.v1', 'a', encodePinChange({ kind: 'delete', pinId, version: 6 }))
    expect(views.stats().pins).toBe(0)
  })

  it('of a newer fold are missing, not those of before, and are counted; the next of a known fold is read again', () => {
    const views = createRankerViews({ maxPins: 10, maxDecodedStates: 10 })
    fold(views, 'pin-features.v1', 'a', clicked('a', 1, 1))
    expect(views.stateOf('a')).not.toBeNull()
    const newer = PinFeatures.encode({ ...PinFeatures.decode(clicked('a', 2, 2)), foldVersion: 2 }).finish()
    fold(views, 'pin-features.v1', 'a', newer)
    expect(views.stateOf('a')).toBeNull()
    expect(views.stats()).toMatchObject({ states: 0, rejected: { CODEC_NEWER: 1 } })
    fold(views, 'pin-features.v1', 'a', clicked('a', 3, 3))
    expect(views.stateOf('a')?.lastAtMs).toBe(noonMs)
  })
})
