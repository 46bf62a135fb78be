import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createRowSlots } from './row-slots.ts'

it('a row map answers as a Map does', () => {
  const row = fc.oneof(fc.nat(10), fc.nat(2 ** 31 - 1), fc.constantFrom(4095, 4096, 2 ** 28 - 1, 2 ** 28, 2 ** 31 - 1))
  const change = fc.record({ row, slot: fc.option(fc.nat(1e9)) })
  fc.assert(
    fc.property(fc.array(change, { maxLength: 60 }), row, (changes, other) => {
      const slots = createRowSlots()
      const model = new Map<number, number>()
      for (const { row, slot } of changes) {
        if (slot === null) slots.delete(row)
        else slots.set(row, slot)
        if (slot === null) model.delete(row)
        else model.set(row, slot)
      }
      for (const { row } of [...changes, { row: other }]) expect(slots.get(row)).toBe(model.get(row) ?? -1)
    }),
    { seed: 7 },
  )
})
