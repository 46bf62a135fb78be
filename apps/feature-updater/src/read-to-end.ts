import type { EventLog, LogRecord } from '@freshet/contracts/ports/event-log'

/** Reads a topic from its start, or from `startAt`, to its present end, all partitions, and hands on each partition's records in their order. Rejects with the signal's reason when aborted. */
export async function readToEnd(options: {
  readonly log: Pick<EventLog, 'ends' | 'readAll'>
  readonly topic: string
  readonly maxBatchRecords: number
  /** null: at the beginning of the partition. */
  readonly startAt?: (partition: number) => number | null
  readonly onRecords: (partition: number, records: readonly LogRecord[]) => void
  readonly onError: (error: Error) => void
  readonly signal?: AbortSignal
}): Promise<void> {
  const { log, topic, signal } = options
  const ends = await log.ends(topic)
  const startAt = options.startAt ?? (() => null)
  const missing = new Set(ends.flatMap((end, partition) => (end > (startAt(partition) ?? 0) ? [partition] : [])))
  if (missing.size === 0) return
  const done = Promise.withResolvers<undefined>()
  const abort = () => done.reject(signal?.reason)
  signal?.throwIfAborted()
  signal?.addEventListener('abort', abort, { once: true })
  const reader = await log.readAll({
    topics: [topic],
    maxBatchRecords: options.maxBatchRecords,
    startAt: ({ partition }) => (missing.has(partition) ? startAt(partition) : (ends[partition] ?? null)),
    onError: options.onError,
    onBatch: ({ partition, next, records }) => {
      const end = ends[partition] ?? 0
      if (missing.has(partition)) {
        options.onRecords(
          partition,
          records.filter(({ position }) => position < end),
        )
      }
      if (next >= end) missing.delete(partition)
      if (missing.size === 0) done.resolve(undefined)
      return Promise.resolve()
    },
  })
  try {
    await done.promise
  } finally {
    signal?.removeEventListener('abort', abort)
    await reader.stop()
  }
}
