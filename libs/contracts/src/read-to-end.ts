import type { EventLog, LogRecord } from './ports/event-log.ts'

/** Which part of a topic to read, and how. */
export interface ReadToEnd {
  readonly log: Pick<EventLog, 'starts' | 'ends' | 'readAll'>
  readonly topic: string
  readonly maxBatchRecords: number
  /** Only these partitions; absent: all. */
  readonly partitions?: readonly number[]
  /** null or absent: from the beginning of the partition. */
  readonly startAt?: (partition: number) => number | null
  /** Where to end; null or absent: at the partition's current end. Must not be past it. */
  readonly endAt?: (partition: number) => number | null
  /** If it returns a promise, the next records of the partition wait for it. */
  readonly onRecords: (partition: number, records: readonly LogRecord[]) => unknown
  /** Receives errors that are being retried. */
  readonly onError: (error: Error) => void
  readonly signal?: AbortSignal
}

/** Reads a topic from its start, or from `startAt`, to its current end, or to `endAt`. Delivers each partition's records in order. Rejects with the signal's reason when aborted. */
export async function readToEnd(options: ReadToEnd): Promise<void> {
  const { log, topic, signal } = options
  signal?.throwIfAborted()
  const call = signal === undefined ? {} : { signal }
  const [starts, currentEnds] = await Promise.all([log.starts(topic, call), log.ends(topic, call)])
  const ends = currentEnds.map((end, partition) => options.endAt?.(partition) ?? end)
  const startAt = options.startAt ?? (() => null)
  const wanted = options.partitions ?? ends.map((_, partition) => partition)
  const hasMore = (partition: number): boolean =>
    (ends[partition] ?? 0) > Math.max(starts[partition] ?? 0, startAt(partition) ?? 0)
  const missing = new Set(wanted.filter(hasMore))
  if (missing.size === 0) return
  const done = Promise.withResolvers<undefined>()
  const abort = () => done.reject(signal?.reason)
  signal?.addEventListener('abort', abort, { once: true })
  const reader = await log.readAll({
    topics: [topic],
    maxBatchRecords: options.maxBatchRecords,
    startAt: ({ partition }) => (missing.has(partition) ? startAt(partition) : (currentEnds[partition] ?? null)),
    onError: options.onError,
    async onBatch({ partition, next, records }) {
      const end = ends[partition] ?? 0
      if (missing.has(partition)) {
        await options.onRecords(
          partition,
          records.filter(({ position }) => position < end),
        )
      }
      if (next >= end) missing.delete(partition)
      if (missing.size === 0) done.resolve(undefined)
    },
  })
  try {
    await done.promise
  } finally {
    signal?.removeEventListener('abort', abort)
    await reader.stop()
  }
}
