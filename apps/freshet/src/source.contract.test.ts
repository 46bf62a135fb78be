import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createKafkaEventLog } from '@freshet/adapters/kafka/event-log'
import { deleteTopic, transact } from '@freshet/adapters/kafka/testing'
import { createMemoryStateStore } from '@freshet/adapters/memory/state-store'
import { createSystemClock } from '@freshet/adapters/system/clock'
import { kafkaServer } from '@freshet/adapters/testing/kafka-server'
import { topicLayouts } from '@freshet/contracts/topics'
import { updaterConfigOf } from '@freshet/feature-updater/config'
import { createUpdater } from '@freshet/feature-updater/updater'
import { until } from '@freshet/service/testing'
import { afterAll, describe, expect, it, onTestFinished, test } from 'vitest'
import { clicksIn, expectedOf, placesIn, readSource, sourceAct, sourceRecords, sourceTopic } from './source.fixture.ts'

const partitions = 4
const clock = createSystemClock()
const kafka = await kafkaServer()
afterAll(async () => {
  if ('target' in kafka) await kafka.stop()
})

if ('absent' in kafka) test.skip(`another system's topic on Kafka: ${kafka.absent}`)
else exactlyOnce(kafka.target.brokers)

function exactlyOnce(brokers: readonly string[]): void {
  const script = new URL('./source.fixture.ts', import.meta.url).pathname
  const startReader = () => {
    const child = spawn(process.execPath, [script, brokers.join(',')], { stdio: ['ignore', 'pipe', 'inherit'] })
    onTestFinished(() => void child.kill('SIGKILL'))
    let lines = 0
    child.stdout.on('data', (chunk: Buffer) => (lines += chunk.toString().split('\n').length - 1))
    return {
      batches: () => lines,
      async kill() {
        child.kill('SIGKILL')
        await once(child, 'exit')
      },
    }
  }
  const openLog = () => {
    const log = createKafkaEventLog({ brokers, clientId: 'source-test', clock, replicationFactor: 1 })
    onTestFinished(() => log.close())
    return log
  }
  const aSource = async () => {
    const log = openLog()
    await log.applyTopics(topicLayouts(partitions))
    await deleteTopic(brokers, sourceTopic).catch(() => undefined)
    await log.applyTopics([
      { name: sourceTopic, partitions: 3, cleanup: 'delete', retentionMs: null, maxRecordBytes: 1 << 20 },
    ])
    return log
  }

  describe("another system's topic on Kafka", () => {
    it('is read exactly once although its readers are killed with -9 again and again', async () => {
      const log = await aSource()
      const topicId = (await log.identity(sourceTopic)) ?? ''
      const total = 12_000
      const kills = 4
      await log.append(sourceTopic, sourceRecords(0, total))
      const readers = [startReader(), startReader()]
      for (let kill = 0; kill < kills; kill++) {
        await until('some reader is at work', () => readers.some(({ batches }) => batches() >= 20), 60_000)
        const busy = readers.findIndex(({ batches }) => batches() >= 20)
        const [reader] = readers.splice(busy, 1, startReader())
        await reader?.kill()
      }
      const expected = await expectedOf(log)
      await until(
        'all records are in the log',
        async () => {
          const { accepted, deadLettered } = await placesIn(log, topicId)
          return accepted.size >= expected.accepted.size && deadLettered.size >= expected.deadLettered.size
        },
        60_000,
      )
      for (const reader of readers) await reader.kill()
      const { accepted, deadLettered } = await placesIn(log, topicId)
      expect(new Set(accepted.keys())).toEqual(expected.accepted)
      expect(deadLettered).toEqual(expected.deadLettered)
      expect(accepted.size + deadLettered.size + expected.skipped).toBe(total)
      const again = [...accepted.values()].reduce((sum, times) => sum + times - 1, 0)
      expect(again).toBeGreaterThan(0)
      console.info(
        `source: ${total} records = ${accepted.size} accepted + ${deadLettered.size} dead-lettered + ${expected.skipped} skipped; ${kills} kills; ${again} records came into the log again`,
      )

      const store = createMemoryStateStore({ clock })
      const config = updaterConfigOf({ updater: { canaryEveryMs: 0 } })
      const updater = createUpdater({ log: openLog(), store, clock, config })
      await updater.start()
      const ends = await log.ends('engagements.v1')
      await until(
        'all is folded',
        async () => {
          const stored = await store.positions('user.1', [...ends.keys()])
          return ends.every((end, partition) => (stored[partition] ?? 0) >= end)
        },
        60_000,
      )
      await updater.stop()
      expect(await clicksIn(store, partitions)).toEqual(expected.clicks)
    }, 240_000)

    it('goes on where its group stopped, and reads a topic that was created again from its beginning', async () => {
      const log = await aSource()
      await log.append(sourceTopic, sourceRecords(0, 100))
      const first = readSource(log, log)
      await until('it has read all', async () => sum(await first.counts()) === 100, 60_000)
      await first.component.drain?.()
      await log.append(sourceTopic, sourceRecords(100, 50))
      const second = readSource(log, log, { from: 'latest' })
      await until('it goes on', async () => sum(await second.counts()) >= 50, 60_000)
      await deleteTopic(brokers, sourceTopic)
      await log.applyTopics([
        { name: sourceTopic, partitions: 1, cleanup: 'delete', retentionMs: null, maxRecordBytes: 1 << 20 },
      ])
      await second.component.drain?.()
      const third = readSource(log, log)
      await log.append(sourceTopic, sourceRecords(0, 20))
      await until('it reads the new topic', async () => sum(await third.counts()) >= 20, 60_000)
      expect([sum(await second.counts()), sum(await third.counts())]).toEqual([50, 20])
      await third.component.drain?.()
    }, 120_000)

    it('that is read from its end begins there for good, whoever reads first', async () => {
      const log = await aSource()
      const topicId = (await log.identity(sourceTopic)) ?? ''
      await log.append(sourceTopic, sourceRecords(0, 30))
      const group = `from-latest-${topicId}`
      expect(await log.committed(group, sourceTopic)).toEqual([null, null, null])
      const ends = await log.ends(sourceTopic)
      await log.begin(group, sourceTopic, ends)
      expect(await log.committed(group, sourceTopic)).toEqual(ends)
      const member = await log.readGroup({
        group,
        topics: [sourceTopic],
        maxBatchRecords: 10,
        startAt: async ({ partition }) => ends[partition] ?? null,
        onBatch: async () => undefined,
        onError: () => undefined,
      })
      await until('the group has a member', () => member.assigned().length === 3, 60_000)
      await log.begin(group, sourceTopic, [0, 0, 0])
      expect(await log.committed(group, sourceTopic)).toEqual(ends)
      await member.stop()

      const reader = readSource(log, log, { from: 'latest' })
      await until('it is ready', () => reader.component.warning?.() === null, 60_000)
      await log.append(sourceTopic, sourceRecords(30, 20))
      await until('it reads what came later', async () => sum(await reader.counts()) >= 20, 60_000)
      expect(sum(await reader.counts())).toBe(20)
      await reader.component.drain?.()
    }, 120_000)

    it('does not take what a transaction of its producer took back', async () => {
      const log = await aSource()
      const values = (from: number) => Array.from({ length: 5 }, (_, row) => sourceAct(from + row).value)
      await transact(brokers, sourceTopic, values(100), 'abort')
      await transact(brokers, sourceTopic, values(200), 'commit')
      await transact(brokers, sourceTopic, values(300), 'abort')
      await log.append(sourceTopic, [{ key: '0', value: Buffer.from(sourceAct(0).value), partition: 0 }])
      const reader = readSource(log, log)
      await until('it reads what was committed', async () => sum(await reader.counts()) >= 6, 60_000)
      await clock.sleep(200)
      expect(sum(await reader.counts())).toBe(6)
      await reader.component.drain?.()
    })
  })
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0)
}
