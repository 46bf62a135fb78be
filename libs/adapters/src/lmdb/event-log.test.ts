import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EventLog, LogRecord, TopicLayout } from '@freshet/contracts/ports/event-log'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createVirtualClock } from '../memory/clock.ts'
import { aRecord, aTopic, expectCode, until } from '../suites/event-log.builders.ts'
import { openEnvironment } from './environment.ts'
import { createLmdbEventLog } from './event-log.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'freshet-log-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function openLog(compactEveryMs: number | null = null, compactSliceRecords = 3) {
  const clock = createVirtualClock(1_000)
  const environment = await openEnvironment({ folder })
  const log = createLmdbEventLog({ environment, clock, compactEveryMs, compactSliceRecords })
  return {
    clock,
    environment,
    log,
    async close() {
      await log.close()
      await environment.close()
    },
  }
}

async function recordsIn(log: EventLog, topic: string, startAt: number | null = null) {
  const records: LogRecord[] = []
  const errors: string[] = []
  const reader = await log.readAll({
    topics: [topic],
    onBatch: (batch) => Promise.resolve(void records.push(...batch.records)),
    maxBatchRecords: 4,
    onError: ({ message }) => void errors.push(message),
    startAt: () => startAt,
  })
  await until('the end', async () => (await reader.lag()) === 0)
  await reader.stop()
  return { records, errors, positions: records.map(({ position }) => position) }
}

const topicWith = (overrides: Partial<TopicLayout> = {}) => aTopic({ partitions: 1, ...overrides })

describe('LMDB event log', () => {
  test('appends that wait for the same transaction keep their order, and each gets the positions of its own records', async () => {
    const topic = topicWith()
    const { log, close } = await openLog()
    await log.applyTopics([topic])
    const sizes = [2, 1, 1_500, 3, 700, 1]
    const answers = await Promise.all(
      sizes.map((size, n) =>
        log.append(
          topic.name,
          Array.from({ length: size }, (_, i) => aRecord(`${n}-${i}`)),
        ),
      ),
    )
    expect(answers.map((positions) => positions.length)).toEqual(sizes)
    const all = answers.flat().map(({ position }) => position)
    expect(all).toEqual(Array.from({ length: all.length }, (_, i) => i))
    const { records } = await recordsIn(log, topic.name)
    const wanted = sizes.flatMap((size, n) => Array.from({ length: size }, (_, i) => `${n}-${i}`))
    expect(records.map(({ value }) => Buffer.from(value ?? []).toString())).toEqual(wanted)
    await close()
    await expectCode(log.append(topic.name, [aRecord('late')]), 'LOG_CLOSED')
  })

  test('keeps its records when it is opened again, and continues after them', async () => {
    const topic = topicWith({ partitions: 2, cleanup: 'compact' })
    const before = await openLog()
    await before.log.applyTopics([topic])
    await before.log.append(topic.name, [aRecord('a'), aRecord('b'), aRecord('c', { key: 'other' })])
    const ends = await before.log.ends(topic.name)
    await before.close()

    const after = await openLog()
    expect(await after.log.applyTopics([topic])).toEqual([{ name: topic.name, outcome: 'unchanged' }])
    expect(await after.log.ends(topic.name)).toEqual(ends)
    expect(await after.log.identity(topic.name)).toBe('lmdb-rs')
    await after.log.append(topic.name, [aRecord('d')])
    const { records } = await recordsIn(after.log, topic.name)
    expect(records.map(({ key, value }) => `${key}=${Buffer.from(value ?? []).toString()}`).toSorted()).toEqual([
      'k=d',
      'other=c',
    ])
    await after.close()
  })

  test('values that were read lie together in a few pieces of memory, and stay as they were', async () => {
    const topic = topicWith()
    const { log, close } = await openLog()
    await log.applyTopics([topic])
    // One of them is larger than a piece.
    const texts = Array.from({ length: 400 }, (_, i) => `${i} `.repeat(i === 200 ? 90_000 : 1 + (i % 60)))
    await log.append(
      topic.name,
      texts.map((text) => aRecord(text)),
    )
    const first = await recordsIn(log, topic.name)
    const second = await recordsIn(log, topic.name)
    for (const { records } of [first, second]) {
      expect(records.map(({ value }) => Buffer.from(value ?? []).toString())).toEqual(texts)
      expect(new Set(records.map(({ value }) => value?.buffer)).size).toBeLessThanOrEqual(4)
    }
    await close()
  })

  test('positions survive a log that retention has emptied', async () => {
    const topic = topicWith({ retentionMs: 100 })
    const before = await openLog()
    await before.log.applyTopics([topic])
    await before.log.append(
      topic.name,
      Array.from({ length: 10 }, () => aRecord('a')),
    )
    await before.clock.advance(101)
    await before.log.compact()
    expect([await before.log.starts(topic.name), await before.log.ends(topic.name)]).toEqual([[10], [10]])
    await before.close()
    const after = await openLog()
    expect(await after.log.append(topic.name, [aRecord('b')])).toEqual([{ partition: 0, position: 10 }])
    await after.close()
  })

  test('a compaction round deletes expired records in slices, and readers report the gap', async () => {
    const topic = topicWith({ retentionMs: 1_000 })
    const { log, clock, close } = await openLog(500)
    await log.applyTopics([topic])
    await log.append(
      topic.name,
      Array.from({ length: 10 }, () => aRecord('old')),
    )
    await clock.advance(700)
    await log.append(topic.name, [aRecord('new')])
    await clock.advance(800)
    await until('the old records to be gone', async () => (await log.starts(topic.name))[0] === 10)
    expect((await recordsIn(log, topic.name)).errors).toEqual([])
    const late = await recordsIn(log, topic.name, 4)
    expect(late.positions).toEqual([10])
    expect(late.errors).toEqual([
      `positions 4 to 10 of ${topic.name}/0 were deleted by retention before they were read`,
    ])
    await close()
  })

  test('a removal stays in a compacted topic for a day', async () => {
    const topic = topicWith({ cleanup: 'compact' })
    const { log, clock, close } = await openLog()
    await log.applyTopics([topic])
    await log.append(topic.name, [aRecord('a'), aRecord(null), aRecord('other', { key: 'other' })])
    await log.compact()
    expect((await recordsIn(log, topic.name)).positions).toEqual([1, 2])
    await clock.advance(86_400_001)
    await log.compact()
    expect((await recordsIn(log, topic.name)).positions).toEqual([2])
    expect(await log.append(topic.name, [aRecord('again')])).toEqual([{ partition: 0, position: 3 }])
    expect((await recordsIn(log, topic.name)).positions).toEqual([2, 3])
    await close()
  })

  test('a topic that becomes compacted keeps the last record of each key', async () => {
    const topic = topicWith()
    const { log, close } = await openLog()
    await log.applyTopics([topic])
    await log.append(topic.name, [aRecord('a'), aRecord('b', { key: 'x'.repeat(5_000) }), aRecord('c')])
    await log.applyTopics([{ ...topic, cleanup: 'compact' }])
    expect((await recordsIn(log, topic.name)).positions).toEqual([1, 2])
    await log.append(topic.name, [aRecord('d', { key: 'x'.repeat(5_000) })])
    expect((await recordsIn(log, topic.name)).positions).toEqual([2, 3])
    await close()
  })

  test('a topic with a compaction lag keeps a superseded record until the later one is older than the lag', async () => {
    const topic = topicWith({ cleanup: 'compact', minCompactionLagMs: 86_400_000 })
    const { log, clock, close } = await openLog()
    await log.applyTopics([topic])
    await log.append(topic.name, [aRecord('a')])
    await clock.advance(10 * 86_400_000)
    await log.append(topic.name, [aRecord('b'), aRecord('other', { key: 'other' })])
    await log.append(topic.name, [aRecord('c')])
    await clock.advance(86_399_999)
    await log.append(topic.name, [aRecord('d')])
    await log.compact()
    expect((await recordsIn(log, topic.name)).positions).toEqual([0, 1, 2, 3, 4])
    await clock.advance(1)
    await log.compact()
    expect((await recordsIn(log, topic.name)).positions).toEqual([2, 3, 4])
    await clock.advance(86_400_000)
    await log.compact()
    expect((await recordsIn(log, topic.name)).positions).toEqual([2, 4])
    await close()
  })

  test('with a compaction lag a removal goes after what it superseded, and never takes a later record along', async () => {
    const topic = topicWith({ cleanup: 'compact', minCompactionLagMs: 2 * 86_400_000 })
    const { log, clock, close } = await openLog()
    await log.applyTopics([topic])
    await log.append(topic.name, [
      ...Array.from({ length: 10 }, (_, i) => aRecord('a', { key: `k${i}` })),
      ...Array.from({ length: 10 }, (_, i) => aRecord(null, { key: `k${i}` })),
      aRecord('again', { key: 'k9' }),
    ])
    await clock.advance(2 * 86_400_000 - 1)
    await log.compact()
    expect((await recordsIn(log, topic.name)).positions).toHaveLength(21)
    await clock.advance(2)
    await log.compact()
    expect((await recordsIn(log, topic.name)).positions).toEqual([20])
    await log.append(topic.name, [aRecord('last', { key: 'k9' })])
    await clock.advance(3 * 86_400_000)
    await log.compact()
    expect((await recordsIn(log, topic.name)).positions).toEqual([21])
    await close()
  })

  test('a reader whose stored position is beyond the end reports it and waits', async () => {
    const topic = topicWith()
    const { log, clock, close } = await openLog()
    await log.applyTopics([topic])
    const errors: string[] = []
    const read: number[] = []
    const reader = await log.readAll({
      topics: [topic.name],
      onBatch: (batch) => Promise.resolve(void read.push(batch.from, ...batch.records.map(({ position }) => position))),
      maxBatchRecords: 4,
      onError: ({ message }) => void errors.push(message),
      startAt: () => 2,
    })
    await until('an error', () => errors.length > 0)
    expect(errors[0]).toContain(`${topic.name}/0 ends at 0, before the position 2 read next`)
    expect(errors[0]).toContain('freshet log adopt')
    for (const value of ['a', 'b', 'c']) await log.append(topic.name, [aRecord(value)])
    await until('the third record', async () => {
      await clock.advance(100)
      return read.length > 0
    })
    expect(read).toEqual([2, 2])
    await reader.stop()
    await close()
  })
})

describe('a data folder', () => {
  const environmentModule = new URL('./environment.ts', import.meta.url).href
  const holding = (where: string) =>
    spawn(process.execPath, [
      '--input-type=module',
      '-e',
      `const { openEnvironment } = await import(${JSON.stringify(environmentModule)})
       await openEnvironment({ folder: ${JSON.stringify(where)} }).then(
         () => { console.log('open'); setInterval(() => {}, 1000) },
         (error) => console.log(error.code + ': ' + error.message))`,
    ])

  test('belongs to one process; a killed process does not keep it', async () => {
    const process = holding(folder)
    let said = ''
    process.stdout.on('data', (data) => (said += String(data)))
    await until('the other process to open the folder', () => said === 'open\n')
    const error = await openEnvironment({ folder }).catch((thrown: unknown) => thrown)
    expect(String(error)).toContain(
      `the data folder ${folder} is in use by another process (pid ${process.pid}); stop it, or give another folder`,
    )
    await expectCode(openEnvironment({ folder }), 'STORE_IN_USE')
    process.kill('SIGKILL')
    await new Promise((resolve) => process.once('exit', resolve))
    const environment = await openEnvironment({ folder })
    await environment.close()
  })

  test('can be opened once within a process, and again after closing', async () => {
    const environment = await openEnvironment({ folder })
    await expectCode(openEnvironment({ folder }), 'STORE_IN_USE')
    await environment.close()
    await environment.close()
    await expectCode(
      environment.transaction(() => 1),
      'STORE_CLOSED',
    )
    await (await openEnvironment({ folder })).close()
  })

  test('runs several works in one transaction; only the one that throws fails', async () => {
    const environment = await openEnvironment({ folder })
    const database = environment.database('d')
    const key = Buffer.from('k')
    const outcomes = await Promise.allSettled([
      environment.transaction(() => void database.put(key, Buffer.from('1'))),
      environment.transaction(() => {
        throw new Error('no')
      }),
      environment.transaction(() => Buffer.from(database.get(key) ?? []).toString()),
    ])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(outcomes[2]).toEqual({ status: 'fulfilled', value: '1' })
    expect(database.get(key)?.byteLength).toBe(1)
    await environment.close()
  })
})
