import { asId, type PinId } from '@freshet/domain/ids'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { createCatalogue } from '../views/catalogue.ts'
import { decodeSnapshot, encodeSnapshot } from '@freshet/columns/snapshot'
import { createRing, type Ring } from './ring.ts'

const names = Array.from({ length: 400 }, (_, n) => asId<PinId>(`pin-${n}`))

function filled(order: readonly PinId[]) {
  const catalogue = createCatalogue({ maxPins: 1_000, seed: 1 })
  const ring = createRing(catalogue)
  for (const name of order) ring.add(catalogue.intern(name))
  const walk = (start: number, from = 0, most = Infinity): string[] => {
    const seen: string[] = []
    ring.walk(start, from, (row) => {
      if (seen.length === most) return false
      seen.push(catalogue.pinIdOf(row))
      return true
    })
    return seen
  }
  return { catalogue, ring, walk }
}

const starts = fc.integer({ min: 0, max: 0xffffffff })

describe('a walk round the ring', () => {
  test('law: visits every row once, in an order that depends only on the start and the pins', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(names), starts, starts, (order, start, from) => {
        const sorted = filled([...order].sort())
        const walked = filled(order).walk(start, from)
        expect([...walked].sort()).toEqual([...order].sort())
        expect(walked).toEqual(sorted.walk(start, from))
      }),
      { numRuns: 60 },
    )
  })

  test('law: continues where it ended, wherever that was', () => {
    fc.assert(
      fc.property(starts, fc.integer({ min: 0, max: 399 }), (start, steps) => {
        const { ring, walk } = filled(names)
        let stoppedAt = 0
        let count = 0
        ring.walk(start, 0, (_row, distance) => {
          stoppedAt = distance
          return count++ < steps
        })
        const whole = walk(start)
        expect(walk(start, stoppedAt)).toEqual([...whole.slice(steps), ...whole.slice(0, steps)])
      }),
      { numRuns: 60 },
    )
  })

  test('law: skips removed rows, and visits reused rows at the place of the new pin', () => {
    fc.assert(
      fc.property(fc.subarray(names), starts, (removed, start) => {
        const { ring, catalogue, walk } = filled(names)
        for (const name of removed) ring.remove(catalogue.rowOf(name))
        expect(ring.size).toBe(names.length - removed.length)
        expect(walk(start).sort()).toEqual(names.filter((name) => !removed.includes(name)).sort())
      }),
      { numRuns: 30 },
    )
  })

  test('a ring from a snapshot is the same', () => {
    const { ring, catalogue, walk } = filled(names)
    ring.remove(3)
    const copy: Ring = createRing(catalogue)
    copy.load(decodeSnapshot(encodeSnapshot((writer) => ring.save(writer))))
    const seen: string[] = []
    copy.walk(7, 0, (row) => {
      seen.push(catalogue.pinIdOf(row))
      return true
    })
    expect(seen).toEqual(walk(7))
  })
})
