import type { MessageHeaders } from '../headers.ts'
import type { PortCall } from './port-call.ts'

/** A record to be appended. */
export interface NewRecord {
  readonly key: string
  /** null removes the key from a compacted topic. */
  readonly value: Uint8Array | null
  /** Where to; null: `murmur2(key) mod partitions`, as every Kafka client does it. */
  readonly partition: number | null
  /** On top of the headers of the append; absent: no others. Must not change once handed over. */
  readonly headers?: MessageHeaders
}

/** A record read. */
export interface LogRecord {
  /** Its place in its partition: grows, with gaps. */
  readonly position: number
  readonly key: string
  readonly value: Uint8Array | null
  /** When the log took it, milliseconds since the epoch (wall clock, not event time). */
  readonly appendedAtMs: number
  /** `noHeaders` where it has none. Bytes that are not UTF-8 read as U+FFFD; of two headers of one name the last counts. Records in a row with the same headers share one object. */
  readonly headers: MessageHeaders
}

/** Where an appended record stands. */
export interface Position {
  readonly partition: number
  readonly position: number
}

/** Consecutive records of one partition; none where retention or compaction left nothing of a stretch. */
export interface LogBatch {
  readonly topic: string
  readonly partition: number
  /** Where the reader stood before: the first position that could be in this batch. Positions are sparse, so compare with this, never with "last + 1". */
  readonly from: number
  /** Where it stands after this batch. */
  readonly next: number
  readonly records: readonly LogRecord[]
  /** The partition's end as far as known when the batch was read; `end - next` is the lag. */
  readonly end: number
  /** Positions in this stretch that retention deleted before this reader came to them; absent: none. */
  readonly deletedUnread?: number
}

/** What a handler says of a batch: go on (nothing), or read this partition again from another position. */
export type BatchVerdict = void | { readonly seekTo: number }

/** Handles a batch. Throwing means: not handled; the same records come again after a pause, other partitions go on meanwhile. */
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
  /** Told of every failure that is being retried: handler errors, lost connections, LOG_REPLACED where a partition ends before the position read next. LOG_RECORDS_LOST is told once: reading goes on after the gap. `at`: the partition, where it is about one. */
  readonly onError: (error: Error, at?: TopicPartition) => void
}

/** Membership in a group: each partition is read by one member at a time. */
export interface GroupReaderOptions extends ReaderOptions {
  readonly group: string
  /** Asked on every assignment, and again while the partition ends before the position read next: where to start; null: at the beginning of the partition. The stored position is the truth, not the log's own bookkeeping. */
  readonly startAt: (at: TopicPartition) => Promise<number | null>
  /** Partitions just assigned, before their first batch. */
  readonly onAssigned?: (partitions: readonly TopicPartition[]) => void
  /** Partitions just lost. A batch being handled may still finish: the fence makes that harmless. */
  readonly onRevoked?: (partitions: readonly TopicPartition[]) => void
}

/** Reads all partitions, as views do. */
export interface ViewReaderOptions extends ReaderOptions {
  /** Where to start; null: at the beginning of the partition. */
  readonly startAt: (at: TopicPartition) => number | null
}

/** A running reader. */
export interface LogReader {
  /** One past the last position handled; null where nothing was handled yet. */
  handled(at: TopicPartition): number | null
  /** What is read at present. */
  assigned(): readonly TopicPartition[]
  /** Records between the position handled and the end of each assigned partition as now known, summed. Asks the log. */
  lag(): Promise<number>
  /** Asks `startAt` again for each partition of a topic and reads on from there, as soon as the batch being handled has ended. */
  restart(topic: string): void
  /** Stops reading; resolves when the batch being handled has ended. */
  stop(): Promise<void>
}

/** How a topic is laid out. */
export interface TopicLayout {
  readonly name: string
  readonly partitions: number
  /** `delete`: records go after `retentionMs`. `compact`: the last record of each key stays. */
  readonly cleanup: 'delete' | 'compact'
  /** null: for ever. */
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
  /** Headers of every record of this append; a record's own replace those of the same name. */
  readonly headers?: MessageHeaders
}

/** An ordered, partitioned, durable log. Errors are `ContractError`s: LOG_UNAVAILABLE, LOG_FULL, LOG_RECORD_TOO_LARGE, HEADERS_TOO_LARGE, LOG_TOPIC_MISSING, LOG_TOPIC_MISMATCH, LOG_CLOSED. */
export interface EventLog {
  /** Creates what is missing, sets retention and cleanup. Doing it twice changes nothing. A differing number of partitions is an error: keys would change owners. */
  applyTopics(topics: readonly TopicLayout[], call?: PortCall): Promise<readonly TopicOutcome[]>
  partitionCount(topic: string, call?: PortCall): Promise<number>
  /** Which log this is: another one when the topic was created anew, though its name is the same. null: the log cannot say. */
  identity(topic: string, call?: PortCall): Promise<string | null>
  /** The first position still held, per partition. */
  starts(topic: string, call?: PortCall): Promise<readonly number[]>
  /** One past the last position, per partition. */
  ends(topic: string, call?: PortCall): Promise<readonly number[]>
  /**
   * Appends in the order given; resolves when every in-sync replica has them all, with their places in the same order.
   * When it rejects, some may have been written: send them again (receivers drop repeats). An aborted signal rejects
   * at once; the records may still be written.
   */
  append(topic: string, records: readonly NewRecord[], options?: AppendOptions): Promise<readonly Position[]>
  /** A signal ends the opening alone: a reader that is open is stopped by `stop`. */
  readGroup(options: GroupReaderOptions, call?: PortCall): Promise<LogReader>
  /** As `readGroup`. */
  readAll(options: ViewReaderOptions, call?: PortCall): Promise<LogReader>
  close(): Promise<void>
}
