import type { LogReader } from '@freshet/contracts/ports/event-log'
import { describe, expect, onTestFinished, test } from 'vitest'
import { aRecord, aTopic, until } from '../suites/event-log.builders.ts'
import { createSystemClock } from '../system/clock.ts'
import { createKafkaEventLog } from './event-log.ts'
import { kafkaClients, type KafkaClient } from './options.ts'

const partitions = 4
const clock = createSystemClock()

/** Tests that processes with different client libraries can share a group, as they do while the setting is being rolled out. */
export function mixedClients(brokers: readonly string[]): void {
  describe('processes that reach Kafka by different client libraries', () => {
    async function aMember(client: KafkaClient, topic: string, stored: Map<number, number>) {
      const log = createKafkaEventLog({ brokers, client, clientId: client, clock, heartbeatMs: 200 })
      onTestFinished(() => log.close())
      const read: string[] = []
      const reader: LogReader = await log.readGroup({
        group: `g-${topic}`,
        topics: [topic],
        maxBatchRecords: 100,
        onError: () => undefined,
        startAt: ({ partition }) => Promise.resolve(stored.get(partition) ?? 0),
        onBatch({ partition, next, records }) {
          for (const { value } of records) read.push(new TextDecoder().decode(value ?? new Uint8Array()))
          stored.set(partition, next)
          return Promise.resolve()
        },
      })
      return { log, read, reader }
    }

    test.each(kafkaClients)('share a group led by %s, and read each record exactly once', async (leader) => {
      const other = leader === 'kafkajs' ? 'platformatic' : 'kafkajs'
      const topic = aTopic({ partitions })
      const maker = createKafkaEventLog({ brokers, client: other, clientId: 'maker', clock, replicationFactor: 1 })
      onTestFinished(() => maker.close())
      await maker.applyTopics([topic])
      const stored = new Map<number, number>()
      const first = await aMember(leader, topic.name, stored)
      await until('the first to have all', () => first.reader.assigned().length === partitions)
      const second = await aMember(other, topic.name, stored)
      await until('each to have half', () =>
        [first, second].every(({ reader }) => reader.assigned().length === partitions / 2),
      )
      const values = Array.from({ length: 40 }, (_, i) => String(i))
      const spread = values.map((value, i) => aRecord(value, { partition: i % partitions }))
      await first.log.append(topic.name, spread.slice(0, 20))
      await second.log.append(topic.name, spread.slice(20))
      await until('all to be read', () => first.read.length + second.read.length >= values.length)
      expect([...first.read, ...second.read].toSorted()).toEqual(values.toSorted())
      expect([first.read.length, second.read.length]).toEqual([20, 20])
      await first.reader.stop()
      await until('the second to have all', () => second.reader.assigned().length === partitions)
      await maker.append(topic.name, [aRecord('last', { partition: 0 }), aRecord('last', { partition: 1 })])
      await until('both to be read', () => second.read.filter((value) => value === 'last').length === 2)
    })
  })
}
