import type { MessageHeaders } from '../headers.ts'
import type { PortCall } from './port-call.ts'

/** A record to append. */
export interface NewRecord {
  readonly key: string
  /** null removes the key from a compacted topic. */
  readonly value: Uint8Array | null
  /** The partition; null: `murmur2(key) mod partitions`, as every Kafka client computes it. */
  readonly partition: number | null
  /** Added to the headers of the append; absent: none. Must not change after the call. */
  readonly headers?: MessageHeaders
}

/** A record read from the log. */
export interface LogRecord {
  /** Its position in its partition: grows, with gaps. */
  readonly position: number
  readonly key: string
  readonly value: Uint8Array | null
  /** When it was appended, milliseconds since the epoch (wall clock, not event time). */
  readonly appendedAtMs: number
  /** `noHeaders` if it has none. Bytes that are not UTF-8 read as U+FFFD; of two headers with one name the last counts. Consecutive records with the same headers share one object. */
  readonly headers: MessageHeaders
}

/** The position of an appended record. */
export interface Position {
  readonly partition: number
  readonly position: number
}

/** Consecutive records of one partition; empty if retention or compaction removed them all. */
export interface LogBatch {
  readonly topic: string
  readonly partition: number
  /** The reader's position before this batch: the first position that could be in it. Positions are sparse, so compare with this, never with "last + 1". */
  readonly from: number
  /** The reader's position after this batch. */
  readonly next: number
  readonly records: readonly LogRecord[]
  /** The partition's last known end when the batch was read; `end - next` is the lag. */
  readonly end: number
  /** Number of positions in this batch that retention deleted before this reader reached them; absent: none. */
  readonly deletedUnread?: number
}

/** A handler's result: undefined to continue, or the position from which to read this partition again. */
export type BatchVerdict = void | { readonly seekTo: number }

/** Handles a batch. If it throws, the reader delivers the same records again after a pause; other partitions continue. */
export type BatchHandler = (batch: LogBatch, signal: AbortSignal) => Promise<BatchVerdict>

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

interface ReaderOptions {
  readonly topics: readonly string[]
  readonly onBatch: BatchHandler
  /** Batches hold at most this many records. */
  readonly maxBatchRecords: number
  /** Receives every failure that the reader retries: handler errors, lost connections, LOG_REPLACED when a partition ends before the next position to read. LOG_RECORDS_LOST is reported once; reading continues after the gap. `at`: the partition, if the error is about one. */
  readonly onError: (error: Error, at?: TopicPartition) => void
}

/** Membership in a group: each partition is read by one member at a time. */
export interface GroupReaderOptions extends ReaderOptions {
  readonly group: string
  /** Returns where to start; null: at the beginning of the partition. The reader calls it on every assignment, and again while the partition ends before the next position to read. The stored position counts, not the log's own bookkeeping. */
  readonly startAt: (at: TopicPartition) => Promise<number | null>
  /** Called with newly assigned partitions before their first batch. */
  readonly onAssigned?: (partitions: readonly TopicPartition[]) => void
  /** Called with revoked partitions. A batch in progress may still finish: the fence makes that harmless. */
  readonly onRevoked?: (partitions: readonly TopicPartition[]) => void
}

/** Reads all partitions, as views do. */
export interface ViewReaderOptions extends ReaderOptions {
  /** Where to start; null: at the beginning of the partition. */
  readonly startAt: (at: TopicPartition) => number | null
}

/** A running reader. */
export interface LogReader {
  /** One past the last handled position; null: nothing was handled yet. */
  handled(at: TopicPartition): number | null
  /** The partitions that it currently reads. */
  assigned(): readonly TopicPartition[]
  /** The number of records between the handled position and the end, summed over the assigned partitions. Asks the log. */
  lag(): Promise<number>
  /** Calls `startAt` again for each partition of a topic and continues from there after the batch in progress. */
  restart(topic: string): void
  /** Stops reading; resolves when the batch in progress has ended. */
  stop(): Promise<void>
}

/** How a topic is laid out. */
export interface TopicLayout {
  readonly name: string
  readonly partitions: number
  /** `delete`: the log deletes records after `retentionMs`. `compact`: it keeps the last record of each key. */
  readonly cleanup: 'delete' | 'compact'
  /**
   * Compaction leaves records younger than this alone and the earlier ones that they supersede, so that a reader has this long to undo
   * a record that should not be the last of its key. Absent: 0.
   */
  readonly minCompactionLagMs?: number
  /** Size at which a log that keeps records in segments begins a new one; only full ones are compacted. Absent: the log's own default. */
  readonly segmentBytes?: number
  /** null: forever. */
  readonly retentionMs: number | null
  /** Largest record, bytes: key, value and encoded headers together. */
  readonly maxRecordBytes: number
}

/** What `applyTopics` did with one topic. */
export interface TopicOutcome {
  readonly name: string
  readonly outcome: 'created' | 'unchanged' | 'altered'
}

/** How records are appended. */
export interface AppendOptions extends PortCall {
  /** Headers of every record of this append; a record's own headers replace those of the same name. */
  readonly headers?: MessageHeaders
  /** Nobody changes the bytes of the values after the call, so the log may keep them instead of copies. Absent: it copies what it keeps. */
  readonly finalValues?: boolean
}

/** An ordered, partitioned, durable log. Errors are `ContractError`s: LOG_UNAVAILABLE, LOG_FULL, LOG_RECORD_TOO_LARGE, HEADERS_TOO_LARGE, LOG_TOPIC_MISSING, LOG_TOPIC_MISMATCH, LOG_CLOSED. */
export interface EventLog {
  /** Creates missing topics and sets retention and cleanup. Idempotent. A different number of partitions is an error: keys would change owners. */
  applyTopics(topics: readonly TopicLayout[], call?: PortCall): Promise<readonly TopicOutcome[]>
  partitionCount(topic: string, call?: PortCall): Promise<number>
  /** The identity of a topic's log. It changes when the topic is deleted and created again under the same name. null: the log has none. */
  identity(topic: string, call?: PortCall): Promise<string | null>
  /** The first position that the log still holds, per partition. */
  starts(topic: string, call?: PortCall): Promise<readonly number[]>
  /** One past the last position, per partition. */
  ends(topic: string, call?: PortCall): Promise<readonly number[]>
  /** For each partition, the position of the first record that was appended at or after a time; the end if there is none. `timeMs`: milliseconds since the epoch. */
  positionsAt(topic: string, timeMs: number, call?: PortCall): Promise<readonly number[]>
  /**
   * Appends in the order given; resolves when every in-sync replica has them all, with their places in the same order.
   * When it rejects, some records may have been written: send them again (receivers drop repeats). An aborted signal rejects
   * immediately; the records may still be written.
   */
  append(topic: string, records: readonly NewRecord[], options?: AppendOptions): Promise<readonly Position[]>
  /** The signal cancels only the opening; `stop` ends an open reader. */
  readGroup(options: GroupReaderOptions, call?: PortCall): Promise<LogReader>
  /** As `readGroup`. */
  readAll(options: ViewReaderOptions, call?: PortCall): Promise<LogReader>
  close(): Promise<void>
}
