import { noHeaders, type MessageHeaders } from '@freshet/contracts/headers'
import type { LogRecord } from '@freshet/contracts/ports/event-log'
import { codeOfFailure, noTracing, type SpanStart, type Tracing } from '@freshet/domain/tracing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createVirtualClock } from '../memory/clock.ts'
import { createMemoryEventLog } from '../memory/event-log.ts'
import { tracedCandidateService, tracedRanker } from './traced-calls.ts'
import { tracedLog } from './traced-log.ts'

const startMs = Date.UTC(2026, 0, 1)
const traceparent = (trace: number, flags = '01') =>
  `00-${String(trace).padStart(32, '0')}-${String(trace).padStart(16, '0')}-${flags}`

/** Tracing that records everything with a parent, and the spans that have ended. */
function aTracing() {
  const ended: { readonly start: SpanStart; readonly failure: string | null }[] = []
  const run: string[] = []
  let next = 100
  const tracing: Tracing = {
    records: true,
    entering: (trace) => trace,
    run(trace, work) {
      run.push(trace['traceparent'] ?? '')
      return work()
    },
    active: () => null,
    nowMs: () => 0,
    start(start) {
      if (start.parent['traceparent'] === undefined) return null
      const id = String(++next).padStart(16, '0')
      return {
        headers: Object.freeze({ traceparent: start.parent['traceparent'].replace(/-[0-9a-f]{16}-/, `-${id}-`) }),
        set: () => undefined,
        end: (failure) => void ended.push({ start, failure: failure === undefined ? null : codeOfFailure(failure) }),
      }
    },
  }
  return { tracing, ended, run }
}

/** A log in memory, traced or not, and what a reader of it got. */
async function aLog(handle: (records: readonly LogRecord[]) => Promise<void> = async () => undefined) {
  const clock = createVirtualClock(startMs)
  const bare = createMemoryEventLog({ clock })
  await bare.applyTopics([
    { name: 't', partitions: 1, cleanup: 'delete', retentionMs: null, maxRecordBytes: 1_000_000 },
  ])
  const { tracing, ended, run } = aTracing()
  const log = tracedLog(bare, tracing, { service: 'a-service', clock })
  const read: LogRecord[] = []
  async function readAll(): Promise<readonly LogRecord[]> {
    const reader = await log.readAll({
      ...{ topics: ['t'], maxBatchRecords: 1_000, startAt: () => null, onError: () => undefined },
      async onBatch({ records }) {
        read.push(...records)
        await handle(records)
      },
    })
    await bare.drain()
    await reader.stop()
    return read
  }
  const record = (headers: MessageHeaders) => ({ key: 'k', value: null, partition: null, headers })
  return { bare, log, clock, ended, run, readAll, record }
}

describe('a log with traces', () => {
  it('that are off is the log itself, and so are the calls to other services', async () => {
    const { bare, clock } = await aLog()
    expect(tracedLog(bare, noTracing, { service: 'a', clock })).toBe(bare)
    const candidates = { retrieve: () => Promise.reject(new Error('not asked')) }
    const ranker = { rank: () => Promise.reject(new Error('not asked')) }
    expect(tracedCandidateService(candidates, noTracing, 'client')).toBe(candidates)
    expect(tracedRanker(ranker, noTracing, 'client')).toBe(ranker)
  })

  it('has one span for the records of a trace, and keeps their other headers', async () => {
    const { log, ended, readAll, record } = await aLog()
    const headers = Object.freeze({ traceparent: traceparent(1), source: 'a/0@1' })
    await log.append('t', [record(headers), record(noHeaders), record(headers)], { headers: { origin: 'me/1' } })
    expect(ended.map(({ start }) => [start.name, start.attributes?.['messaging.batch.message_count']])).toEqual([
      ['append t', 2],
    ])
    const read = await readAll()
    expect(read.map((each) => each.headers['source'])).toEqual(['a/0@1', undefined, 'a/0@1'])
    expect(read.map((each) => each.headers['origin'])).toEqual(['me/1', 'me/1', 'me/1'])
    expect(read[1]?.headers['traceparent']).toBeUndefined()
    expect(ended.map(({ start }) => start.name)).toEqual(['append t', 'fold t'])
    expect(ended[1]?.start.parent['traceparent']).toBe(traceparent(1).replace(/-0{15}1-/, '-0000000000000101-'))
    expect(read[0]?.headers['traceparent']).toContain('-0000000000000102-')
    expect(read[2]?.headers).toEqual(read[0]?.headers)
  })

  it('records at most 32 traces of a batch, and passes all records on', async () => {
    const { log, ended, readAll, record } = await aLog()
    const records = Array.from({ length: 100 }, (_, i) => record({ traceparent: traceparent(i + 1) }))
    await log.append('t', records)
    expect(ended).toHaveLength(32)
    expect(await readAll()).toHaveLength(100)
    expect(ended).toHaveLength(64)
  })

  it('is active while a batch is handled only if all its records belong to it', async () => {
    const { bare, run, readAll, record } = await aLog()
    const headers = Object.freeze({ traceparent: traceparent(1) })
    await bare.append('t', [record(headers), record(noHeaders)])
    await readAll()
    expect(run).toEqual([])
    const whole = await aLog()
    await whole.bare.append('t', [whole.record(headers), whole.record(headers)])
    await whole.readAll()
    expect(whole.run).toHaveLength(1)
  })

  it('does not continue the traces of old records', async () => {
    const { bare, clock, ended, readAll, record } = await aLog()
    await bare.append('t', [record({ traceparent: traceparent(1) })])
    await clock.advance(600_001)
    expect((await readAll())[0]?.headers['traceparent']).toBe(traceparent(1))
    expect(ended).toEqual([])
  })

  it('says why a batch could not be handled', async () => {
    let failures = 0
    const { bare, ended, readAll, record } = await aLog(async () => {
      if (failures++ === 0) throw Object.assign(new Error('user ann'), { code: 'STORE_UNAVAILABLE' })
    })
    await bare.append('t', [record({ traceparent: traceparent(1) })])
    // The log in memory passes the error of the handler on.
    await expect(readAll()).rejects.toThrow('ann')
    expect(ended[0]?.failure).toBe('STORE_UNAVAILABLE')
  })

  it('passes records with any text as their trace on', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(fc.string(), fc.constant(traceparent(1)), hostile)), async (texts) => {
        const { log, readAll, record } = await aLog()
        await log.append(
          't',
          texts.map((text) => record({ traceparent: text })),
        )
        const read = await readAll()
        expect(read).toHaveLength(texts.length)
        for (const [at, { headers }] of read.entries())
          if (texts[at] !== traceparent(1)) expect(headers['traceparent']).toBe(texts[at])
      }),
      { numRuns: 50 },
    )
  })
})

/** Texts that end as a sampled trace does, and are none. */
const hostile = fc.string({ maxLength: 60 }).map((text) => `${text}-01x01`)
