import { ContractError } from '@freshet/contracts/errors'
import type { Position } from '@freshet/contracts/ports/event-log'
import { asError } from '../../shared/as-error.ts'
import { unavailable } from '../errors.ts'
import type { KafkaSettings } from '../options.ts'
import { forgetQueued } from './queue.ts'
import type { Append, Item, PartitionQueue, RoutedRecord } from './queue.ts'

/** Approximate memory of a record in addition to its bytes. */
const itemOverheadBytes = 128

/** Records to append, with their partitions. */
export interface AppendRequest {
  readonly records: readonly RoutedRecord[]
  readonly queueOf: (partition: number) => PartitionQueue
  readonly signal: AbortSignal | undefined
}

/** Pending appends: their memory, deadlines and results. */
export interface Appends {
  /** Queues records; resolves when each has a position. Rejects with LOG_UNAVAILABLE over the bound and after the deadline. */
  add(request: AppendRequest): Promise<readonly Position[]>
  /** Reports that the records of a batch were written from position `base` on. */
  acknowledge(items: readonly Item[], base: number): void
  /** Reports that the records of a batch will not be written. */
  fail(items: readonly Item[], failure: Error): void
  /** Bytes without an acknowledgement yet. */
  pendingBytes(): number
  /** Resolves when every append has ended. */
  ended(): Promise<void>
}

/** `lastProblem`: why nothing was acknowledged lately; null: no reason is known. `pause` ends early when the producer is closed. */
export function createAppends(
  settings: KafkaSettings,
  lastProblem: () => unknown,
  pause: (ms: number) => Promise<void>,
): Appends {
  const { clock, appendTimeoutMs, maxPendingBytes } = settings
  const open = new Set<Append>()
  let pendingBytes = 0
  let sweeping = false
  let idle = Promise.withResolvers<undefined>()

  function release(item: Item): void {
    if (item.state === 'gone') return
    item.state = 'gone'
    item.owner = null
    pendingBytes -= item.bytes + itemOverheadBytes
  }

  /** Ends an append. Records already sent stay in their batch: removing them would leave a gap in the sequence. */
  function settle(append: Append, end: () => void): void {
    if (append.settled) return
    append.settled = true
    open.delete(append)
    for (const item of append.items) {
      if (item.state !== 'queued') continue
      release(item)
      forgetQueued(item.partition)
    }
    end()
    if (open.size === 0) idle.resolve(undefined)
  }

  /** Ends appends whose deadline has passed, oldest first, as long as there are appends. */
  async function sweep(): Promise<void> {
    if (sweeping) return
    sweeping = true
    for (let first = firstOf(open); first !== null; first = firstOf(open)) {
      await pause(Math.max(1, first.deadlineMs - clock.now()))
      const now = clock.now()
      for (const append of open) {
        if (append.deadlineMs > now) break
        settle(append, () => append.reject(timedOut()))
      }
    }
    sweeping = false
  }

  const timedOut = () =>
    unavailable(
      `Kafka (${settings.brokers.join(', ')}) did not acknowledge within ${appendTimeoutMs} ms`,
      lastProblem() ?? new Error('no answer'),
    )

  function overBound(bytes: number): ContractError {
    const problem = lastProblem()
    const why = problem === null ? '' : `; ${asError(problem).message}`
    return new ContractError(
      'LOG_UNAVAILABLE',
      `${pendingBytes} bytes wait for Kafka already, with ${bytes} more over the limit of ${maxPendingBytes}${why}`,
    )
  }

  function start(request: AppendRequest, answer: Pick<Append, 'resolve' | 'reject'>): Append {
    const { records, queueOf } = request
    const items = records.map((record, index): Item => {
      const partition = queueOf(record.partition)
      return { record, index, bytes: bytesOf(record), partition, owner: null, state: 'queued' }
    })
    const deadlineMs = clock.now() + appendTimeoutMs
    const append: Append = { ...answer, positions: [], items, deadlineMs, missing: items.length, settled: false }
    if (open.size === 0) idle = Promise.withResolvers<undefined>()
    open.add(append)
    for (const item of items) {
      item.owner = append
      item.partition.queue.push(item)
    }
    return append
  }

  return {
    add(request) {
      const { records, signal } = request
      const bytes = records.reduce((sum, record) => sum + bytesOf(record) + itemOverheadBytes, 0)
      if (pendingBytes > 0 && pendingBytes + bytes > maxPendingBytes) return Promise.reject(overBound(bytes))
      const { promise, resolve, reject } = Promise.withResolvers<readonly Position[]>()
      pendingBytes += bytes
      const append = start(request, { resolve, reject: (error) => reject(asError(error)) })
      if (signal !== undefined) {
        const onAbort = () => settle(append, () => reject(signal.reason as Error))
        signal.addEventListener('abort', onAbort, { once: true })
        const forget = () => signal.removeEventListener('abort', onAbort)
        void promise.then(forget, forget)
      }
      void sweep()
      return promise
    },

    acknowledge(items, base) {
      items.forEach(({ owner, index, partition }, i) => {
        if (owner === null || owner.settled) return
        owner.positions[index] = { partition: partition.partition, position: base + i }
        if (--owner.missing === 0) settle(owner, () => owner.resolve(owner.positions))
      })
      items.forEach(release)
    },

    fail(items, failure) {
      for (const { owner } of items) if (owner !== null) settle(owner, () => owner.reject(failure))
      items.forEach(release)
    },

    pendingBytes: () => pendingBytes,

    async ended() {
      if (open.size > 0) await idle.promise
    },
  }
}

function bytesOf({ key, value, headers }: RoutedRecord): number {
  return key.length + (value?.length ?? 0) + headers.length
}

function firstOf<T>(set: ReadonlySet<T>): T | null {
  for (const item of set) return item
  return null
}
