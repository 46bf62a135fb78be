import { nextPinStamp, type PinStamp } from '@freshet/domain/pin-version'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { catalogueTopics } from './catalogue-topics.ts'
import { decodePinChange, pinStampOf } from './codecs/pin.ts'
import { Pin } from './gen/freshet/catalogue/v1/catalogue.ts'
import { createPinVersions } from './pin-versions.ts'

/** A record of `pins.v1`. */
function record(pinId: string, { version, isDeleted }: PinStamp, title = '') {
  const value = Pin.encode(
    Pin.create({ pinId, title, deleted: isDeleted, ...(version !== null && { version }) }),
  ).finish()
  return { key: pinId, value }
}

const changes = fc.array(
  fc.record({
    pinId: fc.constantFrom('a', 'b', 'c'),
    version: fc.option(fc.integer({ min: 1, max: 4 })),
    isDeleted: fc.boolean(),
  }),
)

describe('versions of pins', () => {
  it('accept exactly the records that the law accepts', () => {
    fc.assert(
      fc.property(changes, (all) => {
        const versions = createPinVersions({ maxVersions: 100 })
        const known = new Map<string, PinStamp>()
        for (const { pinId, ...stamp } of all) {
          const next = nextPinStamp(known.get(pinId) ?? null, stamp)
          if (next !== null) known.set(pinId, next)
          expect(versions.accept(record(pinId, stamp))).toBe(next !== null)
        }
      }),
    )
  })

  it('go on after a snapshot as without one', () => {
    fc.assert(
      fc.property(changes, changes, (before, after) => {
        const whole = createPinVersions({ maxVersions: 100 })
        for (const { pinId, ...stamp } of before) whole.accept(record(pinId, stamp))
        const restored = createPinVersions({ maxVersions: 100 })
        restored.load(whole.save())
        for (const { pinId, ...stamp } of after) {
          expect(restored.accept(record(pinId, stamp))).toBe(whole.accept(record(pinId, stamp)))
        }
      }),
    )
  })

  it('keep thousands of pins, and forget those deleted longest ago when they are full', () => {
    const versions = createPinVersions({ maxVersions: 1000 })
    for (let i = 0; i < 900; i++) versions.accept(record(`live${i}`, { version: 2, isDeleted: false }))
    for (let i = 0; i < 5000; i++) versions.accept(record(`gone${i}`, { version: 2, isDeleted: true }))
    expect(versions.stats().versions).toBeLessThanOrEqual(1000)
    const stale = { version: 1, isDeleted: false }
    for (let i = 0; i < 900; i++) expect(versions.accept(record(`live${i}`, stale))).toBe(false)
    expect(versions.accept(record('gone4999', stale))).toBe(false)
    expect(versions.accept(record('gone0', stale))).toBe(true)
  })

  it('of live pins only, when full, look at all of them once in many records, and keep those that they have', () => {
    const maxVersions = 6_400
    const versions = createPinVersions({ maxVersions })
    const live = { version: 2, isDeleted: false }
    for (let i = 0; i < maxVersions; i++) versions.accept(record(`live${i}`, live))
    const entries = vi.spyOn(Uint8Array.prototype, 'entries')
    for (let i = 0; i < 1_000; i++) expect(versions.accept(record(`more${i}`, live))).toBe(true)
    const sweeps = entries.mock.calls.length
    entries.mockRestore()
    expect(sweeps).toBeLessThanOrEqual(6)
    expect(versions.stats()).toMatchObject({ versions: maxVersions, forgotten: 1_000 })
    expect(versions.accept(record('live7', { version: 1, isDeleted: false }))).toBe(false)
  })

  it('accept a decoded change as its record', () => {
    fc.assert(
      fc.property(changes, (all) => {
        const [byRecord, byChange] = [createPinVersions({ maxVersions: 100 }), createPinVersions({ maxVersions: 100 })]
        for (const { pinId, ...stamp } of all) {
          const { key, value } = record(pinId, stamp)
          expect(byChange.acceptChange(decodePinChange(key, value))).toBe(byRecord.accept({ key, value }))
        }
        expect(byChange.save()).toBe(byRecord.save())
      }),
    )
  })

  it('leave records that are not valid to the view', () => {
    const versions = createPinVersions({ maxVersions: 10 })
    expect(versions.accept({ key: 'a', value: Uint8Array.of(255, 255, 255) })).toBe(true)
    expect(versions.accept(record('a', { version: -3, isDeleted: false }))).toBe(true)
    const unreadable = Pin.encode(Pin.create({ pinId: 'a', topics: [''], version: 900 })).finish()
    expect(versions.accept({ key: 'a', value: unreadable })).toBe(true)
    expect(versions.accept({ ...record('b', { version: 900, isDeleted: false }), key: 'a' })).toBe(true)
    expect(versions.stats().versions).toBe(0)
    expect(versions.accept(record('a', { version: 6, isDeleted: true }))).toBe(true)
  })

  it('read the stamp of a removal, of a record without a value and of one with every field', () => {
    expect(pinStampOf(catalogueTopics['pins.v1'].removal('a', 2 ** 53 - 1))).toEqual({
      version: 2 ** 53 - 1,
      isDeleted: true,
    })
    expect(pinStampOf(null)).toEqual({ version: null, isDeleted: true })
    expect(pinStampOf(record('a', { version: 9, isDeleted: false }, 'Red shoes').value)).toEqual({
      version: 9,
      isDeleted: false,
    })
  })
})
