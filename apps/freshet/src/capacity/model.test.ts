import { describe, expect, it } from 'vitest'
import { coefficients } from './coefficients.ts'
import { runCapacity } from './command.ts'
import { capacityOf, retrieveMsAt, type Demand } from './model.ts'

const demand: Demand = {
  users: 1e6,
  events: 1_000,
  pins: 1e6,
  feeds: 100,
  peak: 3,
  copies: 3,
  retentionDays: 30,
  servedDays: 30,
  prices: { core: 25, memoryGiB: 3, diskGiB: 0.1 },
}

/** Everything that must not shrink when a demand grows. */
function sizesOf(of: Demand): readonly number[] {
  const { partitions, services, redis, kafka, usdPerMonth } = capacityOf(of)
  return [partitions, redis.bytes, kafka.bytes, usdPerMonth, ...services.flatMap(({ pods, cores }) => [pods, cores])]
}

describe('the capacity model', () => {
  it.each(['users', 'events', 'pins', 'feeds', 'peak', 'retentionDays', 'servedDays'] as const)(
    'never shrinks when %s grow',
    (name) => {
      for (const factor of [1, 3, 10, 30]) {
        const before = sizesOf({ ...demand, [name]: demand[name] * factor })
        const after = sizesOf({ ...demand, [name]: demand[name] * factor * 3 })
        after.forEach((size, at) =>
          expect(size, `${name} × ${factor}, figure ${at}`).toBeGreaterThanOrEqual(before[at]!),
        )
      }
    },
  )

  it('gives every service but the trainer a spare', () => {
    const small = capacityOf({ ...demand, users: 100, events: 1, pins: 100, feeds: 1 })
    expect(small.services.filter(({ pods }) => pods < 2).map(({ service }) => service)).toEqual(['trainer'])
    expect(small.beyond).toEqual([])
  })

  it('passes through the measured points of retrieval', () => {
    expect(retrieveMsAt(1e5)).toBeCloseTo(coefficients.retrieveSmallMs.value)
    expect(retrieveMsAt(1e6)).toBeCloseTo(coefficients.retrieveLargeMs.value)
  })

  it('names what this version cannot do', () => {
    const huge = capacityOf({ ...demand, users: 1e8, events: 1e5, pins: 1e9, feeds: 1e4 })
    expect(huge.beyond.join('\n')).toMatch(/1000000000 pins.*sharded/)
    expect(huge.beyond.join('\n')).toContain('only the neighbour index is sharded today')
    // A partition is one hash slot: no Redis process has to hold more than its share.
    expect(huge.redis.bytes / huge.partitions).toBeLessThanOrEqual(2 * 2 ** 30)
  })

  it('refuses what is not a number, by name', () => {
    const given = { users: 'many', events: '1', pins: '1', peak: '3', copies: '3', retentionDays: '30' }
    expect(() => runCapacity(given, { write: () => undefined })).toThrow(
      '--users is many; give a number above 0, such as 1e6',
    )
  })

  it('prints every number with its origin', () => {
    let text = ''
    const given = {
      users: '1e6',
      events: '1e3',
      pins: '1e6',
      peak: '3',
      copies: '3',
      retentionDays: '30',
      sources: true,
    }
    runCapacity(given, { write: (part) => void (text += part) })
    for (const { what } of Object.values(coefficients)) expect(text).toContain(what)
  })
})
