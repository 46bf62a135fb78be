import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createKeySet } from './key-set.ts'

const keys = fc.array(fc.tuple(fc.nat(3), fc.nat(40)), { maxLength: 200 })

test('law: a set holds what was added and nothing else, and reports what is new', () => {
  fc.assert(
    fc.property(keys, keys, (added, asked) => {
      const set = createKeySet()
      const model = new Set<string>()
      for (const [high, low] of added) {
        expect(set.add(high, low)).toBe(!model.has(`${high} ${low}`))
        model.add(`${high} ${low}`)
      }
      for (const [high, low] of asked) expect(set.has(high, low)).toBe(model.has(`${high} ${low}`))
      expect(set.size()).toBe(model.size)
    }),
  )
})

test('a set grows', () => {
  const set = createKeySet()
  for (let i = 0; i < 100_000; i++) expect(set.add(i % 7, Math.imul(i, 0x9e3779b1) >>> 0)).toBe(true)
  for (let i = 0; i < 100_000; i++) expect(set.has(i % 7, Math.imul(i, 0x9e3779b1) >>> 0)).toBe(true)
  expect(set.size()).toBe(100_000)
})
