import fc from 'fast-check'
import { expect, test } from 'vitest'

import { createDecayedCounts } from './decayed-counts.ts'
import { decodeSnapshot, encodeSnapshot } from './snapshot.ts'

const startMs = Date.UTC(2026, 0, 1)
const hourMs = 3_600_000
const dayMs = 24 * hourMs

test('an action counts 1 at first and half after the half-life', () => {
  const counts = createDecayedCounts(dayMs)
  counts.add(3, startMs)
  expect(counts.countAt(3, startMs)).toBeCloseTo(1, 12)
  expect(counts.countAt(3, startMs + dayMs)).toBeCloseTo(0.5, 12)
  expect(counts.countAt(4, startMs)).toBe(0)
})

test('law: the order of actions makes no difference to float32, across blocks of half-lives too', () => {
  const actions = fc.array(fc.tuple(fc.nat(3), fc.nat(3000)), { minLength: 1, maxLength: 40, size: 'max' })
  fc.assert(
    fc.property(actions, (given) => {
      const answers = [given, [...given].reverse()].map((order) => {
        const counts = createDecayedCounts(hourMs)
        for (const [row, hours] of order) counts.add(row, startMs + hours * hourMs)
        return [0, 1, 2, 3].map((row) => Math.fround(counts.shareOf(row)))
      })
      expect(answers[0]).toEqual(answers[1])
    }),
  )
})

test('a restored snapshot continues where the counts were', () => {
  const counts = createDecayedCounts(dayMs)
  counts.add(1, startMs)
  const restored = createDecayedCounts(dayMs)
  restored.load(decodeSnapshot(encodeSnapshot((writer) => counts.save(writer))))
  for (const each of [counts, restored]) each.add(0, startMs + hourMs)
  expect(restored.shareOf(1)).toBe(counts.shareOf(1))
  expect(restored.totalAt(startMs)).toBe(counts.totalAt(startMs))
})

test('A1: read as of years ago a counter is finite, and a share of all', () => {
  const counts = createDecayedCounts(6 * hourMs)
  counts.add(0, startMs)
  counts.add(1, startMs - 3000 * 24 * hourMs)
  const longAgoMs = startMs - 4000 * 24 * hourMs
  expect(counts.countAt(0, longAgoMs)).toBe(1)
  expect(counts.totalAt(longAgoMs)).toBeCloseTo(1)
  expect(counts.countAt(0, startMs + 6 * hourMs)).toBeCloseTo(0.5)
})

test('law: shares and counts of many rows are those of each row, to the last bit', () => {
  const actions = fc.array(fc.tuple(fc.nat(5), fc.nat(3000)), { maxLength: 40 })
  fc.assert(
    fc.property(actions, fc.nat(4000), (given, hours) => {
      const counts = createDecayedCounts(hourMs)
      for (const [row, at] of given) counts.add(row, startMs + at * hourMs)
      const rows = Int32Array.of(5, 0, 3, 9, 1)
      const atMs = startMs + hours * hourMs
      const into = new Float64Array(rows.length).fill(7)
      counts.readShares(rows, rows.length, into)
      expect([...into]).toEqual(Array.from(rows, counts.shareOf))
      counts.readCounts(rows, rows.length, { atMs, into })
      expect([...into]).toEqual(Array.from(rows, (row) => counts.countAt(row, atMs)))
    }),
  )
})
