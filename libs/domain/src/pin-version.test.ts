import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nextPinStamp, type PinStamp } from './pin-version.ts'

const versioned = fc.record({ version: fc.integer({ min: 1, max: 5 }), isDeleted: fc.boolean() })
const anyStamp = fc.record({ version: fc.option(fc.integer({ min: 1, max: 5 })), isDeleted: fc.boolean() })

/** The stamp after all changes, in this order. */
function fold(changes: readonly PinStamp[], from: PinStamp | null = null): PinStamp | null {
  return changes.reduce<PinStamp | null>((known, change) => nextPinStamp(known, change) ?? known, from)
}

const rank = ({ version, isDeleted }: PinStamp): number => 2 * (version ?? 0) + Number(isDeleted)

describe('the version of a pin', () => {
  it('is that of the highest change, in any order and with any repeats', () => {
    fc.assert(
      fc.property(fc.array(versioned, { minLength: 1 }), fc.infiniteStream(fc.nat()), (changes, draws) => {
        const highest = changes.reduce((best, each) => (rank(each) > rank(best) ? each : best))
        const repeated = [...changes, ...changes].map((change) => ({ change, draw: draws.next().value as number }))
        const shuffled = repeated.toSorted((a, b) => a.draw - b.draw).map(({ change }) => change)
        expect(fold(changes)).toEqual(highest)
        expect(fold(shuffled)).toEqual(highest)
      }),
    )
  })

  it('never falls, and a removal is never undone by a change that is not newer', () => {
    fc.assert(
      fc.property(fc.array(anyStamp), anyStamp, (changes, change) => {
        const before = fold(changes)
        const after = nextPinStamp(before, change)
        if (before === null || before.version === null || after === null) return
        expect(rank(after)).toBeGreaterThanOrEqual(rank(before))
        if (before.isDeleted && !after.isDeleted) expect(after.version).toBeGreaterThan(before.version)
      }),
    )
  })

  it('without versions, the last change counts, as it always did', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1 }), (removals) => {
        const changes = removals.map((isDeleted) => ({ version: null, isDeleted }))
        expect(fold(changes)).toEqual(changes.at(-1))
      }),
    )
  })

  it('a removal without a version counts at any time, an entry without one only while the pin has none', () => {
    const known = { version: 7, isDeleted: false }
    expect(nextPinStamp(known, { version: null, isDeleted: true })).toEqual({ version: 7, isDeleted: true })
    expect(nextPinStamp(known, { version: null, isDeleted: false })).toBeNull()
  })

  it('folding twice what was folded last changes nothing', () => {
    fc.assert(
      fc.property(fc.array(anyStamp, { minLength: 1 }), (changes) => {
        const once = fold(changes)
        expect(fold(changes.slice(-1), once)).toEqual(once)
      }),
    )
  })
})
