import type { TopicLayout } from '@freshet/contracts/ports/event-log'
import { describe, expect, test } from 'vitest'
import { aRecord, aTopic } from '../suites/event-log.builders.ts'
import { createVirtualClock } from './clock.ts'
import { createMemoryEventLog } from './event-log.ts'
import type { MemoryEventLog } from './event-log.ts'

async function aLog(overrides: Partial<TopicLayout> = {}) {
  const clock = createVirtualClock(1_000)
  const log = createMemoryEventLog({ clock })
  const topic = aTopic({ partitions: 1, ...overrides })
  await log.applyTopics([topic])
  return { clock, log, topic: topic.name }
}

async function valuesIn(log: MemoryEventLog, topic: string): Promise<readonly number[]> {
  const positions: number[] = []
  const reader = await log.readAll({
    topics: [topic],
    onBatch: (batch) => Promise.resolve(void positions.push(...batch.records.map(({ position }) => position))),
    maxBatchRecords: 100,
    onError: () => undefined,
    startAt: () => null,
  })
  await log.drain()
  await reader.stop()
  return positions
}

describe('memory event log', () => {
  test('draining also delivers records that handlers append, until nothing is left', async () => {
    const { log, topic } = await aLog()
    const seen: string[] = []
    await log.readGroup({
      group: 'g',
      topics: [topic],
      maxBatchRecords: 1,
      onError: () => undefined,
      startAt: () => Promise.resolve(null),
      async onBatch({ records }) {
        for (const { key } of records) {
          seen.push(key)
          if (key.length < 5) await log.append(topic, [aRecord('', { key: `${key}x` })])
        }
      },
    })
    await log.append(topic, [aRecord('', { key: 'x' })])
    await log.drain()
    expect(seen).toEqual(['x', 'xx', 'xxx', 'xxxx', 'xxxxx'])
    await log.drain()
    await log.close()
  })

  test('draining rejects with the error of a handler instead of waiting for a stopped clock', async () => {
    const { log, topic, clock } = await aLog()
    let broken = true
    let handled = 0
    await log.readAll({
      topics: [topic],
      maxBatchRecords: 10,
      onError: () => undefined,
      startAt: () => null,
      async onBatch() {
        await Promise.resolve()
        if (broken) throw new Error('broken')
        handled++
      },
    })
    await log.append(topic, [aRecord('a')])
    await expect(log.drain()).rejects.toThrow('broken')
    broken = false
    await clock.advance(10_000)
    await log.drain()
    expect(handled).toBe(1)
    await log.close()
  })

  test('deletes records after their retention, and readers begin after them', async () => {
    const { log, topic, clock } = await aLog({ retentionMs: 100 })
    await log.append(topic, [aRecord('a'), aRecord('b')])
    await clock.advance(60)
    await log.append(topic, [aRecord('c')])
    await clock.advance(60)
    log.compact()
    expect(await log.starts(topic)).toEqual([2])
    expect(await valuesIn(log, topic)).toEqual([2])
    await clock.advance(60)
    log.compact()
    expect([await log.starts(topic), await log.ends(topic)]).toEqual([[3], [3]])
  })

  test('a removal stays in a compacted topic for a day', async () => {
    const { log, topic, clock } = await aLog({ cleanup: 'compact' })
    await log.append(topic, [aRecord('a'), aRecord(null), aRecord('other', { key: 'other' })])
    log.compact()
    expect(await valuesIn(log, topic)).toEqual([1, 2])
    await clock.advance(86_400_001)
    log.compact()
    expect(await valuesIn(log, topic)).toEqual([2])
  })

  test('a topic with a compaction lag keeps a superseded record until the later one is older than the lag', async () => {
    const { log, topic, clock } = await aLog({ cleanup: 'compact', minCompactionLagMs: 86_400_000 })
    await log.append(topic, [aRecord('a')])
    await clock.advance(10 * 86_400_000)
    for (let i = 0; i < 2_000; i++) await log.append(topic, [aRecord('b')])
    expect(await valuesIn(log, topic)).toHaveLength(2_001)
    await clock.advance(86_400_000)
    await log.append(topic, [aRecord('c')])
    log.compact()
    expect(await valuesIn(log, topic)).toEqual([2_000, 2_001])
  })

  test('a compacted topic with repeated writes to the same keys does not grow', async () => {
    const { log, topic } = await aLog({ cleanup: 'compact' })
    for (let i = 0; i < 5_000; i++) await log.append(topic, [aRecord(String(i), { key: `k${i % 10}` })])
    const positions = await valuesIn(log, topic)
    expect(positions.length).toBeLessThan(1_100)
    expect(positions.at(-1)).toBe(4_999)
  })
})
