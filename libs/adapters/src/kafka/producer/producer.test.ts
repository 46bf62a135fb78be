import { isContractError } from '@freshet/contracts/errors'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { noHeaderBytes } from '../../shared/log/header-bytes.ts'
import { createVirtualClock } from '../../memory/clock.ts'
import type { KafkaCluster } from '../cluster.ts'
import type { KafkaBroker, ProtocolCall } from '../wire/broker.ts'
import { withDefaults } from '../options.ts'
import { createProducer } from './producer.ts'
import { decodeBatches } from '../wire/record-batch.ts'

/** What happens to a request in transit. */
type Fate = 'answered' | 'request lost' | 'answer lost' | 'delayed' | 'not leader' | 'out of order'

const outOfOrderSequence = 45
const notLeader = 6
const topic = 't'

/** A broker that follows the protocol: it accepts a batch once per producer id and sequence, and remembers the last five. */
function aBroker(partitions: number, fates: () => Fate) {
  const logs = Array.from({ length: partitions }, () => [] as string[])
  const producers = new Map<string, { next: number; recent: { sequence: number; base: number }[] }>()
  const delayed: Buffer[] = []
  let producerIds = 0

  function write(request: Buffer, forced: number | null): Buffer {
    const answers: { partition: number; errorCode: number; base: number }[] = []
    let at = 2 + 2 + 4 + 4
    at += 2 + request.readInt16BE(at)
    const count = request.readInt32BE(at)
    at += 4
    for (let i = 0; i < count; i++) {
      const partition = request.readInt32BE(at)
      const batch = request.subarray(at + 8, at + 8 + request.readInt32BE(at + 4))
      at += 8 + batch.length
      answers.push({ partition, ...(forced === null ? take(partition, batch) : { errorCode: forced, base: -1 }) })
    }
    const answer = Buffer.alloc(4 + 2 + topic.length + 4 + answers.length * 30 + 4)
    let to = answer.writeInt32BE(1, 0)
    to = answer.writeInt16BE(topic.length, to)
    to += answer.write(topic, to)
    to = answer.writeInt32BE(answers.length, to)
    for (const { partition, errorCode, base } of answers) {
      to = answer.writeInt32BE(partition, to)
      to = answer.writeInt16BE(errorCode, to)
      to = answer.writeBigInt64BE(BigInt(base), to) + 16
    }
    return answer
  }

  function take(partition: number, batch: Buffer): { errorCode: number; base: number } {
    const id = `${batch.readBigInt64BE(43)}/${partition}`
    const sequence = batch.readInt32BE(53)
    const log = logs[partition]!
    const producer = producers.get(id) ?? { next: 0, recent: [] }
    const known = producer.recent.find((one) => one.sequence === sequence)
    if (known !== undefined) return { errorCode: 0, base: known.base }
    if (sequence !== producer.next) return { errorCode: outOfOrderSequence, base: -1 }
    const base = log.length
    const { records } = decodeBatches(batch, 0)
    log.push(...records.map(({ value }) => new TextDecoder().decode(value ?? new Uint8Array())))
    producers.set(id, {
      next: sequence + records.length,
      recent: [...producer.recent, { sequence, base }].slice(-5),
    })
    return { errorCode: 0, base }
  }

  async function send<T>(call: ProtocolCall<T>): Promise<T> {
    const request = call.encode()
    const fate = fates()
    await new Promise((resolve) => setImmediate(resolve))
    for (const late of delayed.splice(0)) write(late, null)
    if (fate === 'request lost') throw new Error('no answer')
    if (fate === 'delayed') {
      delayed.push(request)
      throw new Error('no answer')
    }
    const forced = fate === 'not leader' ? notLeader : fate === 'out of order' ? outOfOrderSequence : null
    const answer = write(request, forced)
    if (fate === 'answer lost') throw new Error('no answer')
    return call.decode(answer)
  }

  const broker = {
    send,
    initProducerId: () => Promise.resolve({ producerId: BigInt(++producerIds), producerEpoch: 0 }),
  } as unknown as KafkaBroker
  const use = <T>(work: (one: KafkaBroker) => Promise<T>) => work(broker)
  const cluster = {
    knownLeaders: () => Array<number>(partitions).fill(1),
    refresh: () => Promise.resolve(),
    on: <T>(_: number, work: (one: KafkaBroker) => Promise<T>) => use(work),
    onAny: use,
  } as unknown as KafkaCluster
  return { cluster, logs }
}

function aProducer(partitions: number, fates: () => Fate, overrides = {}) {
  const clock = createVirtualClock()
  const { cluster, logs } = aBroker(partitions, fates)
  // Time also passes between two looks at it.
  let looks = 0
  const ticking = { now: () => clock.now() + (looks++ % 2), sleep: clock.sleep }
  const settings = withDefaults({ brokers: ['b:1'], clientId: 'c', clock: ticking, ...overrides })
  const producer = createProducer(cluster, settings)
  /** Lets time pass until the work is done. */
  async function whileTimePasses<T>(work: Promise<T>): Promise<T> {
    let done = false
    const finished = work.finally(() => (done = true))
    finished.catch(() => undefined)
    while (!done) {
      await clock.advance(5)
      await new Promise((resolve) => setImmediate(resolve))
    }
    return finished
  }
  const append = (values: readonly string[], partition: number, signal?: AbortSignal) =>
    producer.append(
      topic,
      values.map((value) => ({
        partition,
        key: new Uint8Array(1),
        value: new TextEncoder().encode(value),
        headers: noHeaderBytes,
      })),
      1 << 20,
      signal,
    )
  return { producer, logs, append, whileTimePasses }
}

const always = (fate: Fate) => () => fate
const anyFate = fc.constantFrom<Fate>('answered', 'request lost', 'answer lost', 'delayed', 'not leader')

describe('Kafka producer', () => {
  test('writes each acknowledged record once, in order and at the reported position, whatever requests and answers are lost or late', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyFate, { maxLength: 60 }),
        fc.array(fc.nat(1), { minLength: 1, maxLength: 60 }),
        async (fates, appends) => {
          const script = [...fates]
          const { producer, logs, append, whileTimePasses } = aProducer(2, () => script.shift() ?? 'answered')
          const places = await whileTimePasses(
            Promise.all(appends.map((partition, i) => append([`${i}a`, `${i}b`], partition))),
          )
          places.forEach(([first, second], i) => {
            expect(logs[first!.partition]![first!.position]).toBe(`${i}a`)
            expect(logs[second!.partition]![second!.position]).toBe(`${i}b`)
          })
          for (const [partition, log] of logs.entries()) {
            expect(log).toEqual(appends.flatMap((p, i) => (p === partition ? [`${i}a`, `${i}b`] : [])))
          }
          expect(producer.pendingBytes()).toBe(0)
          await producer.close()
        },
      ),
      { numRuns: 60 },
    )
  })

  test('fails a batch whose outcome the broker does not know, and sends the next with a new producer id', async () => {
    const script: Fate[] = ['answered', 'out of order']
    const { producer, logs, append, whileTimePasses } = aProducer(1, () => script.shift() ?? 'answered')
    await whileTimePasses(append(['a'], 0))
    const error: unknown = await whileTimePasses(append(['b'], 0)).catch((thrown: unknown) => thrown)
    expect(isContractError(error, 'LOG_UNAVAILABLE')).toBe(true)
    await whileTimePasses(append(['c'], 0))
    expect(logs[0]).toEqual(['a', 'c'])
    await producer.close()
  })

  test('refuses an append without an answer after its timeout, and does not write its unsent records later', async () => {
    let fate: Fate = 'request lost'
    let requests = 0
    const fates = (): Fate => {
      requests++
      return fate
    }
    const { producer, logs, append, whileTimePasses } = aProducer(1, fates, { appendTimeoutMs: 1_000 })
    const first = append(['under way'], 0)
    const early = whileTimePasses(first).catch((thrown: unknown) => thrown)
    while (requests === 0) await new Promise((resolve) => setImmediate(resolve))
    const late = append(['waiting'], 0).catch((thrown: unknown) => thrown)
    for (const error of await Promise.all([early, whileTimePasses(late)])) {
      expect(isContractError(error, 'LOG_UNAVAILABLE'), String(error)).toBe(true)
    }
    fate = 'answered'
    await whileTimePasses(append(['after'], 0))
    expect(logs[0]).toEqual(['under way', 'after'])
    expect(producer.pendingBytes()).toBe(0)
    await producer.close()
  })

  test('bounds pending bytes, even if callers give up again and again', async () => {
    const { producer, append } = aProducer(1, always('request lost'), { maxPendingBytes: 10_000 })
    const value = 'x'.repeat(1_000)
    for (let i = 0; i < 200; i++) {
      const giveUp = new AbortController()
      const appended = append([value], 0, giveUp.signal)
      const reason = new Error('enough')
      giveUp.abort(reason)
      await expect(appended).rejects.toBe(reason)
    }
    const outcomes: Promise<unknown>[] = []
    for (let i = 0; i < 20; i++) outcomes.push(append([value], 0).catch((thrown: unknown) => thrown))
    expect(producer.pendingBytes()).toBeLessThanOrEqual(10_000)
    expect(producer.pendingBytes()).toBeGreaterThan(7_000)
    expect(isContractError(await outcomes.at(-1), 'LOG_UNAVAILABLE')).toBe(true)
  })

  test('collects records in the next batch while one is in flight, up to the size limit of the topic', async () => {
    let requests = 0
    const { producer, append, whileTimePasses, logs } = aProducer(1, () => {
      requests++
      return 'answered'
    })
    await whileTimePasses(Promise.all(Array.from({ length: 500 }, (_, i) => append([String(i)], 0))))
    expect(requests).toBeLessThan(5)
    requests = 0
    const large = 'x'.repeat(300_000)
    await whileTimePasses(Promise.all(Array.from({ length: 9 }, () => append([large], 0))))
    expect(requests).toBe(3)
    expect(logs[0]).toHaveLength(509)
    await producer.close()
  })
})
