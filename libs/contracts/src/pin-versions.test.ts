import { asId, type PinId } from '@freshet/domain/ids'
import { nextPinStamp, type PinStamp } from '@freshet/domain/pin-version'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodePinRemoval, pinStampOf } from './codecs/pin.ts'
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

  it('leave records that are not valid to the view', () => {
    const versions = createPinVersions({ maxVersions: 10 })
    expect(versions.accept({ key: 'a', value: Uint8Array.of(255, 255, 255) })).toBe(true)
    expect(versions.accept(record('a', { version: -3, isDeleted: false }))).toBe(true)
  })

  it('read the stamp of a removal, of a record without a value and of one with every field', () => {
    expect(pinStampOf(encodePinRemoval(asId<PinId>('a'), 2 ** 53 - 1))).toEqual({
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
