import { spawn } from 'node:child_process'
import { isContractError } from '@freshet/contracts/errors'
import type { LogReader } from '@freshet/contracts/ports/event-log'
import { describe, expect, onTestFinished, test } from 'vitest'
import { aRecord, aTopic, until } from '../suites/event-log.builders.ts'
import { createSystemClock } from '../system/clock.ts'
import { createKafkaEventLog } from './event-log.ts'
import type { KafkaClient } from './options.ts'

const clock = createSystemClock()
const memberScript = new URL('../testing/group-member.ts', import.meta.url).pathname
/** Of a session of 10 s, which it would take without a name. */
const backWithinMs = 2_000

/** Tests that a group member with a stable name keeps its partitions when it restarts. */
export function groupInstances(brokers: readonly string[], client: KafkaClient): void {
  describe('members with a stable name: Kafka', () => {
    async function aTopicOf(partitions: number) {
      const topic = aTopic({ partitions })
      const log = createKafkaEventLog({ brokers, client, clientId: 'named', clock, replicationFactor: 1 })
      onTestFinished(() => log.close())
      await log.applyTopics([topic])
      const records = Array.from({ length: partitions }, (_, partition) => aRecord('a', { partition }))
      await log.append(topic.name, records)
      return topic.name
    }

    async function aMember(topic: string, groupInstance: string) {
      const log = createKafkaEventLog({ brokers, client, clientId: 'named', clock, heartbeatMs: 200, groupInstance })
      onTestFinished(() => log.close())
      const read: string[] = []
      const told: Error[] = []
      let revoked = 0
      const reader: LogReader = await log.readGroup({
        group: `g-${topic}`,
        topics: [topic],
        maxBatchRecords: 100,
        startAt: () => Promise.resolve(0),
        onRevoked: () => {
          revoked += 1
        },
        onError: (error) => void told.push(error),
        onBatch({ partition, next }) {
          read.push(`${partition} ${next}`)
          return Promise.resolve()
        },
      })
      return { log, read, told, reader, revoked: () => revoked }
    }

    test('a member killed and restarted reads its partition immediately, and no other member loses any', async () => {
      const topic = await aTopicOf(2)
      const other = await aMember(topic, '')
      await until('the first to have both', () => other.reader.assigned().length === 2)
      const killed = spawn(process.execPath, [memberScript, brokers.join(','), topic, `g-${topic}`, 'x', client], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const ended = new Promise((resolve) => killed.once('exit', resolve))
      onTestFinished(() => void killed.kill('SIGKILL'))
      let seen = ''
      killed.stdout.on('data', (text: Buffer) => (seen += text.toString()))
      await until('the second to read its part', () => seen !== '', 30_000)
      const partition = Number(seen[0])
      const revokedBefore = other.revoked()
      killed.kill('SIGKILL')
      await ended

      const startedMs = performance.now()
      const again = await aMember(topic, 'x')
      await until('it to read again', () => again.read.length > 0)
      expect(performance.now() - startedMs).toBeLessThan(backWithinMs)
      expect(again.reader.assigned()).toEqual([{ topic, partition }])
      expect(other.revoked()).toBe(revokedBefore)
      expect(other.reader.assigned()).toEqual([{ topic, partition: 1 - partition }])
    })

    test('of two members with one name, the older one gets LOG_MEMBER_REPLACED and stops for good', async () => {
      const topic = await aTopicOf(1)
      const first = await aMember(topic, 'y')
      await until('the first to read', () => first.read.length === 1)
      const second = await aMember(topic, 'y')
      await until('the second to read', () => second.read.length === 1)
      await until('the first to get the error', () =>
        first.told.some((error) => isContractError(error, 'LOG_MEMBER_REPLACED')),
      )
      await until('the first to have nothing', () => first.reader.assigned().length === 0)
      await first.reader.stop()
      await second.log.append(topic, [aRecord('b', { partition: 0 })])
      await until('the second to read on', () => second.read.length === 2)
      expect(first.read).toHaveLength(1)
    })

    test('a leaving member hands its partitions to the others immediately', async () => {
      const topic = await aTopicOf(2)
      const leaver = await aMember(topic, 'z')
      await until('it to have both', () => leaver.reader.assigned().length === 2)
      const stayer = await aMember(topic, '')
      await until('each to have one', () => stayer.reader.assigned().length === 1)
      const leftMs = performance.now()
      await leaver.reader.stop()
      await until('the other to have both', () => stayer.reader.assigned().length === 2)
      expect(performance.now() - leftMs).toBeLessThan(backWithinMs)
    })
  })
}
