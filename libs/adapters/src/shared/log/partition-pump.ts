import { isContractError } from '@freshet/contracts/errors'
import type { BatchHandler, LogRecord, TopicPartition } from '@freshet/contracts/ports/event-log'
import type { Clock } from '@freshet/domain/clock'
import { asError } from '../as-error.ts'

/** What a log holds from a position on. */
export interface Chunk {
  /** Empty where nothing is left of a stretch. */
  readonly records: readonly LogRecord[]
  readonly next: number
  readonly end: number
  /** As in `LogBatch`. */
  readonly deletedUnread?: number
}

/** How a partition is read. */
export interface PumpOptions {
  readonly at: TopicPartition
  /** Asked before the first read, and again while the partition ends before the position read next; null: from the beginning. Asked again after a pause where it throws. */
  readonly startAt: () => Promise<number | null> | number | null
  /** Resolves with what stands at `position` or after it as soon as there is something; null: the signal was aborted. Throws LOG_REPLACED where the partition ends before it. */
  readonly next: (position: number, signal: AbortSignal) => Promise<Chunk | null>
  readonly onBatch: BatchHandler
  readonly onError: (error: Error, at: TopicPartition) => void
  readonly clock: Clock
}

/** Reads one partition: batch after batch through the handler, each again after a pause until it is handled. */
export interface PartitionPump {
  readonly at: TopicPartition
  /** One past the last position handled, or where it started; null where it starts at the beginning and nothing was handled. */
  handled(): number | null
  /** Asks `startAt` again and reads on from there. */
  restart(): void
  /** Asks it to stop; resolves when the batch being handled has ended. */
  stop(): Promise<void>
}

const firstPauseMs = 50
const longestPauseMs = 2_000

/** Starts to read a partition. */
export function startPump(options: PumpOptions): PartitionPump {
  const { at, clock, onError } = options
  const stopping = new AbortController()
  const { signal } = stopping
  let handled: number | null = null
  let seeking = new AbortController()
  let reading = AbortSignal.any([signal, seeking.signal])

  async function untilDone<T>(work: () => Promise<T> | T): Promise<{ readonly value: T } | null> {
    for (let pauseMs = firstPauseMs; !signal.aborted; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      try {
        return { value: await work() }
      } catch (error) {
        onError(asError(error), at)
        await clock.sleep(pauseMs, signal).catch(() => undefined)
      }
    }
    return null
  }

  async function run(): Promise<void> {
    const start = await untilDone(options.startAt)
    if (start === null) return
    handled = start.value
    // A batch says where the handler stood, which is not where its records begin: emptied stretches lie between.
    let from = start.value ?? 0
    let position = from
    while (!signal.aborted) {
      const read = await untilDone(async () => {
        try {
          return await options.next(position, reading)
        } catch (error) {
          // The log may be another one by now, in which who keeps the position stands elsewhere.
          if (isContractError(error, 'LOG_REPLACED')) from = position = (await options.startAt()) ?? 0
          throw error
        }
      })
      const chunk = read?.value ?? null
      if (chunk === null && (read === null || signal.aborted)) return
      if (chunk === null || seeking.signal.aborted) {
        seeking = new AbortController()
        reading = AbortSignal.any([signal, seeking.signal])
        const again = await untilDone(options.startAt)
        if (again === null) return
        handled = again.value
        from = position = again.value ?? 0
        continue
      }
      position = chunk.next
      if (chunk.next > from) {
        // Without records, too: who waits for a position must not wait for ever where nothing is left before it.
        const { records, next, end, deletedUnread } = chunk
        const batch = { ...at, from, next, records, end, ...(deletedUnread !== undefined && { deletedUnread }) }
        const verdict = await untilDone(() => options.onBatch(batch, signal))
        if (verdict === null) return
        position = verdict.value ? verdict.value.seekTo : chunk.next
        from = position
      }
      handled = position
    }
  }

  const ended = run()
  return {
    at,
    handled: () => handled,
    restart() {
      seeking.abort(restarted)
    },
    stop() {
      stopping.abort(stopped)
      return ended
    },
  }
}

const stopped = new Error('the reader was stopped')
const restarted = new Error('the reader starts again')
