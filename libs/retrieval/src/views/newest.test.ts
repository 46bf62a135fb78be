import { asId, type PinId } from '@freshet/domain/ids'
import fc from 'fast-check'
import { expect, test } from 'vitest'

import { createCatalogue } from './catalogue.ts'
import { createNewest, type Newest } from './newest.ts'
import { decodeSnapshot, encodeSnapshot } from '@freshet/columns/snapshot'

const catalogue = createCatalogue({ maxPins: 20, seed: 1, showUnlistedPins: true })
for (let i = 0; i < 10; i++) catalogue.intern(asId<PinId>(`p${i}`))

function contentOf(newest: Newest): unknown {
  return [0, 1, 2].map((key) => {
    const start = newest.startOf(key)
    return Array.from({ length: newest.countOf(key) }, (_, i) => [newest.rows[start + i], newest.atMs[start + i]])
  })
}

const puts = fc.array(fc.tuple(fc.nat(2), fc.integer({ min: 1, max: 10 }), fc.nat(5)), { maxLength: 60, size: 'max' })

test('law: each list holds the newest pins, each at its latest time, whatever the order of arrival', () => {
  fc.assert(
    fc.property(puts, (given) => {
      const latest = new Map<string, number>()
      for (const [key, row, atMs] of given)
        latest.set(`${key}:${row}`, Math.max(atMs, latest.get(`${key}:${row}`) ?? 0))
      const expected = [0, 1, 2].map((key) =>
        Array.from({ length: 11 }, (_, row) => [row, latest.get(`${key}:${row}`) ?? -1] as const)
          .filter(([, atMs]) => atMs >= 0)
          .sort((x, y) => x[1] - y[1] || (catalogue.before(y[0], x[0]) ? -1 : 1))
          .slice(-4),
      )
      for (const order of [given, [...given].reverse()]) {
        const newest = createNewest(catalogue, 4)
        for (const [key, row, atMs] of order) newest.put(key, row, atMs)
        expect(contentOf(newest)).toEqual(expected)
      }
    }),
  )
})

test('a snapshot gives the same lists', () => {
  const newest = createNewest(catalogue, 4)
  for (let i = 0; i < 9; i++) newest.put(i % 3, i + 1, i)
  const restored = createNewest(catalogue, 4)
  restored.load(decodeSnapshot(encodeSnapshot((writer) => newest.save(writer))))
  expect(contentOf(restored)).toEqual(contentOf(newest))
})
