import { isContractError } from '@freshet/contracts/errors'
import type { BatchHandler, LogRecord, TopicPartition } from '@freshet/contracts/ports/event-log'
import type { Clock } from '@freshet/domain/clock'
import { asError } from '../as-error.ts'

/** Records from a position on. */
export interface Chunk {
  /** Empty if retention or compaction removed them all. */
  readonly records: readonly LogRecord[]
  readonly next: number
  readonly end: number
  /** As in `LogBatch`. */
  readonly deletedUnread?: number
}

/** Options of a pump. */
export interface PumpOptions {
  readonly at: TopicPartition
  /** Returns where to start; null: at the beginning. Called before the first read, and again while the partition ends before the next position to read. If it throws, it is called again after a pause. */
  readonly startAt: () => Promise<number | null> | number | null
  /** Resolves to records at or after `position` as soon as there are some; null: the signal was aborted. Throws LOG_REPLACED if the partition ends before it. */
  readonly next: (position: number, signal: AbortSignal) => Promise<Chunk | null>
  readonly onBatch: BatchHandler
  readonly onError: (error: Error, at: TopicPartition) => void
  readonly clock: Clock
}

/** Reads one partition and hands batch after batch to the handler; repeats a failed batch after a pause until it is handled. */
export interface PartitionPump {
  readonly at: TopicPartition
  /** One past the last handled position, or the start position; null: it starts at the beginning and has handled nothing. */
  handled(): number | null
  /** Calls `startAt` again and continues from there. */
  restart(): void
  /** Stops; resolves when the batch in progress has ended. */
  stop(): Promise<void>
}

const firstPauseMs = 50
const longestPauseMs = 2_000

/** Starts reading a partition. */
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
    // `from` of a batch is the handler's position, which can lie before its first record: ranges may be empty.
    let from = start.value ?? 0
    let position = from
    while (!signal.aborted) {
      const read = await untilDone(async () => {
        try {
          return await options.next(position, reading)
        } catch (error) {
          // The log may have been replaced, and the stored position may differ in the new one.
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
        // Call the handler even without records: whoever waits for a position must not wait forever if the records before it are gone.
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
