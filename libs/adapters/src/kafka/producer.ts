import { ContractError } from '@freshet/contracts/errors'
import type { Position } from '@freshet/contracts/ports/event-log'
import type { HeaderBytes } from '../shared/log/header-bytes.ts'
import { logClosed } from '../shared/log/errors.ts'
import { asError } from '../shared/as-error.ts'
import type { KafkaCluster } from './cluster.ts'
import { isTransient, unavailable } from './errors.ts'
import type { ProducerIdentity } from './wire/broker.ts'
import { produceCall } from './wire/hot-requests.ts'
import type { ProducedPartition } from './wire/hot-requests.ts'
import { brokerError } from './wire/failures.ts'
import type { KafkaSettings } from './options.ts'
import { batchOverheadBytes, encodeBatch, recordOverheadBytes } from './wire/record-batch.ts'

/** A record whose partition is known. */
export interface RoutedRecord {
  readonly partition: number
  readonly key: Uint8Array
  readonly value: Uint8Array | null
  readonly headers: HeaderBytes
}

/** Writes records so that each stands in the log once, in the order given per partition. */
export interface KafkaProducer {
  /** As `EventLog.append`. `maxBatchBytes`: what the topic takes in one batch. */
  append(
    topic: string,
    records: readonly RoutedRecord[],
    maxBatchBytes: number,
    signal: AbortSignal | undefined,
  ): Promise<readonly Position[]>
  /** Bytes that wait for an answer. */
  pendingBytes(): number
  /** Waits for what was appended, at most as long as an append may take. */
  close(): Promise<void>
}

interface Append {
  readonly positions: Position[]
  readonly items: readonly Item[]
  readonly deadlineMs: number
  missing: number
  settled: boolean
  resolve(positions: readonly Position[]): void
  reject(error: unknown): void
}

interface Item {
  readonly record: RoutedRecord
  readonly index: number
  readonly bytes: number
  readonly place: Partition
  owner: Append | null
  state: 'queued' | 'sent' | 'gone'
}

/** A batch keeps its bytes until its fate is known, so that the broker can tell a repeat. */
interface Batch {
  readonly items: readonly Item[]
  readonly bytes: Buffer
  notBeforeMs: number
  pauseMs: number
}

interface Partition {
  readonly topic: string
  readonly partition: number
  maxBatchBytes: number
  queue: Item[]
  /** How many in the queue nobody waits for any more. */
  goneInQueue: number
  inFlight: Batch | null
  producerId: bigint
  sequence: number
}

const firstPauseMs = 50
const longestPauseMs = 500
/** Sequence numbers count modulo this. */
const sequences = 2 ** 31
const bytesPerRequest = 16 << 20
/** What a record takes in memory besides its bytes, about. */
const itemOverheadBytes = 128

/**
 * One idempotent producer. Each partition has one batch under way at most and sends it, unchanged, until the broker has
 * answered for it, however long that takes; what arrives meanwhile goes into the next. That is the only way to lose nothing
 * and double nothing. A batch whose fate the broker no longer knows fails, and the partition goes on under a new producer id.
 */
export function createProducer(cluster: KafkaCluster, settings: KafkaSettings): KafkaProducer {
  const { clock, lingerMs, appendTimeoutMs, maxPendingBytes, maxSendRecords, requestTimeoutMs } = settings
  const partitions = new Map<string, Partition>()
  const busyNodes = new Set<number>()
  const open = new Set<Append>()
  const stopping = new AbortController()
  let identity: ProducerIdentity | null = null
  let pendingBytes = 0
  let working = false
  let again = false
  let lingering = false
  let sweeping = false
  let findingLeaders = false
  let wakesAtMs = Infinity
  let lastProblem: unknown = null
  let closed = false

  function partitionAt(topic: string, partition: number, maxBatchBytes: number): Partition {
    const key = `${topic}/${partition}`
    let found = partitions.get(key)
    if (found === undefined) {
      found = {
        topic,
        partition,
        maxBatchBytes,
        queue: [],
        goneInQueue: 0,
        inFlight: null,
        producerId: -1n,
        sequence: 0,
      }
      partitions.set(key, found)
    }
    found.maxBatchBytes = maxBatchBytes
    return found
  }

  const pauseMs = (ms: number) => clock.sleep(ms, stopping.signal).catch(() => undefined)

  function release(item: Item): void {
    if (item.state === 'gone') return
    item.state = 'gone'
    item.owner = null
    pendingBytes -= item.bytes + itemOverheadBytes
  }

  /** Ends an append. What is under way stays so: leaving it out would leave a hole in the sequence. */
  function settle(append: Append, end: () => void): void {
    if (append.settled) return
    append.settled = true
    open.delete(append)
    for (const item of append.items) {
      if (item.state !== 'queued') continue
      release(item)
      const { place } = item
      if (++place.goneInQueue * 2 <= place.queue.length) continue
      place.queue = place.queue.filter(({ state }) => state === 'queued')
      place.goneInQueue = 0
    }
    end()
  }

  async function sweep(): Promise<void> {
    if (sweeping) return
    sweeping = true
    for (let first = firstOf(open); first !== null; first = firstOf(open)) {
      await pauseMs(Math.max(1, first.deadlineMs - clock.now()))
      const now = clock.now()
      for (const append of open) {
        if (append.deadlineMs > now) break
        settle(append, () => append.reject(timedOut()))
      }
      if (closed && open.size === 0) break
    }
    sweeping = false
  }

  const timedOut = () =>
    unavailable(
      `Kafka (${settings.brokers.join(', ')}) did not acknowledge within ${appendTimeoutMs} ms`,
      lastProblem ?? new Error('no answer'),
    )

  function nextBatch(partition: Partition): Batch | null {
    if (partition.inFlight !== null || partition.queue.length === 0 || identity === null) return partition.inFlight
    const items: Item[] = []
    let bytes = batchOverheadBytes
    let taken = 0
    for (const item of partition.queue) {
      if (item.state === 'queued') {
        const size = item.bytes + recordOverheadBytes
        if (items.length > 0 && (bytes + size > partition.maxBatchBytes || items.length >= maxSendRecords)) break
        items.push(item)
        bytes += size
      } else partition.goneInQueue--
      taken++
    }
    partition.queue = partition.queue.slice(taken)
    if (items.length === 0) return null
    if (partition.producerId !== identity.producerId) {
      partition.producerId = identity.producerId
      partition.sequence = 0
    }
    const stamp = { ...identity, sequence: partition.sequence }
    for (const item of items) item.state = 'sent'
    const encoded = encodeBatch(
      items.map(({ record }) => record),
      stamp,
      clock.now(),
    )
    partition.inFlight = { items, bytes: encoded, notBeforeMs: 0, pauseMs: firstPauseMs }
    return partition.inFlight
  }

  /** What can be sent to a node now. */
  function collect(nodeId: number, now: number): readonly Partition[] {
    const chosen: Partition[] = []
    let bytes = 0
    for (const partition of partitions.values()) {
      if (cluster.knownLeaders(partition.topic)?.[partition.partition] !== nodeId) continue
      const batch = nextBatch(partition)
      if (batch === null || batch.notBeforeMs > now) continue
      if (chosen.length > 0 && bytes + batch.bytes.length > bytesPerRequest) break
      bytes += batch.bytes.length
      chosen.push(partition)
    }
    return chosen
  }

  const wantsWork = (partition: Partition) => partition.inFlight !== null || partition.queue.length > 0

  async function send(nodeId: number, chosen: readonly Partition[]): Promise<void> {
    const parts = chosen.map(({ topic, partition, inFlight }) => ({
      topic,
      partition,
      batch: inFlight?.bytes ?? Buffer.alloc(0),
    }))
    try {
      const answers = await cluster.on(nodeId, (broker) => broker.send(produceCall(parts, requestTimeoutMs)))
      const byPlace = new Map(answers.map((answer) => [`${answer.topic}/${answer.partition}`, answer]))
      let stale = false
      for (const partition of chosen) {
        const answer = byPlace.get(`${partition.topic}/${partition.partition}`)
        if (answer !== undefined && concluded(partition, answer)) continue
        stale = true
        postpone(partition)
      }
      if (stale) await cluster.refresh()
    } catch (error) {
      lastProblem = error
      for (const partition of chosen) postpone(partition)
      await cluster.refresh().catch(() => undefined)
    }
  }

  function postpone({ inFlight }: Partition): void {
    if (inFlight === null) return
    inFlight.notBeforeMs = clock.now() + inFlight.pauseMs
    inFlight.pauseMs = Math.min(inFlight.pauseMs * 1.5, longestPauseMs)
  }

  /** Whether the broker has said what became of the batch. */
  function concluded(partition: Partition, { errorCode, baseOffset }: ProducedPartition): boolean {
    const { inFlight } = partition
    if (inFlight === null) return true
    if (errorCode === 0 && baseOffset >= 0) {
      lastProblem = null
      partition.inFlight = null
      partition.sequence = (partition.sequence + inFlight.items.length) % sequences
      inFlight.items.forEach(({ owner, index }, i) => {
        if (owner === null || owner.settled) return
        owner.positions[index] = { partition: partition.partition, position: baseOffset + i }
        if (--owner.missing === 0) settle(owner, () => owner.resolve(owner.positions))
      })
      inFlight.items.forEach(release)
      return true
    }
    const error = brokerError(errorCode)
    lastProblem = error
    if (isTransient(error)) return false
    partition.inFlight = null
    // A fresh producer id starts its own sequence, whatever became of this batch.
    partition.producerId = -1n
    identity = null
    const failure = failureOf(error, partition.topic)
    for (const { owner } of inFlight.items) if (owner !== null) settle(owner, () => owner.reject(failure))
    inFlight.items.forEach(release)
    return true
  }

  async function identify(): Promise<boolean> {
    if (identity !== null) return true
    try {
      identity = await cluster.onAny((broker) => broker.initProducerId())
      return true
    } catch (error) {
      lastProblem = error
      return false
    }
  }

  /** Partitions without a leader wait for one; the others go on meanwhile. */
  async function findLeaders(topics: readonly string[]): Promise<void> {
    if (findingLeaders) return
    findingLeaders = true
    await cluster.refresh(topics).catch((error: unknown) => (lastProblem = error))
    await pauseMs(firstPauseMs)
    findingLeaders = false
    await work()
  }

  function wakeAt(atMs: number): void {
    if (atMs >= wakesAtMs) return
    wakesAtMs = atMs
    void pauseMs(Math.max(1, atMs - clock.now())).then(() => {
      if (wakesAtMs !== atMs) return
      wakesAtMs = Infinity
      void work()
    })
  }

  /** Sends all that can be sent; comes again by itself while something waits. */
  async function work(): Promise<void> {
    again = true
    if (working) return
    working = true
    while (again && !stopping.signal.aborted) {
      again = false
      const waiting = [...partitions.values()].filter(wantsWork)
      if (waiting.length === 0) break
      if (!(await identify())) {
        await pauseMs(longestPauseMs)
        again = true
        continue
      }
      const nodes = new Set(waiting.map(({ topic, partition }) => cluster.knownLeaders(topic)?.[partition] ?? -1))
      if (nodes.delete(-1)) void findLeaders(waiting.map(({ topic }) => topic))
      // One look at the clock decides what is sent now and what is woken for, or a batch falls between the two.
      const now = clock.now()
      let soonestMs = Infinity
      for (const nodeId of nodes) {
        if (busyNodes.has(nodeId)) continue
        const chosen = collect(nodeId, now)
        if (chosen.length === 0) continue
        busyNodes.add(nodeId)
        void send(nodeId, chosen).finally(() => {
          busyNodes.delete(nodeId)
          void work()
        })
      }
      for (const { inFlight } of waiting) {
        if (inFlight !== null && inFlight.notBeforeMs > now) soonestMs = Math.min(soonestMs, inFlight.notBeforeMs)
      }
      wakeAt(soonestMs)
    }
    working = false
  }

  function kick(): void {
    if (lingering) return
    lingering = true
    const start = () => {
      lingering = false
      void work()
    }
    if (lingerMs > 0) void pauseMs(lingerMs).then(start)
    else setImmediate(start)
  }

  return {
    append(topic, records, maxBatchBytes, signal) {
      if (closed) return Promise.reject(logClosed())
      const bytes = records.reduce((sum, record) => sum + bytesOf(record) + itemOverheadBytes, 0)
      if (pendingBytes > 0 && pendingBytes + bytes > maxPendingBytes) {
        const why = lastProblem === null ? '' : `; ${asError(lastProblem).message}`
        return Promise.reject(
          new ContractError(
            'LOG_UNAVAILABLE',
            `${pendingBytes} bytes wait for Kafka already, with ${bytes} more over the limit of ${maxPendingBytes}${why}`,
          ),
        )
      }
      return new Promise((resolve, reject) => {
        const append: Append = {
          positions: [],
          items: records.map((record, index) => ({
            record,
            index,
            bytes: bytesOf(record),
            place: partitionAt(topic, record.partition, maxBatchBytes),
            owner: null,
            state: 'queued',
          })),
          deadlineMs: clock.now() + appendTimeoutMs,
          missing: records.length,
          settled: false,
          resolve,
          reject,
        }
        const onAbort = () => settle(append, () => reject(signal?.reason as Error))
        signal?.addEventListener('abort', onAbort, { once: true })
        append.resolve = (positions) => {
          signal?.removeEventListener('abort', onAbort)
          resolve(positions)
        }
        append.reject = (error) => {
          signal?.removeEventListener('abort', onAbort)
          reject(asError(error))
        }
        open.add(append)
        pendingBytes += bytes
        for (const item of append.items) {
          item.owner = append
          item.place.queue.push(item)
        }
        void sweep()
        kick()
      })
    },

    pendingBytes: () => pendingBytes,

    async close() {
      closed = true
      await Promise.allSettled([...open].map((append) => ended(append)))
      stopping.abort(logClosed())
    },
  }

  function ended(append: Append): Promise<void> {
    return new Promise((done) => {
      const { resolve, reject } = append
      append.resolve = (positions) => {
        resolve(positions)
        done()
      }
      append.reject = (error) => {
        reject(error)
        done()
      }
    })
  }
}

function bytesOf({ key, value, headers }: RoutedRecord): number {
  return key.length + (value?.length ?? 0) + headers.length
}

function firstOf<T>(set: ReadonlySet<T>): T | null {
  for (const item of set) return item
  return null
}

function failureOf(error: Error & { readonly type?: string }, topic: string): ContractError {
  if (error.type === 'MESSAGE_TOO_LARGE' || error.type === 'RECORD_LIST_TOO_LARGE') {
    return new ContractError('LOG_RECORD_TOO_LARGE', `${topic}: ${error.message}`, { cause: error })
  }
  return unavailable(`Kafka refused a batch for ${topic}`, error)
}
