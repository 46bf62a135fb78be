import { isContractError } from '@freshet/contracts/errors'
import type { LogRecord } from '@freshet/contracts/ports/event-log'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { aRecord, aTopic, expectCode, until } from '../suites/event-log.builders.ts'
import { createSystemClock } from '../system/clock.ts'
import type { KafkaFaults } from '../testing/kafka-server.ts'
import { createKafkaEventLog } from './event-log.ts'
import type { KafkaClient } from './options.ts'
import type { KafkaEventLog } from './event-log.ts'

const partitions = 4
const clock = createSystemClock()

/** Tests that a log on Kafka keeps its promises while its broker pauses, dies and comes back. */
export function kafkaFaults(brokers: readonly string[], faults: KafkaFaults, client: KafkaClient): void {
  describe('event log faults: Kafka', () => {
    const appendTimeoutMs = 6_000
    const maxPendingBytes = 8 << 20
    let log: KafkaEventLog

    beforeAll(() => {
      log = createKafkaEventLog({
        brokers,
        client,
        clientId: 'faults',
        clock,
        heartbeatMs: 200,
        appendTimeoutMs,
        maxPendingBytes,
      })
    })
    afterAll(() => log.close())

    /** Appends from several callers concurrently, and records each acknowledged position. */
    function appending(topic: string, callers: number) {
      const acknowledged = new Map<string, string>()
      const refused: unknown[] = []
      const slowestMs = { value: 0 }
      let going = true
      const work = Array.from({ length: callers }, async (_, caller) => {
        for (let i = 0; going; i++) {
          const ids = Array.from({ length: 1 + (i % 20) }, (_, j) => `${caller}:${i}:${j}`)
          const records = ids.map((id, j) => aRecord(id, { partition: (caller + j) % partitions }))
          const before = performance.now()
          try {
            const places = await log.append(topic, records)
            ids.forEach((id, j) => acknowledged.set(id, `${places[j]?.partition}/${places[j]?.position}`))
          } catch (error) {
            refused.push(error)
          }
          slowestMs.value = Math.max(slowestMs.value, performance.now() - before)
        }
      })
      return {
        acknowledged,
        refused,
        slowestMs,
        async stop() {
          going = false
          await Promise.all(work)
        },
      }
    }

    /** Reads concurrently as a group member, and fails on gaps and repeats. */
    async function following(topic: string) {
      const seen: { readonly partition: number; readonly record: LogRecord }[] = []
      const stands = Array<number>(partitions).fill(0)
      const gaps: string[] = []
      const reader = await log.readGroup({
        group: `g-${topic}`,
        topics: [topic],
        maxBatchRecords: 500,
        onError: () => undefined,
        startAt: ({ partition }) => Promise.resolve(stands[partition] ?? 0),
        onBatch({ partition, from, next, records }) {
          if (stands[partition] !== from) gaps.push(`${partition}: from ${from}, not ${stands[partition]}`)
          for (const record of records) seen.push({ partition, record })
          stands[partition] = next
          return Promise.resolve()
        },
      })
      return { seen, gaps, stands, reader }
    }

    async function expectEachOnce(
      topic: string,
      acknowledged: ReadonlyMap<string, string>,
      { seen, gaps, stands }: Awaited<ReturnType<typeof following>>,
    ): Promise<void> {
      const ends = await log.ends(topic)
      await until(
        'everything to be read',
        () => ends.every((end, partition) => (stands[partition] ?? 0) >= end),
        60_000,
      )
      expect(gaps).toEqual([])
      const places = new Map<string, string[]>()
      for (const { partition, record } of seen) {
        const id = new TextDecoder().decode(record.value ?? new Uint8Array())
        places.set(id, [...(places.get(id) ?? []), `${partition}/${record.position}`])
      }
      const lost = [...acknowledged].filter(([id, place]) => !places.get(id)?.includes(place))
      const doubled = [...places].filter(([, at]) => at.length > 1)
      expect({ lost, doubled }).toEqual({ lost: [], doubled: [] })
    }

    test('a handler slower than its session keeps its partitions, and a rebalance waits for it', async () => {
      const topic = aTopic({ partitions: 2 })
      await log.applyTopics([topic])
      const hasty = createKafkaEventLog({
        brokers,
        client,
        clientId: 'hasty',
        clock,
        sessionTimeoutMs: 1_000,
        heartbeatMs: 200,
      })
      const joined: string[] = []
      const events: string[] = []
      const join = (name: string, handlingMs: number) =>
        hasty.readGroup({
          group: `g-${topic.name}`,
          topics: [topic.name],
          maxBatchRecords: 1,
          onError: () => undefined,
          startAt: () => Promise.resolve(joined.length === 1 ? 0 : 1),
          onAssigned: (at) => void joined.push(`${name} has ${at.length}`),
          async onBatch({ partition }) {
            events.push(`${name} begins ${partition}`)
            await new Promise((resolve) => setTimeout(resolve, handlingMs))
            events.push(`${name} ends ${partition}`)
          },
        })
      await log.append(topic.name, [aRecord('a', { partition: 0 }), aRecord('b', { partition: 1 })])
      const slow = await join('slow', 3_000)
      await until('both partitions to be handled', () => events.length === 2)
      const quick = await join('quick', 0)
      // Either member may be notified first.
      await until('both to have a part', () => quick.assigned().length === 1 && joined.length > 2)
      expect(joined).toEqual(['slow has 2', ...joined.slice(1)])
      expect(joined.slice(1).toSorted()).toEqual(['quick has 1', 'slow has 1'])
      expect(events.slice(2).toSorted()).toEqual(['slow ends 0', 'slow ends 1'])
      await Promise.all([slow.stop(), quick.stop()])
      await hasty.close()
    })

    test('a broker paused eight times neither loses nor duplicates a record', async () => {
      const topic = aTopic({ partitions })
      await log.applyTopics([topic])
      const reading = await following(topic.name)
      const writing = appending(topic.name, 12)
      for (const ms of [300, 4_000, 500, 2_000, 800, 3_400, 300, 1_200]) {
        const before = writing.acknowledged.size
        await until('appends to be acknowledged', () => writing.acknowledged.size > before + 200)
        await faults.pause(ms)
      }
      const before = writing.acknowledged.size
      await until('appends to be acknowledged again', () => writing.acknowledged.size > before + 200)
      await writing.stop()
      expect(writing.refused).toEqual([])
      await expectEachOnce(topic.name, writing.acknowledged, reading)
      await reading.reader.stop()
    })

    test('a broker killed and restarted neither loses nor duplicates a record; appends are refused in time while it is down', async () => {
      const topic = aTopic({ partitions })
      await log.applyTopics([topic])
      const reading = await following(topic.name)
      const writing = appending(topic.name, 12)
      for (let round = 0; round < 2; round++) {
        const before = writing.acknowledged.size
        await until('appends to be acknowledged', () => writing.acknowledged.size > before + 500, 60_000)
        await faults.kill()
        if (round === 0) {
          await until('an append to be refused', () => writing.refused.length > 0)
          const metadata = performance.now()
          await expectCode(log.ends(topic.name), 'LOG_UNAVAILABLE')
          expect(performance.now() - metadata).toBeLessThan(appendTimeoutMs + 1_500)
        }
        await faults.start()
      }
      const before = writing.acknowledged.size
      await until('appends to be acknowledged again', () => writing.acknowledged.size > before + 500, 60_000)
      await writing.stop()
      expect(writing.refused.length).toBeGreaterThan(0)
      for (const error of writing.refused) expect(isContractError(error, 'LOG_UNAVAILABLE'), String(error)).toBe(true)
      expect(writing.slowestMs.value).toBeLessThan(appendTimeoutMs + 1_500)
      await expectEachOnce(topic.name, writing.acknowledged, reading)
      await reading.reader.stop()
    })

    test('while the broker is down, pending bytes are bounded and appends over the bound are refused immediately', async () => {
      const topic = aTopic({ partitions })
      await log.applyTopics([topic])
      await log.append(topic.name, [aRecord('a')])
      await faults.kill()
      try {
        const value = new Uint8Array(64 << 10)
        const errors: unknown[] = []
        const started = performance.now()
        const appends = Array.from({ length: 400 }, () =>
          log.append(topic.name, [{ key: 'k', value, partition: 0 }]).catch((error: unknown) => errors.push(error)),
        )
        await until('those over the bound to be refused', () => errors.length > 200, 1_000)
        expect(log.pendingBytes()).toBeLessThanOrEqual(maxPendingBytes)
        expect(log.pendingBytes()).toBeGreaterThan(maxPendingBytes / 2)
        await Promise.all(appends)
        expect(errors).toHaveLength(400)
        expect(performance.now() - started).toBeLessThan(appendTimeoutMs + 1_500)
        for (const error of errors) {
          expect(isContractError(error, 'LOG_UNAVAILABLE') && error.retryable, String(error)).toBe(true)
        }
      } finally {
        await faults.start()
      }
      await until('what was being sent to be settled', () => log.pendingBytes() === 0, 60_000)
      await log.append(topic.name, [aRecord('b')])
    })

    test('every call to a broker that never existed rejects with LOG_UNAVAILABLE in time', async () => {
      const nowhere = createKafkaEventLog({
        brokers: ['127.0.0.1:1'],
        client,
        clientId: 'nowhere',
        clock,
        appendTimeoutMs: 500,
      })
      const topic = aTopic().name
      const reading = {
        topics: [topic],
        onBatch: () => Promise.resolve(),
        maxBatchRecords: 1,
        onError: () => undefined,
      }
      const started = performance.now()
      await Promise.all([
        expectCode(nowhere.append(topic, [aRecord('a')]), 'LOG_UNAVAILABLE'),
        expectCode(nowhere.partitionCount(topic), 'LOG_UNAVAILABLE'),
        expectCode(nowhere.ends(topic), 'LOG_UNAVAILABLE'),
        expectCode(nowhere.applyTopics([aTopic()]), 'LOG_UNAVAILABLE'),
        expectCode(nowhere.readAll({ ...reading, startAt: () => null }), 'LOG_UNAVAILABLE'),
        expectCode(
          nowhere.readGroup({ ...reading, group: 'g', startAt: () => Promise.resolve(null) }),
          'LOG_UNAVAILABLE',
        ),
      ])
      expect(performance.now() - started).toBeLessThan(1_500)
      await nowhere.close()
    })
  })
}
