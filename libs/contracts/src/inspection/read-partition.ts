import type { EventLog, LogRecord } from '../ports/event-log.ts'

/** How one partition is read from what is still kept to its present end. */
export interface ReadPartition {
  readonly log: Pick<EventLog, 'starts' | 'ends' | 'readAll'>
  readonly topic: string
  readonly partition: number
  readonly onRecords: (records: readonly LogRecord[]) => void
  /** Told of what is being tried again. */
  readonly onError?: (error: Error) => void
  readonly signal?: AbortSignal
}

/** Resolves when the partition's present end was reached; rejects with the signal's reason. */
export async function readPartition(options: ReadPartition): Promise<void> {
  const { log, topic, partition, signal } = options
  signal?.throwIfAborted()
  const [starts, ends] = await Promise.all([log.starts(topic), log.ends(topic)])
  const end = ends[partition] ?? 0
  if (end <= (starts[partition] ?? 0)) return
  const done = Promise.withResolvers<undefined>()
  const abort = () => done.reject(signal?.reason)
  signal?.addEventListener('abort', abort, { once: true })
  const reader = await log.readAll({
    topics: [topic],
    maxBatchRecords: 2_000,
    startAt: (at) => (at.partition === partition ? null : (ends[at.partition] ?? null)),
    onError: options.onError ?? (() => undefined),
    onBatch: (batch) => {
      if (batch.partition !== partition) return Promise.resolve()
      options.onRecords(batch.records.filter(({ position }) => position < end))
      if (batch.next >= end) done.resolve(undefined)
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
