import type { EventLog, LogRecord } from '@freshet/contracts/ports/event-log'
import { eventually } from './eventually.ts'

/** A record with its partition. */
export interface TopicRecord extends LogRecord {
  readonly partition: number
}

/** Every record of a topic up to its present end, in order within each partition. */
export async function readTopic(log: EventLog, topic: string, deadlineMs = 60_000): Promise<readonly TopicRecord[]> {
  const [starts, ends] = await Promise.all([log.starts(topic), log.ends(topic)])
  const open = new Set(ends.flatMap((end, partition) => (end > (starts[partition] ?? 0) ? [partition] : [])))
  if (open.size === 0) return []
  const records: TopicRecord[] = []
  const reader = await log.readAll({
    topics: [topic],
    maxBatchRecords: 5_000,
    startAt: () => null,
    onError: () => undefined,
    onBatch: (batch) => {
      const end = ends[batch.partition] ?? 0
      for (const record of batch.records)
        if (record.position < end) records.push({ ...record, partition: batch.partition })
      if (batch.next >= end) open.delete(batch.partition)
      return Promise.resolve()
    },
  })
  await eventually(`${topic} read to its end`, () => (open.size === 0 ? true : null), deadlineMs)
  await reader.stop()
  return records
}
