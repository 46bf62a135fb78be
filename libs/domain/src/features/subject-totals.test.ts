import fc from 'fast-check'
import { expect, test } from 'vitest'
import { totalsWidth } from './pin-totals.ts'
import { SubjectTotals } from './subject-totals.ts'

test('totals of subjects are the sums over their pins, whichever pins came and went', () => {
  const pin = fc.record({ id: fc.nat(150).map((n) => `t${n}`), total: fc.nat(9), leaves: fc.boolean() })
  fc.assert(
    fc.property(fc.array(pin, { maxLength: 400 }), (pins) => {
      const subjects = new SubjectTotals()
      const left = new Map<string, number>()
      for (const { id, total, leaves } of pins) {
        const totals = new Float64Array(totalsWidth).fill(total)
        subjects.add(id, totals, 1)
        if (leaves) subjects.add(id, totals, -1)
        else left.set(id, (left.get(id) ?? 0) + total)
      }
      expect(subjects.size).toBe(left.size)
      for (const [id, total] of left) {
        const offset = subjects.offsetOf(id)!
        const own = subjects.values.subarray(offset, offset + totalsWidth)
        expect([...own]).toEqual(Array.from(own, () => total))
      }
    }),
  )
})
