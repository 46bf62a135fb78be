import { afterEach, describe, expect, test } from 'vitest'
import { noHeaderBytes } from '../../shared/log/header-bytes.ts'
import { createVirtualClock } from '../../memory/clock.ts'
import type { KafkaCluster } from '../cluster.ts'
import { createFetcher, type Fetcher } from './fetcher.ts'
import type { FetchedPartition } from '../wire/hot-requests.ts'
import type { KafkaBroker } from '../wire/broker.ts'
import { withDefaults } from '../options.ts'
import { encodeBatch } from '../wire/record-batch.ts'

const topic = 't'
const at = (partition: number) => ({ topic, partition })
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const aBatch = (value: string, position = 0): Buffer => {
  const stamp = { producerId: -1n, producerEpoch: -1, sequence: -1 }
  const batch = encodeBatch([{ key: bytes('k'), value: bytes(value), headers: noHeaderBytes }], stamp, 0)
  batch.writeBigInt64BE(BigInt(position), 0)
  return batch
}
const damaged = (batch: Buffer): Buffer => {
  const other = Buffer.from(batch)
  other[other.length - 2] = (other.at(-2) ?? 0) ^ 1
  return other
}

const open: Fetcher[] = []
afterEach(() => Promise.all(open.splice(0).map((fetcher) => fetcher.close())))

/** A fetcher on a cluster whose brokers answer each request with the next of what is `waiting` there; an empty broker holds its answer back. */
function aFetcher(leaders: number[], waiting: Map<number, FetchedPartition[]>) {
  const clock = createVirtualClock(1_000)
  const errors: string[] = []
  const asked = new Map<number, number>()
  const closing = new AbortController()
  const on = async (nodeId: number, work: (broker: KafkaBroker) => Promise<unknown>): Promise<unknown> => {
    const send = async (): Promise<readonly FetchedPartition[]> => {
      asked.set(nodeId, (asked.get(nodeId) ?? 0) + 1)
      const answer = waiting.get(nodeId)?.shift()
      if (answer !== undefined) return [answer]
      await clock.sleep(500, closing.signal)
      return []
    }
    return work({ send } as unknown as KafkaBroker)
  }
  const cluster = {
    knownLeaders: () => leaders,
    on,
    refresh: () => Promise.resolve(),
    cut: () => Promise.resolve(),
    close: async () => closing.abort(new Error('closed')),
  } as unknown as KafkaCluster
  const settings = withDefaults({ brokers: [], clientId: 'test', clock })
  const fetcher = createFetcher(cluster, settings, (error) => errors.push(error.message))
  open.push(fetcher)
  return { fetcher, clock, errors, asked }
}

const answered = (partition: number, batches: Buffer): FetchedPartition => ({
  topic,
  partition,
  errorCode: 0,
  end: 1,
  start: 0,
  aborted: [],
  batches,
})

/** Lets time pass until the work has ended, at most a minute of it. */
async function within<T>(clock: ReturnType<typeof createVirtualClock>, work: Promise<T>): Promise<T | 'never'> {
  let ended = false
  const watched = work.finally(() => (ended = true))
  watched.catch(() => undefined)
  for (let step = 0; step < 600 && !ended; step++) await clock.advance(100)
  return ended ? watched : 'never'
}

describe('fetcher', () => {
  test('reads bytes that were damaged in transit again, even if they were read ahead', async () => {
    const ahead = [answered(0, damaged(aBatch('b', 1))), answered(0, aBatch('b', 1))]
    const { fetcher, clock } = aFetcher([1], new Map([[1, [answered(0, aBatch('a')), ...ahead]]]))
    fetcher.add(at(0))
    const { signal } = new AbortController()
    expect(await within(clock, fetcher.next(at(0), 0, 10, signal))).toMatchObject({ next: 1 })
    await clock.advance(1_000)
    await expect(within(clock, fetcher.next(at(0), 1, 10, signal))).rejects.toThrow('damaged')
    const again = await within(clock, fetcher.next(at(0), 1, 10, signal))
    expect(again).toMatchObject({ next: 2, records: [{ position: 1 }] })
  })

  test('reads a partition from its new leader, even while nobody takes the data of the others', async () => {
    const leaders = [1, 2]
    const waiting = new Map([[1, [answered(0, aBatch('a'))]]])
    const { fetcher, clock, asked } = aFetcher(leaders, waiting)
    fetcher.add(at(0))
    fetcher.add(at(1))
    const { signal } = new AbortController()
    await within(clock, fetcher.next(at(0), 0, 10, signal))
    waiting.get(1)?.push(answered(0, aBatch('b')))
    const moved = fetcher.next(at(1), 0, 10, signal)
    await clock.advance(2_000)
    // The handler is busy: the data read ahead for partition 0 stays.
    expect(asked.get(2)).toBeGreaterThan(0)
    leaders[1] = 1
    waiting.get(1)?.push(answered(1, aBatch('c')))
    expect(await within(clock, moved)).toMatchObject({ records: [{ position: 0 }] })
  })
})
