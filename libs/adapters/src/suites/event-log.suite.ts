import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { isContractError } from '@freshet/contracts/errors'
import type { ErrorCode } from '@freshet/contracts/errors'
import { maxHeaders, maxHeadersBytes, noHeaders } from '@freshet/contracts/headers'
import type { MessageHeaders } from '@freshet/contracts/headers'
import type {
  BatchVerdict,
  EventLog,
  GroupReaderOptions,
  LogBatch,
  LogReader,
  NewRecord,
  TopicLayout,
  TopicPartition,
} from '@freshet/contracts/ports/event-log'
import type { PortCall } from '@freshet/contracts/ports/port-call'
import { partitionOf } from '@freshet/domain/partition'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

/** A log under test with two handles, like two processes (the same handle twice if the log lives in one process). */
export interface EventLogFixture {
  readonly log: EventLog
  readonly other: EventLog
  /** A further handle, which the test closes and on which this topic exists. */
  open(topic: TopicLayout): Promise<EventLog>
  /** Makes the log compact a topic, if necessary by appending something; called again until it has. */
  compact(topic: string): Promise<void>
  /** Makes the log delete all records of a topic, as retention does. */
  expire(topic: TopicLayout): Promise<void>
  /** Whether records live outside this process's memory, so that a reader's memory can be measured. */
  readonly storesElsewhere: boolean
  dispose(): Promise<void>
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (value: Uint8Array | null): string | null => (value === null ? null : new TextDecoder().decode(value))
const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`

/** A record for a given partition, or for its key's. */
export function aRecord(value: string | null, { key = 'k', partition = null as number | null } = {}): NewRecord {
  return { key, value: value === null ? null : bytes(value), partition }
}

/** Polls a condition until it holds; fails after `deadlineMs` with the description of the condition. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, deadlineMs = 30_000): Promise<void> {
  for (const end = performance.now() + deadlineMs; !(await holds());) {
    if (performance.now() > end) throw new Error(`gave up waiting after ${deadlineMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Fails unless the work rejects with this code. */
export async function expectCode(work: Promise<unknown>, code: ErrorCode): Promise<void> {
  const error = await work.then(
    (value) => new Error(`resolved with ${JSON.stringify(value)}`),
    (thrown: unknown) => thrown,
  )
  expect(isContractError(error, code), `${String(error)} is not ${code}`).toBe(true)
}

let topicNumber = 0

/** A topic that no other test uses. */
export function aTopic(overrides: Partial<TopicLayout> = {}): TopicLayout {
  return {
    name: `t${Date.now().toString(36)}-${topicNumber++}`,
    partitions: 4,
    cleanup: 'delete',
    retentionMs: null,
    maxRecordBytes: 1 << 20,
    ...overrides,
  }
}

/** The contract of every event log. */
export function eventLogContract(name: string, makeFixture: () => Promise<EventLogFixture>): void {
  describe(`event log contract: ${name}`, () => {
    let fixture: EventLogFixture
    let log: EventLog
    const readers: LogReader[] = []

    beforeAll(async () => {
      fixture = await makeFixture()
      log = fixture.log
    })
    afterEach(async () => {
      await Promise.all(readers.splice(0).map((reader) => reader.stop()))
    })
    afterAll(() => fixture?.dispose())

    async function made(overrides: Partial<TopicLayout> = {}): Promise<string> {
      const layout = aTopic(overrides)
      await log.applyTopics([layout])
      return layout.name
    }

    type Handler = (batch: LogBatch, signal: AbortSignal) => Promise<BatchVerdict> | BatchVerdict

    async function view(topics: readonly string[], onBatch: Handler, maxBatchRecords = 1_000): Promise<LogReader> {
      const reader = await log.readAll({
        topics,
        onBatch: async (batch, signal) => onBatch(batch, signal),
        maxBatchRecords,
        onError: () => undefined,
        startAt: () => null,
      })
      readers.push(reader)
      return reader
    }

    async function member(
      on: EventLog,
      options: Pick<GroupReaderOptions, 'group' | 'topics' | 'startAt'> & Partial<GroupReaderOptions>,
      onBatch: Handler,
    ): Promise<LogReader> {
      const reader = await on.readGroup({
        maxBatchRecords: 1_000,
        onError: () => undefined,
        ...options,
        onBatch: async (batch, signal) => onBatch(batch, signal),
      })
      readers.push(reader)
      return reader
    }

    /** Reads everything up to the current ends. */
    async function readBack(topic: string, maxBatchRecords = 1_000): Promise<readonly LogBatch[]> {
      const batches: LogBatch[] = []
      const reader = await view([topic], (batch) => void batches.push(batch), maxBatchRecords)
      const [starts, ends] = [await log.starts(topic), await log.ends(topic)]
      await until(`${topic} to be read to its end`, () =>
        ends.every((end, partition) => end === starts[partition] || (reader.handled({ topic, partition }) ?? 0) >= end),
      )
      await reader.stop()
      return batches
    }

    const recordsOf = (batches: readonly LogBatch[], partition: number) =>
      batches.filter((batch) => batch.partition === partition).flatMap((batch) => batch.records)

    describe('topics', () => {
      test('applying layouts twice changes nothing, and retention can be altered', async () => {
        const topic = aTopic({ retentionMs: 3_600_000 })
        expect(await log.applyTopics([topic])).toEqual([{ name: topic.name, outcome: 'created' }])
        expect(await log.applyTopics([topic])).toEqual([{ name: topic.name, outcome: 'unchanged' }])
        const longer = { ...topic, retentionMs: 7_200_000 }
        expect(await log.applyTopics([longer])).toEqual([{ name: topic.name, outcome: 'altered' }])
        expect(await log.applyTopics([longer])).toEqual([{ name: topic.name, outcome: 'unchanged' }])
        const compacted: TopicLayout = { ...longer, cleanup: 'compact', retentionMs: null }
        expect(await log.applyTopics([compacted])).toEqual([{ name: topic.name, outcome: 'altered' }])
        expect(await log.applyTopics([compacted])).toEqual([{ name: topic.name, outcome: 'unchanged' }])
      })

      test('a new topic has its partitions, all empty', async () => {
        const topic = await made({ partitions: 3 })
        expect(await log.partitionCount(topic)).toBe(3)
        expect(await log.starts(topic)).toEqual([0, 0, 0])
        expect(await log.ends(topic)).toEqual([0, 0, 0])
      })

      test('refuses another number of partitions, and creates nothing of that call', async () => {
        const topic = aTopic()
        const fresh = aTopic()
        await log.applyTopics([topic])
        await expectCode(log.applyTopics([fresh, { ...topic, partitions: 5 }]), 'LOG_TOPIC_MISMATCH')
        expect(await log.partitionCount(topic.name)).toBe(4)
        await expectCode(log.partitionCount(fresh.name), 'LOG_TOPIC_MISSING')
      })

      test('every call rejects with LOG_TOPIC_MISSING for a missing topic', async () => {
        const { name: missing } = aTopic()
        const reading = {
          topics: [missing],
          onBatch: () => Promise.resolve(),
          maxBatchRecords: 1,
          onError: () => undefined,
        }
        await expectCode(log.partitionCount(missing), 'LOG_TOPIC_MISSING')
        await expectCode(log.starts(missing), 'LOG_TOPIC_MISSING')
        await expectCode(log.ends(missing), 'LOG_TOPIC_MISSING')
        await expectCode(log.append(missing, [aRecord('a')]), 'LOG_TOPIC_MISSING')
        await expectCode(log.readAll({ ...reading, startAt: () => null }), 'LOG_TOPIC_MISSING')
        await expectCode(
          log.readGroup({ ...reading, group: 'g', startAt: () => Promise.resolve(null) }),
          'LOG_TOPIC_MISSING',
        )
      })
    })

    describe('append', () => {
      test('returns positions in the order of the records, and each record is at its position', async () => {
        const topic = await made()
        const records = Array.from({ length: 300 }, (_, i) =>
          aRecord(`value ${i}`, { key: `user-${i % 37}`, partition: i % 5 === 0 ? i % 4 : null }),
        )
        const positions = await log.append(topic, records)
        const batches = await readBack(topic)
        expect(positions).toHaveLength(records.length)
        records.forEach((record, i) => {
          const { partition, position } = positions[i]!
          expect(partition).toBe(record.partition ?? partitionOf(record.key, 4))
          const found = recordsOf(batches, partition).find((read) => read.position === position)
          expect({ key: found?.key, value: text(found?.value ?? null) }).toEqual({
            key: record.key,
            value: `value ${i}`,
          })
        })
        expect(batches.reduce((sum, batch) => sum + batch.records.length, 0)).toBe(records.length)
      })

      test('keeps bytes unchanged: empty and null values, keys beyond ASCII, all byte values', async () => {
        const topic = await made({ partitions: 1 })
        const all = Uint8Array.from({ length: 256 }, (_, i) => i)
        await log.append(topic, [
          { key: 'leer', value: new Uint8Array(0), partition: null },
          { key: 'entfernt', value: null, partition: null },
          { key: 'Schlüssel 🗝', value: all, partition: null },
          { key: '', value: all, partition: 0 },
        ])
        const read = recordsOf(await readBack(topic), 0)
        expect(read.map(({ key }) => key)).toEqual(['leer', 'entfernt', 'Schlüssel 🗝', ''])
        expect(read.map(({ value }) => value && [...value])).toEqual([[], null, [...all], [...all]])
        // The slice of a Buffer would be a view on memory that others write to.
        expect(read[2]?.value?.constructor).toBe(Uint8Array)
      })

      test('copies the bytes it receives', async () => {
        const topic = await made({ partitions: 1 })
        const value = bytes('before')
        const appended = log.append(topic, [{ key: 'k', value, partition: null }])
        value.fill(0)
        await appended
        expect(text(recordsOf(await readBack(topic), 0)[0]?.value ?? null)).toBe('before')
      })

      test('records the append time', async () => {
        const topic = await made({ partitions: 1 })
        const before = Date.now()
        await log.append(topic, [aRecord('a')])
        const at = recordsOf(await readBack(topic), 0)[0]?.appendedAtMs ?? 0
        expect(at).toBeGreaterThanOrEqual(before - 1_000)
        expect(at).toBeLessThanOrEqual(Date.now() + 1_000)
      })

      test('of no records returns no positions', async () => {
        expect(await log.append(await made(), [])).toEqual([])
      })

      test('accepts concurrent appends: each record has its own position, each caller keeps its order', async () => {
        const topic = await made()
        const callers = 100
        const answers = await Promise.all(
          Array.from({ length: callers }, (_, caller) =>
            log.append(
              topic,
              Array.from({ length: 7 }, (_, i) => aRecord(`${caller}:${i}`, { partition: caller % 4 })),
            ),
          ),
        )
        const places = answers.flat().map(({ partition, position }) => `${partition}/${position}`)
        expect(new Set(places).size).toBe(callers * 7)
        for (const positions of answers) {
          expect(positions.map(({ position }) => position)).toEqual(
            positions.map(({ position }) => position).sort((a, b) => a - b),
          )
        }
        const read = (await readBack(topic)).flatMap((batch) => batch.records.map(({ value }) => text(value)))
        expect(read.sort()).toEqual(
          Array.from({ length: callers * 7 }, (_, i) => `${Math.floor(i / 7)}:${i % 7}`).sort(),
        )
      })

      test('a partition returns the records appended to it, in that order', async () => {
        const topic = await made({ partitions: 3 })
        const expected: string[][] = [[], [], []]
        await fc.assert(
          fc.asyncProperty(
            fc.array(fc.array(fc.record({ partition: fc.nat(2), value: fc.string() }), { maxLength: 20 }), {
              maxLength: 6,
            }),
            async (appends) => {
              for (const records of appends) {
                await log.append(
                  topic,
                  records.map(({ partition, value }) => aRecord(value, { partition })),
                )
                for (const { partition, value } of records) expected[partition]!.push(value)
              }
            },
          ),
          { numRuns: 15, seed: 7 },
        )
        const batches = await readBack(topic)
        expect([0, 1, 2].map((partition) => recordsOf(batches, partition).map(({ value }) => text(value)))).toEqual(
          expected,
        )
      })

      test('accepts several records of 1 MiB, and refuses a larger one together with its whole batch', async () => {
        const topic = await made({ partitions: 2 })
        const key = 'k'
        const large = new Uint8Array((1 << 20) - key.length).fill(7)
        await log.append(
          topic,
          Array.from({ length: 5 }, () => ({ key, value: large, partition: 1 })),
        )
        const tooLarge = new Uint8Array((1 << 20) + 1 - key.length)
        await expectCode(
          log.append(topic, [aRecord('small', { partition: 0 }), { key, value: tooLarge, partition: 0 }]),
          'LOG_RECORD_TOO_LARGE',
        )
        await log.append(topic, [aRecord('after', { partition: 1 })])
        const batches = await readBack(topic)
        expect(recordsOf(batches, 0)).toEqual([])
        expect(recordsOf(batches, 1).map(({ value }) => value?.length)).toEqual([
          ...Array<number>(5).fill(large.length),
          5,
        ])
        expect(recordsOf(batches, 1)[4]?.value?.every((byte) => byte === 7)).toBe(true)
      })

      test('refuses a partition that the topic does not have', async () => {
        const topic = await made({ partitions: 2 })
        await expect(log.append(topic, [aRecord('a', { partition: 2 })])).rejects.toThrow(/partition/)
        await expect(log.append(topic, [aRecord('a', { partition: -1 })])).rejects.toThrow(/partition/)
      })

      test('with an aborted signal rejects with its reason', async () => {
        const topic = await made()
        const stop = new AbortController()
        const reason = new Error('enough')
        const late = log.append(topic, [aRecord('a')], { signal: stop.signal })
        stop.abort(reason)
        await late.catch((error: unknown) => expect(error).toBe(reason))
        await expect(log.append(topic, [aRecord('b')], { signal: stop.signal })).rejects.toBe(reason)
      })
    })

    describe('headers', () => {
      const appended = async (
        records: readonly (MessageHeaders | undefined)[],
        shared?: MessageHeaders,
      ): Promise<readonly MessageHeaders[]> => {
        const topic = await made({ partitions: 1 })
        await log.append(
          topic,
          records.map((headers, i) => ({ ...aRecord(`value ${i}`), ...(headers !== undefined && { headers }) })),
          shared === undefined ? {} : { headers: shared },
        )
        const read = recordsOf(await readBack(topic), 0)
        expect(read.map(({ value }) => text(value))).toEqual(records.map((_, i) => `value ${i}`))
        return read.map(({ headers }) => headers)
      }
      const many = Object.fromEntries(Array.from({ length: maxHeaders }, (_, i) => [`name-${i}`, `value ${i}`]))

      test('are read with their record', async () => {
        const given = [
          { origin: 'test/1' },
          undefined,
          many,
          {},
          { origin: 'test/1' },
          { origin: 'test/2', schema: '3' },
        ]
        expect(await appended(given)).toEqual(given.map((headers) => headers ?? {}))
      })

      test('of an append apply to each of its records; the own headers of a record win', async () => {
        const read = await appended([undefined, { schema: '2', traceparent: 'x' }, {}], {
          origin: 'test/1',
          schema: '1',
        })
        expect(read).toEqual([
          { origin: 'test/1', schema: '1' },
          { origin: 'test/1', schema: '2', traceparent: 'x' },
          { origin: 'test/1', schema: '1' },
        ])
      })

      test('may be any text: empty, beyond ASCII, control characters, names that objects know', async () => {
        const odd = Object.fromEntries([
          ['', ''],
          ['Schlüssel 🗝', 'Wert ✓'],
          ['control', '\u0000\n\u007f'],
          ['__proto__', 'a text'],
          ['constructor', 'another'],
        ])
        const [read] = await appended([odd])
        expect(Object.entries(read ?? {})).toEqual(Object.entries(odd))
      })

      test('stay with their records if the value is null or empty', async () => {
        const topic = await made({ partitions: 1 })
        const headers = { origin: 'test/1' }
        await log.append(topic, [
          { ...aRecord(null), headers },
          { ...aRecord(''), headers },
        ])
        const read = recordsOf(await readBack(topic), 0)
        expect(read.map((record) => ({ value: text(record.value), headers: record.headers }))).toEqual([
          { value: null, headers },
          { value: '', headers },
        ])
      })

      test('are copied from the given object, and are frozen when read', async () => {
        const topic = await made({ partitions: 1 })
        const headers: Record<string, string> = { origin: 'before' }
        const append = log.append(topic, [{ ...aRecord('a'), headers }], { headers })
        headers['origin'] = 'after'
        await append
        const read = recordsOf(await readBack(topic), 0)[0]?.headers ?? noHeaders
        expect(read).toEqual({ origin: 'before' })
        expect(Object.isFrozen(read)).toBe(true)
      })

      test('are read as they were appended, for any headers', async () => {
        const headers = fc.dictionary(fc.string({ maxLength: 20 }), fc.string({ maxLength: 40 }), { maxKeys: 8 })
        await fc.assert(
          fc.asyncProperty(
            fc.array(fc.option(headers, { nil: undefined }), { maxLength: 12 }),
            headers,
            async (own, shared) => {
              expect(await appended(own, shared)).toEqual(own.map((one) => ({ ...shared, ...one })))
            },
          ),
          { numRuns: 8, seed: 11 },
        )
      })

      test('over the limit are refused together with their whole append', async () => {
        const topic = await made({ partitions: 1 })
        const tooMany = { ...many, 'one-more': '' }
        const tooLong = { n: 'x'.repeat(maxHeadersBytes) }
        for (const headers of [tooMany, tooLong]) {
          await expectCode(log.append(topic, [aRecord('a'), { ...aRecord('b'), headers }]), 'HEADERS_TOO_LARGE')
          await expectCode(log.append(topic, [aRecord('a')], { headers }), 'HEADERS_TOO_LARGE')
        }
        // Each is allowed alone.
        const joined = log.append(topic, [{ ...aRecord('a'), headers: { 'one-more': '' } }], { headers: many })
        await expectCode(joined, 'HEADERS_TOO_LARGE')
        expect(await log.ends(topic)).toEqual([0])
        const longest = { n: 'x'.repeat(maxHeadersBytes - 1) }
        expect(await appended([longest])).toEqual([longest])
      })

      test("count as bytes of the record: the topic's limit holds with them", async () => {
        const topic = await made({ partitions: 1 })
        const headers = { origin: 'x'.repeat(1_000) }
        const value = new Uint8Array((1 << 20) - 500)
        await expectCode(log.append(topic, [{ key: 'k', value, partition: 0, headers }]), 'LOG_RECORD_TOO_LARGE')
        await log.append(topic, [{ key: 'k', value, partition: 0 }])
        expect(await log.ends(topic)).toEqual([1])
      })

      test('survive compaction', async () => {
        const topic = await made({ partitions: 1, cleanup: 'compact' })
        for (const version of ['1', '2']) {
          await log.append(topic, [{ ...aRecord(version), headers: { origin: `test/${version}` } }])
        }
        await fixture.compact(topic)
        // Some adapters compact only after further records.
        const kept = recordsOf(await readBack(topic), 0).find(({ value }) => text(value) === '2')
        expect(kept?.headers).toEqual({ origin: 'test/2' })
      })
    })

    describe('a reader of all partitions', () => {
      test('reads all partitions of all its topics, including later records', async () => {
        const topics = [await made({ partitions: 3 }), await made({ partitions: 2 })]
        const read: string[] = []
        for (const topic of topics) await log.append(topic, [aRecord('before', { partition: 1 })])
        const reader = await view(topics, (batch) => {
          for (const { value } of batch.records) read.push(`${batch.topic}/${batch.partition} ${text(value)}`)
        })
        for (const topic of topics) {
          await log.append(topic, [aRecord('x', { partition: 0 }), aRecord('y', { partition: 1 })])
        }
        await until('six records', () => read.length === 6)
        expect(read.toSorted()).toEqual(
          topics.flatMap((topic) => [`${topic}/0 x`, `${topic}/1 before`, `${topic}/1 y`]).toSorted(),
        )
        expect(reader.assigned().map(keyOf).toSorted()).toEqual(
          [0, 1, 2]
            .map((p) => `${topics[0]}/${p}`)
            .concat([0, 1].map((p) => `${topics[1]}/${p}`))
            .toSorted(),
        )
      })

      test('starts at the result of startAt', async () => {
        const topic = await made({ partitions: 2 })
        const positions = await log.append(
          topic,
          Array.from({ length: 20 }, (_, i) => aRecord(String(i), { partition: i % 2 })),
        )
        const from = positions[10]!.position
        const batches: LogBatch[] = []
        const reader = await log.readAll({
          topics: [topic],
          onBatch: (batch) => Promise.resolve(void batches.push(batch)),
          maxBatchRecords: 100,
          onError: () => undefined,
          startAt: ({ partition }) => (partition === 0 ? from : null),
        })
        readers.push(reader)
        await until('both partitions to be read', async () => (await reader.lag()) === 0)
        expect(batches.find(({ partition }) => partition === 0)?.from).toBe(from)
        expect(recordsOf(batches, 0).map(({ value }) => text(value))).toEqual(['10', '12', '14', '16', '18'])
        expect(recordsOf(batches, 1)).toHaveLength(10)
      })

      test('does not affect another reader', async () => {
        const topic = await made()
        await log.append(
          topic,
          Array.from({ length: 50 }, (_, i) => aRecord(String(i), { key: `k${i}` })),
        )
        const [one, two] = await Promise.all([readBack(topic), readBack(topic)])
        for (const batches of [one, two]) expect(batches.flatMap((batch) => batch.records)).toHaveLength(50)
      })

      test('delivers at most the allowed number of records per batch, and batches without gaps', async () => {
        const topic = await made({ partitions: 1 })
        const records = Array.from({ length: 500 }, (_, i) => aRecord(String(i)))
        await log.append(topic, records.slice(0, 250))
        await log.append(topic, records.slice(250))
        const batches = await readBack(topic, 7)
        let stands = 0
        for (const { from, next, records: read, end } of batches) {
          expect(read.length).toBeLessThanOrEqual(7)
          expect(from).toBe(stands)
          expect(next).toBeGreaterThan(from)
          expect(end).toBeGreaterThanOrEqual(next)
          for (const { position } of read) {
            expect(position).toBeGreaterThanOrEqual(from)
            expect(position).toBeLessThan(next)
          }
          stands = next
        }
        expect(recordsOf(batches, 0).map(({ value }) => text(value))).toEqual(records.map((_, i) => String(i)))
      })

      test('reports handled positions and the lag', async () => {
        const topic = await made({ partitions: 2 })
        const at = { topic, partition: 0 }
        let release = () => {}
        const held = new Promise<void>((resolve) => (release = resolve))
        const reader = await view([topic], () => held)
        expect(reader.handled(at)).toBeNull()
        expect(await reader.lag()).toBe(0)
        await log.append(
          topic,
          Array.from({ length: 9 }, (_, i) => aRecord(String(i), { partition: 0 })),
        )
        expect(await reader.lag()).toBe(9)
        expect(reader.handled(at)).toBeNull()
        release()
        await until('nothing to be left', async () => (await reader.lag()) === 0)
        expect(reader.handled(at)).toBe((await log.ends(topic))[0])
        expect(reader.handled({ topic, partition: 1 })).toBeNull()
      })

      test('seeks by a verdict, only in that partition', async () => {
        const topic = await made({ partitions: 2 })
        await log.append(
          topic,
          Array.from({ length: 20 }, (_, i) => aRecord(String(i), { partition: i % 2 })),
        )
        const batches: LogBatch[] = []
        let sentBack = false
        await view([topic], (batch) => {
          batches.push(batch)
          if (sentBack || batch.partition !== 0 || batch.next < 10) return
          sentBack = true
          return { seekTo: 4 }
        })
        await until('the records to come again', () => recordsOf(batches, 0).length >= 16)
        expect(batches.filter(({ partition }) => partition === 0).map(({ from }) => from)).toContain(4)
        expect(recordsOf(batches, 0).map(({ position }) => position)).toEqual([
          ...[0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
          ...[4, 5, 6, 7, 8, 9],
        ])
        expect(recordsOf(batches, 1)).toHaveLength(10)
      })
    })

    describe('a handler', () => {
      test('that throws gets the same records again, while other partitions continue', async () => {
        const topic = await made({ partitions: 2 })
        const handled: string[][] = [[], []]
        const refused: string[] = []
        const errors: Error[] = []
        let mended = false
        const reader = await log.readAll({
          topics: [topic],
          maxBatchRecords: 3,
          startAt: () => null,
          onError: (error) => void errors.push(error),
          onBatch: async ({ partition, records }) => {
            const values = records.map(({ value }) => text(value) ?? '')
            if (partition === 0 && !mended) {
              refused.push(values.join())
              throw new Error('no')
            }
            handled[partition]!.push(...values)
          },
        })
        readers.push(reader)
        await log.append(
          topic,
          Array.from({ length: 24 }, (_, i) => aRecord(String(i), { partition: i % 2 })),
        )
        await until('the other partition to be read and the first to be refused twice', () => {
          return handled[1]!.length === 12 && refused.length >= 2
        })
        expect(new Set(refused).size).toBe(1)
        expect(errors.some(({ message }) => message === 'no')).toBe(true)
        expect(reader.handled({ topic, partition: 0 })).toBeNull()
        mended = true
        await until('the first partition to be read', () => handled[0]!.length === 12)
        expect(handled[0]).toEqual(Array.from({ length: 12 }, (_, i) => String(2 * i)))
      })

      test('handles one batch of a partition at a time, and several partitions concurrently', async () => {
        const topic = await made({ partitions: 4 })
        const running = new Map<number, number>()
        let most = 0
        let handled = 0
        await view(
          [topic],
          async ({ partition, records }) => {
            running.set(partition, (running.get(partition) ?? 0) + 1)
            expect(running.get(partition)).toBe(1)
            most = Math.max(
              most,
              [...running.values()].reduce((sum, n) => sum + n, 0),
            )
            await new Promise((resolve) => setTimeout(resolve, 20))
            running.set(partition, 0)
            handled += records.length
          },
          5,
        )
        await log.append(
          topic,
          Array.from({ length: 60 }, (_, i) => aRecord(String(i), { partition: i % 4 })),
        )
        await until('all to be handled', () => handled === 60)
        expect(most).toBeGreaterThan(1)
      })

      test('that is slow does not make the reader hold more than a bounded amount of data', async () => {
        const topic = await made({ partitions: 2 })
        const value = new Uint8Array(16 << 10)
        const megabytes = 96
        const perAppend = 64
        for (let sent = 0; sent < (megabytes << 20) / value.length; sent += perAppend) {
          await log.append(
            topic,
            Array.from({ length: perAppend }, (_, i) => ({ key: 'k', value, partition: i % 2 })),
          )
        }
        let batches = 0
        let release = () => {}
        const held = new Promise<void>((resolve) => (release = resolve))
        const before = heldBytes()
        const reader = await view([topic], async () => {
          batches++
          await held
        })
        await until('both partitions to be handed out', () => batches === 2)
        const lag = await reader.lag()
        await new Promise((resolve) => setTimeout(resolve, 300))
        expect(batches).toBe(2)
        expect(await reader.lag()).toBe(lag)
        if (fixture.storesElsewhere) expect(heldBytes() - before).toBeLessThan(40 << 20)
        release()
        await until('the rest to be read', async () => (await reader.lag()) === 0)
      })

      test('sees its signal aborted when the reader stops, and gets no further batch', async () => {
        const topic = await made({ partitions: 2 })
        let started = 0
        let ended = 0
        const reader = await view(
          [topic],
          async (_, signal) => {
            started++
            await new Promise((resolve) => signal.addEventListener('abort', resolve))
            ended++
          },
          1,
        )
        await log.append(
          topic,
          Array.from({ length: 6 }, (_, i) => aRecord(String(i), { partition: i % 2 })),
        )
        await until('both partitions to be handed out', () => started === 2)
        await reader.stop()
        expect(ended).toBe(2)
        await log.append(topic, [aRecord('late', { partition: 0 })])
        await new Promise((resolve) => setTimeout(resolve, 100))
        expect(started).toBe(2)
      })
    })

    describe('compaction', () => {
      test('keeps the last record of each key; readers skip the gaps and reach the end', async () => {
        const topic = await made({ partitions: 1, cleanup: 'compact' })
        const keys = 10
        for (let round = 0; round < 30; round++) {
          await log.append(
            topic,
            Array.from({ length: keys }, (_, i) => aRecord(`${i}:${round}`, { key: `pin-${i}` })),
          )
        }
        await log.append(topic, [aRecord(null, { key: 'pin-0' }), aRecord('last', { key: 'pin-last' })])
        let batches: readonly LogBatch[] = []
        await until(
          'the log to be compacted',
          async () => {
            await fixture.compact(topic)
            batches = await readBack(topic, 4)
            return recordsOf(batches, 0).length <= 3 * keys
          },
          60_000,
        )
        const [end] = await log.ends(topic)
        expect(end).toBeGreaterThanOrEqual(30 * keys + 2)
        let stands = 0
        for (const batch of batches) {
          expect(batch.from).toBe(stands)
          for (const { position } of batch.records) {
            expect(position).toBeGreaterThanOrEqual(batch.from)
            expect(position).toBeLessThan(batch.next)
          }
          stands = batch.next
        }
        expect(stands).toBe(end)
        const lastOf = new Map(recordsOf(batches, 0).map(({ key, value }) => [key, text(value)]))
        expect(lastOf.get('pin-0') ?? null).toBeNull()
        for (let i = 1; i < keys; i++) expect(lastOf.get(`pin-${i}`)).toBe(`${i}:29`)
        expect(lastOf.get('pin-last')).toBe('last')

        const inGap: LogBatch[] = []
        const reader = await log.readAll({
          topics: [topic],
          onBatch: (batch) => Promise.resolve(void inGap.push(batch)),
          maxBatchRecords: 1_000,
          onError: () => undefined,
          startAt: () => 5,
        })
        readers.push(reader)
        await until('the end from within a gap', () => reader.handled({ topic, partition: 0 }) === end)
        expect(inGap[0]?.from).toBe(5)
        expect(await reader.lag()).toBe(0)
      })
    })

    describe('retention', () => {
      test('that removes everything: readers report the lost range, reach the end, and continue from there', async () => {
        const layout = aTopic({ partitions: 2 })
        await log.applyTopics([layout])
        const topic = layout.name
        await log.append(
          topic,
          Array.from({ length: 5 }, (_, i) => aRecord(String(i), { partition: 0 })),
        )
        await fixture.expire(layout)
        const [end] = await log.ends(topic)
        expect(await log.starts(topic)).toEqual([end, 0])

        const batches: LogBatch[] = []
        const reader = await view([topic], (batch) => void batches.push(batch))
        const stored = new Map<number, number>()
        await member(
          log,
          {
            group: `g-${topic}`,
            topics: [topic],
            startAt: ({ partition }) => Promise.resolve(stored.get(partition) ?? null),
          },
          ({ partition, from, next }) => {
            expect(from).toBe(stored.get(partition) ?? 0)
            stored.set(partition, next)
          },
        )
        await until('the end', () => reader.handled({ topic, partition: 0 }) === end && stored.get(0) === end)
        expect(batches).toEqual([{ topic, partition: 0, from: 0, next: end, records: [], end }])
        expect(await reader.lag()).toBe(0)

        await log.append(topic, [aRecord('after', { partition: 0 }), aRecord('other', { partition: 1 })])
        await until('what came afterwards', () => batches.length === 3 && stored.get(1) === 1)
        expect(recordsOf(batches, 0).map(({ value }) => text(value))).toEqual(['after'])
        expect(batches.find(({ partition, records }) => partition === 0 && records.length > 0)?.from).toBe(end)
      })
    })

    describe('a group', () => {
      /** Handles batches like the updater: starts at the stored position, and fails on any gap or repeat. */
      function aLedger() {
        const stored = new Map<string, number>()
        const records = new Map<string, number[]>()
        const owners = new Map<string, string>()
        const overlaps: string[] = []
        return {
          stored,
          records,
          overlaps,
          count: () => [...records.values()].reduce((sum, list) => sum + list.length, 0),
          startAt: (at: TopicPartition) => Promise.resolve(stored.get(keyOf(at)) ?? null),
          handler: (owner: string, handlingMs: number) => async (batch: LogBatch) => {
            const key = keyOf(batch)
            const present = owners.get(key)
            if (present !== undefined) overlaps.push(`${key}: ${owner} while ${present}`)
            owners.set(key, owner)
            if ((stored.get(key) ?? 0) !== batch.from)
              overlaps.push(`${key}: from ${batch.from}, not ${stored.get(key)}`)
            await new Promise((resolve) => setTimeout(resolve, handlingMs))
            records.set(key, [...(records.get(key) ?? []), ...batch.records.map(({ position }) => position)])
            stored.set(key, batch.next)
            owners.delete(key)
          },
        }
      }

      test('begins at the stored position, whatever was read before', async () => {
        const topic = await made({ partitions: 1 })
        const group = `g-${topic}`
        await log.append(
          topic,
          Array.from({ length: 10 }, (_, i) => aRecord(String(i))),
        )
        const read: number[] = []
        const handler: Handler = ({ records }) => void read.push(...records.map(({ position }) => position))
        const first = await member(log, { group, topics: [topic], startAt: () => Promise.resolve(null) }, handler)
        await until('ten records', () => read.length === 10)
        await first.stop()
        read.length = 0
        const assigned: TopicPartition[] = []
        const second = await member(
          log,
          {
            group,
            topics: [topic],
            startAt: () => Promise.resolve(6),
            onAssigned: (partitions) => {
              expect(read).toEqual([])
              assigned.push(...partitions)
            },
          },
          handler,
        )
        await until('four records', () => read.length === 4)
        expect(read).toEqual([6, 7, 8, 9])
        expect(assigned).toEqual([{ topic, partition: 0 }])
        expect(second.assigned()).toEqual([{ topic, partition: 0 }])
        expect(second.handled({ topic, partition: 0 })).toBe(10)
      })

      test('calls startAt again after it failed', async () => {
        const topic = await made({ partitions: 1 })
        await log.append(topic, [aRecord('a'), aRecord('b')])
        let asked = 0
        const errors: string[] = []
        const read: number[] = []
        await member(
          log,
          {
            group: `g-${topic}`,
            topics: [topic],
            onError: ({ message }) => void errors.push(message),
            startAt: () => (++asked < 3 ? Promise.reject(new Error('store away')) : Promise.resolve(1)),
          },
          ({ records }) => void read.push(...records.map(({ position }) => position)),
        )
        await until('a record', () => read.length > 0)
        expect(read).toEqual([1])
        expect(errors.filter((message) => message === 'store away')).toHaveLength(2)
      })

      test('of two members hands partitions over without two owners at the same time, and neither loses nor repeats a record', async () => {
        const topics = [await made({ partitions: 4 }), await made({ partitions: 4 })]
        const group = `g-${topics[0]}`
        const ledger = aLedger()
        let sent = 0
        let sending = true
        const send = (async () => {
          while (sending) {
            for (const topic of topics) {
              await log.append(
                topic,
                Array.from({ length: 8 }, (_, i) => aRecord(String(sent + i), { partition: i % 4 })),
              )
              sent += 8
            }
            await new Promise((resolve) => setTimeout(resolve, 5))
          }
        })()
        const options = { group, topics, startAt: ledger.startAt, maxBatchRecords: 10 }
        const one = await member(log, options, ledger.handler('one', 15))
        await until('the first to read', () => ledger.count() > 50)
        const two = await member(fixture.other, options, ledger.handler('two', 15))
        await until('both to have a part', () => one.assigned().length === 4 && two.assigned().length === 4)
        const owned = new Set([...one.assigned(), ...two.assigned()].map(keyOf))
        expect(owned.size).toBe(8)
        // Partitions of equal number, which hold the same keys, belong to the same member.
        for (const reader of [one, two]) {
          const numbers = (topic: string | undefined) =>
            reader
              .assigned()
              .flatMap((at) => (at.topic === topic ? [at.partition] : []))
              .toSorted()
          expect(numbers(topics[0])).toEqual(numbers(topics[1]))
        }
        const middle = ledger.count()
        await until('more to be read', () => ledger.count() > middle + 50)
        await one.stop()
        expect(one.assigned()).toEqual([])
        await until('the second to have all', () => two.assigned().length === 8)
        sending = false
        await send
        await until('everything to be read', () => ledger.count() >= sent)
        expect(ledger.overlaps).toEqual([])
        for (const topic of topics) {
          for (let partition = 0; partition < 4; partition++) {
            const positions = ledger.records.get(keyOf({ topic, partition })) ?? []
            expect(positions).toEqual(Array.from({ length: sent / 8 }, (_, i) => i))
          }
        }
      })

      test('notifies a member of gained and lost partitions', async () => {
        const topic = await made({ partitions: 2 })
        const group = `g-${topic}`
        const ledger = aLedger()
        const held = new Set<string>()
        const options = {
          group,
          topics: [topic],
          startAt: ledger.startAt,
          onAssigned: (partitions: readonly TopicPartition[]) => partitions.forEach((at) => held.add(keyOf(at))),
          onRevoked: (partitions: readonly TopicPartition[]) => partitions.forEach((at) => held.delete(keyOf(at))),
        }
        const one = await member(log, options, ledger.handler('one', 1))
        await until('both partitions', () => held.size === 2)
        const { startAt } = ledger
        const two = await member(fixture.other, { group, topics: [topic], startAt }, ledger.handler('two', 1))
        await until('one partition each', () => held.size === 1 && two.assigned().length === 1)
        expect(one.assigned().map(keyOf)).toEqual([...held])
        await two.stop()
        await until('both partitions again', () => held.size === 2)
        await one.stop()
        expect(held.size).toBe(0)
      })
    })

    describe('a signal', () => {
      const reading = {
        onBatch: () => Promise.resolve(),
        maxBatchRecords: 1,
        onError: () => undefined,
      }
      const calls = (layout: TopicLayout): readonly ((call: PortCall) => Promise<unknown>)[] => {
        const { name } = layout
        return [
          (call) => log.applyTopics([layout], call),
          (call) => log.partitionCount(name, call),
          (call) => log.identity(name, call),
          (call) => log.starts(name, call),
          (call) => log.ends(name, call),
          (call) => log.append(name, [aRecord('a')], call),
          (call) => log.readAll({ ...reading, topics: [name], startAt: () => null }, call),
          (call) => log.readGroup({ ...reading, topics: [name], group: name, startAt: async () => null }, call),
        ]
      }
      const reason = new Error('the caller has gone')

      test('that is already aborted rejects every call with its reason, and nothing changes', async () => {
        const layout = aTopic()
        const absent = aTopic()
        await log.applyTopics([layout])
        for (const work of calls(layout)) {
          await expect(work({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
        }
        await expect(log.applyTopics([absent], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
        await expectCode(log.partitionCount(absent.name), 'LOG_TOPIC_MISSING')
        expect(await log.ends(layout.name)).toEqual([0, 0, 0, 0])
      })

      test('that is aborted during a call rejects it, unless the call has ended; the log keeps working', async () => {
        const layout = aTopic()
        await log.applyTopics([layout])
        for (const work of calls(layout)) {
          const stop = new AbortController()
          const ended = work({ signal: stop.signal }).then(
            (outcome) => {
              // The caller must stop a reader that was open before the abort.
              if (typeof outcome === 'object' && outcome !== null && 'stop' in outcome)
                readers.push(outcome as LogReader)
              return reason
            },
            (error: unknown) => error,
          )
          stop.abort(reason)
          expect(await ended).toBe(reason)
        }
        const [place] = await log.append(layout.name, [aRecord('b', { partition: 3 })])
        const read = recordsOf(await readBack(layout.name), 3)
        expect(read.find(({ position }) => position === place?.position)?.key).toBe('k')
      })
    })

    describe('closed', () => {
      test('it refuses every call, has stopped its readers, and can be closed again', async () => {
        const layout = aTopic()
        const topic = layout.name
        const closing = await fixture.open(layout)
        const reading = {
          topics: [topic],
          onBatch: () => Promise.resolve(),
          maxBatchRecords: 1,
          onError: () => undefined,
        }
        const reader = await closing.readAll({ ...reading, startAt: () => null })
        await closing.append(topic, [aRecord('a')]).catch(() => undefined)
        await closing.close()
        await closing.close()
        await reader.stop()
        await expectCode(closing.append(topic, [aRecord('a')]), 'LOG_CLOSED')
        await expectCode(closing.applyTopics([]), 'LOG_CLOSED')
        await expectCode(closing.partitionCount(topic), 'LOG_CLOSED')
        await expectCode(closing.starts(topic), 'LOG_CLOSED')
        await expectCode(closing.ends(topic), 'LOG_CLOSED')
        await expectCode(closing.readAll({ ...reading, startAt: () => null }), 'LOG_CLOSED')
        await expectCode(
          closing.readGroup({ ...reading, group: 'g', startAt: () => Promise.resolve(null) }),
          'LOG_CLOSED',
        )
      })
    })
  })
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Used memory that could hold records. */
function heldBytes(): number {
  collectGarbage()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
