import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { unaccountedPositions } from './accounting.ts'

function recordsAt(positions: readonly number[]) {
  return positions.map((position) => ({ position, key: 'ada', value: null, appendedAtMs: 0, headers: {} as never }))
}

describe('the positions that a commit passes over without an outcome', () => {
  it('are those without a record, wherever they are in the batch', () => {
    const positions = fc.uniqueArray(fc.integer({ min: 5, max: 60 })).map((list) => list.toSorted((a, b) => a - b))
    fc.assert(
      fc.property(positions, fc.integer({ min: 0, max: 9 }), (kept, after) => {
        const next = Math.max(5, ...kept.map((position) => position + 1)) + after
        const batch = { from: 5, next, records: recordsAt(kept) }
        expect(unaccountedPositions(batch, 0)).toBe(next - 5 - kept.length)
      }),
    )
  })

  it('do not include those that retention deleted', () => {
    expect(unaccountedPositions({ from: 5, next: 12, records: recordsAt([10, 11]) }, 5)).toBe(0)
    expect(unaccountedPositions({ from: 5, next: 12, records: recordsAt([10, 11]) }, 3)).toBe(2)
  })

  it('do not include the deleted beginning of a log that is read for the first time', () => {
    expect(unaccountedPositions({ from: 0, next: 102, records: recordsAt([100, 101]) }, 0)).toBe(0)
    expect(unaccountedPositions({ from: 0, next: 100, records: [] }, 0)).toBe(0)
  })

  it('include records that the stage did not count', () => {
    expect(unaccountedPositions({ from: 1, next: 4, records: recordsAt([1, 2, 3]) }, 0, 2)).toBe(1)
    expect(unaccountedPositions({ from: 1, next: 4, records: recordsAt([1, 2, 3]) }, 0, 3)).toBe(0)
  })
})
