import type { EventLog, LogBatch } from '@freshet/contracts/ports/event-log'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { aRecord, aTopic, until } from '../suites/event-log.builders.ts'
import { createSystemClock } from '../system/clock.ts'
import { createKafkaEventLog } from './event-log.ts'
import type { KafkaClient } from './options.ts'
import { deleteTopic } from './testing.ts'

/** Tests of a topic that is deleted and created again under a running client. */
export function replacedTopics(brokers: readonly string[], client: KafkaClient): void {
  describe('A2 · a Kafka topic that was created again', () => {
    let log: EventLog
    beforeAll(() => {
      const clock = createSystemClock()
      log = createKafkaEventLog({
        brokers,
        client,
        clientId: 'replaced',
        clock,
        heartbeatMs: 200,
        replicationFactor: 1,
      })
    })
    afterAll(() => log.close())

    test('A2: is another log under the same name', async () => {
      const topic = aTopic({ partitions: 1 })
      await log.applyTopics([topic])
      const before = await log.identity(topic.name)
      expect(before).toMatch(/^[\w-]{22}$/)
      expect(await log.identity(topic.name)).toBe(before)
      await deleteTopic(brokers, topic.name)
      await log.applyTopics([topic])
      const after = await log.identity(topic.name)
      expect(after).toMatch(/^[\w-]{22}$/)
      expect(after).not.toBe(before)
    })

    test('A2: reports LOG_REPLACED to a reader beyond its end, which then calls startAt again', async () => {
      const topic = aTopic({ partitions: 1 })
      await log.applyTopics([topic])
      await log.append(topic.name, [aRecord('a'), aRecord('b'), aRecord('c')])
      let start = 0
      const errors: string[] = []
      const batches: LogBatch[] = []
      const reader = await log.readAll({
        topics: [topic.name],
        maxBatchRecords: 10,
        startAt: () => start,
        onError: (error) => errors.push((error as { code?: string }).code ?? error.message),
        onBatch: (batch) => Promise.resolve(void batches.push(batch)),
      })
      await until('the old records', () => batches.flatMap(({ records }) => records).length === 3)
      start = 3
      await deleteTopic(brokers, topic.name)
      await log.applyTopics([topic])
      await log.append(topic.name, [aRecord('d')])
      await until('the reader to notice', () => errors.includes('LOG_REPLACED'))
      start = 0
      await until('the new record', () => batches.flatMap(({ records }) => records).length === 4)
      await reader.stop()
    })

    test('A2: is read from the result of startAt after a restart of its reader', async () => {
      const topic = aTopic({ partitions: 1 })
      await log.applyTopics([topic])
      await log.append(topic.name, [aRecord('a'), aRecord('b')])
      const positions: number[] = []
      const reader = await log.readAll({
        topics: [topic.name],
        maxBatchRecords: 10,
        startAt: () => 0,
        onError: () => undefined,
        onBatch: ({ records }) => Promise.resolve(void positions.push(...records.map(({ position }) => position))),
      })
      await until('both records', () => positions.length === 2)
      reader.restart(topic.name)
      await until('them again', () => positions.length === 4)
      expect(positions).toEqual([0, 1, 0, 1])
      await reader.stop()
    })
  })
}
