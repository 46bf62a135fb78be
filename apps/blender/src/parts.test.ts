import { noHeaders } from '@freshet/contracts/headers'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { aPin } from './blender.harness.ts'
import { decodeLastGood, encodeLastGood } from './last-good.ts'
import { createPinFacts } from './pin-facts.ts'
import { hashedPinKeysOf, pinKeysOf } from '@freshet/domain/pin-keys'
import { createRecentMap } from './recent-map.ts'
import { decodeServed, encodeServed } from './served-set.ts'
import { createUserMemory } from './user-memory.ts'
import { encodePinChange } from '@freshet/contracts/codecs/pin'
import { oldestServedAtMs } from '@freshet/contracts/codecs/served'
import { encodeUserState } from '@freshet/contracts/codecs/user-state'
import { FeedServed } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import { hash32 } from '@freshet/domain/hash'
import { asId, type PinId } from '@freshet/domain/ids'
import { foldUser, newUserState } from '@freshet/domain/user-state'
import { anEngagement } from './blender.harness.ts'

const atMs = 1_760_000_000_000

describe('pin keys', () => {
  test('are different for a million ids', () => {
    const ids = Array.from({ length: 1_000_000 }, (_, i) => (i % 2 === 0 ? `pin-${i}` : String(i)))
    const { high, low } = pinKeysOf(ids)
    const keys = new Set<number>()
    for (let row = 0; row < ids.length; row++) keys.add((high[row]! % 2 ** 20) * 2 ** 32 + low[row]!)
    expect(keys.size).toBe(ids.length)
  })

  test('a law: with hashes, they are the keys and `hash32` of each id', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (ids) => {
        const { hashes, ...keys } = hashedPinKeysOf(ids)
        expect(keys).toEqual(pinKeysOf(ids))
        expect(Array.from(hashes)).toEqual(ids.map((id) => hash32(id)))
      }),
    )
  })

  test('do not depend on the other ids of the list', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' }), { maxLength: 20 }), (ids) => {
        const { high, low } = pinKeysOf(ids)
        ids.forEach((id, row) => {
          const alone = pinKeysOf([id])
          expect([high[row], low[row]]).toEqual([alone.high[0], alone.low[0]])
        })
      }),
      { seed: 7 },
    )
  })
})

describe('user memory', () => {
  const bound = { atMs, windowMs: 10_000 }

  test('forgets what it served to a user whose state was deleted, but not to a user who never had state', () => {
    const memory = createUserMemory({ maxUsers: 10 })
    const bytes = encodeUserState({ ...newUserState, firstAtMs: atMs, lastAtMs: atMs })
    memory.learn('erased', bytes)
    memory.learn('new', null)
    for (const user of ['erased', 'new']) memory.serve(user, pinKeysOf(['a']), [0], atMs)
    memory.learn('erased', bytes)
    expect(memory.served('erased', bound)?.size).toBe(1)
    for (const user of ['erased', 'new']) memory.learn(user, null)
    expect(memory.served('erased', bound)).toBeNull()
    expect(memory.served('new', bound)?.size).toBe(1)
  })

  test('knows the state of a user after thousands of others, and decodes the same bytes of a user who just asked once', () => {
    const memory = createUserMemory({ maxUsers: 5_000 })
    const state = (name: string) =>
      encodeUserState(foldUser(newUserState, [anEngagement('hide', asId<PinId>(`pin-of-${name}`), atMs)]))
    for (let i = 0; i < 3_000; i++) memory.learn(`u${i}`, state(`u${i}`))
    const bytes = state('u2999')
    expect(memory.learn('u2999', bytes)).toBe(memory.known('u2999'))
    for (const user of ['u0', 'u1500', 'u2999']) {
      expect(memory.known(user)?.hidden.ids).toEqual([`pin-of-${user}`])
      expect(memory.learn(user, state(user)).hidden.ids).toEqual([`pin-of-${user}`])
    }
    memory.learn('u0', state('another'))
    expect(memory.known('u0')?.hidden.ids).toEqual(['pin-of-another'])
    memory.learn('u0', null)
    expect(memory.known('u0')?.hidden.ids).toEqual([])
  })
})

describe('served set', () => {
  const ids = fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 80 })

  test('contains only what was served within the window', () => {
    fc.assert(
      fc.property(ids, ids, fc.integer({ min: 0, max: 20_000 }), (one, two, agoMs) => {
        const rows = (count: number) => Array.from({ length: count }, (_, row) => row)
        const old = encodeServed(pinKeysOf(one), rows(one.length), atMs - agoMs)
        const young = encodeServed(pinKeysOf(two), rows(two.length), atMs)
        const served = decodeServed(Buffer.concat([old, young]), { atMs, windowMs: 10_000 })
        const expected = new Set([...(agoMs <= 10_000 ? one : []), ...two])
        const keys = pinKeysOf([...one, ...two])
        ;[...one, ...two].forEach((id, row) => {
          expect(served.has(keys.high[row]!, keys.low[row]!)).toBe(expected.has(id))
        })
        expect(served.size).toBe(expected.size)
      }),
      { seed: 7 },
    )
  })

  test('reports when its oldest whole entry was served', () => {
    const at = (ms: number) => encodeServed(pinKeysOf(['a', 'b']), [0, 1], ms)
    const bytes = Buffer.concat([at(atMs), at(atMs + 60_000)])
    expect(oldestServedAtMs(bytes)).toBe(atMs)
    expect(oldestServedAtMs(bytes.subarray(18))).toBe(atMs + 60_000)
    expect(oldestServedAtMs(new Uint8Array(11))).toBeNull()
  })

  test('skips an incomplete entry that a cap in bytes left', () => {
    const bytes = encodeServed(pinKeysOf(['a', 'b', 'c']), [0, 1, 2], atMs).subarray(5)
    const served = decodeServed(bytes, { atMs, windowMs: 1_000 })
    const { high, low } = pinKeysOf(['a', 'b', 'c'])
    expect([0, 1, 2].map((row) => served.has(high[row]!, low[row]!))).toEqual([false, true, true])
  })

  test('is empty without bytes, and with fewer bytes than an entry has', () => {
    for (const bytes of [null, new Uint8Array(0), new Uint8Array(11)])
      expect(decodeServed(bytes, { atMs, windowMs: 1_000 }).size).toBe(0)
  })
})

describe('pin facts', () => {
  const batch = (records: readonly { readonly key: string; readonly value: Uint8Array | null }[], from = 0) => ({
    topic: 'pins.v1',
    partition: 0,
    from,
    next: from + records.length,
    end: from + records.length,
    records: records.map((record, i) => ({ ...record, position: from + i, appendedAtMs: 0, headers: noHeaders })),
  })
  const rowOf = (facts: ReturnType<typeof createPinFacts>, pinId: string) => {
    const { high, low } = pinKeysOf([pinId])
    return facts.rowOf(high[0]!, low[0]!)
  }

  test('contain the last change of every pin, for any number of pins', () => {
    const facts = createPinFacts({ maxPins: 100_000 })
    const pins = Array.from({ length: 5_000 }, (_, i) => `pin-${i}`)
    facts.fold(
      batch(
        pins.map((pinId, i) => ({
          key: pinId,
          value: encodePinChange(aPin(pinId, { creatorId: `creator-${i % 7}`, topics: [`t${i % 3}`] })),
        })),
      ),
    )
    facts.fold(
      batch(
        [
          { key: 'pin-3', value: encodePinChange({ kind: 'delete', pinId: asId('pin-3') }) },
          { key: 'pin-4', value: null },
        ],
        5_000,
      ),
    )
    facts.fold(batch([{ key: 'pin-4', value: encodePinChange(aPin('pin-4')) }], 5_002))
    for (const [i, pinId] of pins.entries()) {
      const row = rowOf(facts, pinId)
      expect(facts.isDeleted(row)).toBe(i === 3)
      if (i === 3) continue
      expect(facts.creatorOf(row)).toBe(i === 4 ? 0 : hash32(`creator-${i % 7}`))
      expect(facts.hasTopicOf(row, new Set([hash32('t1')]))).toBe(i !== 4 && i % 3 === 1)
    }
    expect(rowOf(facts, 'unknown')).toBe(-1)
    expect(facts.stats()).toMatchObject({ pins: 4_999, refused: 0, rejected: 0 })
    expect(facts.progress.position('pins.v1', 0)).toBe(5_003)
  })

  test('A12: a law: they equal a plain list of all pins, whatever the order of additions and deletions', () => {
    const names = Array.from({ length: 9 }, (_, i) => `pin-${i}`)
    const step = fc.record({ name: fc.constantFrom(...names), remove: fc.boolean(), word: fc.nat(4) })
    const locales = ['de', 'fr', 'it', 'pt', 'nl']
    const keys = pinKeysOf(names)
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const facts = createPinFacts({ maxPins: 4, maxLocales: 5, maxDeleted: 2 })
        const known = new Map<string, number>()
        steps.forEach(({ name, remove, word }, at) => {
          const topics = Array.from({ length: 6 }, (_, i) => `t${word}-${i}`)
          const change = remove
            ? ({ kind: 'delete', pinId: asId<PinId>(name) } as const)
            : withLimits(aPin(name, { creatorId: `c${word}`, topics, locale: locales[word]! }), word)
          facts.fold(batch([{ key: name, value: encodePinChange(change) }], at))
          if (remove) known.delete(name)
          else if (known.has(name) || known.size < 4) known.set(name, word)
          for (const each of names) {
            const row = rowOf(facts, each)
            const is = known.get(each)
            expect(row >= 0 && !facts.isDeleted(row), each).toBe(is !== undefined)
            if (is === undefined) continue
            expect(facts.creatorOf(row)).toBe(hash32(`c${is}`))
            for (let other = 0; other < 5; other++) {
              expect(facts.hasTopicOf(row, new Set([hash32(`t${other}-5`)]))).toBe(other === is)
              expect(facts.localesFor(locales[other]!)![facts.localeOf(row)]).toBe(other === is ? 1 : 0)
            }
          }
          expect(facts.stats().pins).toBe(known.size)
          expect(Array.from(facts.rowsOf(keys))).toEqual(names.map((each) => rowOf(facts, each)))
          const limited = [...known.values()].filter((word) => word > 2).length
          expect(facts.counts).toEqual({
            limitedInTime: limited,
            labelled: [...known.values()].filter((word) => word === 1).length,
            ofMinAge: [...known.values()].filter((word) => word === 2).length,
            signed: limited,
          })
        })
      }),
      { endOnFailure: true },
    )
  })

  /** A pin with a minimum age, a label, or with a signature and a time from or until which it may be shown; or with nothing of these. */
  function withLimits({ kind, pin }: ReturnType<typeof aPin>, word: number) {
    const limits = [
      {},
      { safetyLabels: ['label'] },
      { minAge: 18 },
      { availableFromMs: atMs, imageSignature: 'a' },
      { expiresAtMs: atMs, imageSignature: 'b' },
    ]
    return { kind, pin: { ...pin, ...limits[word] } }
  }

  test('A12: they do not grow when ten times the cap of pins are added and deleted', () => {
    const facts = createPinFacts({ maxPins: 2_000, maxLocales: 20 })
    const bytes: number[] = []
    for (let n = 0; n < 20_000; n++) {
      const topics = Array.from({ length: 6 }, (_, i) => `t${n}-${i}`)
      facts.fold(
        batch(
          [{ key: `p${n}`, value: encodePinChange(aPin(`p${n}`, { topics, locale: `de-${100 + (n % 10)}` })) }],
          2 * n,
        ),
      )
      facts.fold(batch([{ key: `p${n - 900}`, value: null }], 2 * n + 1))
      if (n % 4_000 === 3_999) bytes.push(facts.stats().bytes)
    }
    expect(facts.stats()).toMatchObject({ pins: 900, refused: 0, refusedLocales: 0 })
    expect(new Set(bytes.slice(1)).size).toBe(1)
  })

  test('a repeated batch changes nothing; invalid records and pins beyond the cap are counted', () => {
    const facts = createPinFacts({ maxPins: 2 })
    const records = [
      { key: 'a', value: encodePinChange(aPin('a')) },
      { key: 'b', value: new Uint8Array([0x0a, 0x7f]) },
      { key: 'b', value: null },
      { key: 'c', value: encodePinChange(aPin('c')) },
    ]
    facts.fold(batch(records))
    facts.fold(batch(records))
    // The deleted pin makes room for the last one.
    expect(facts.stats()).toMatchObject({ pins: 2, refused: 0, rejected: 1 })
    facts.fold(batch([{ key: 'd', value: encodePinChange(aPin('d')) }], 4))
    expect(facts.stats()).toMatchObject({ pins: 2, refused: 1 })
    expect(facts.full()).toMatch(/1 pins are not shown because there is no room/)
  })
})

test('a recent map keeps the most recently used entries', () => {
  const map = createRecentMap<string, number>(2)
  map.set('a', 1)
  map.set('b', 2)
  map.get('a')
  map.set('c', 3)
  expect([...map.keys()]).toEqual(['a', 'c'])
  expect(map.get('b')).toBeUndefined()
})

describe('a last good feed', () => {
  test('a law: decoding gives what was encoded', () => {
    const pin = fc.tuple(fc.string({ minLength: 1 }), fc.float({ noNaN: true }), fc.nat(0xffffffff))
    fc.assert(
      fc.property(fc.array(pin), fc.array(fc.string(), { maxLength: 32 }), (pins, sourceNames) => {
        const good = {
          pinIds: pins.map(([pinId]) => pinId),
          scores: Float32Array.from(pins, ([, score]) => score),
          sourceNames,
          foundBy: Uint32Array.from(pins, ([, , bits]) => bits),
        }
        expect(decodeLastGood(encodeLastGood(good))).toEqual(good)
      }),
    )
  })

  test('columns of different lengths are not a feed', () => {
    const torn = FeedServed.fromPartial({
      pinIds: ['a', 'b'],
      utilities: new Uint8Array(4),
      foundBy: new Uint8Array(8),
    })
    expect(decodeLastGood(FeedServed.encode(torn).finish())).toBeNull()
  })
})
