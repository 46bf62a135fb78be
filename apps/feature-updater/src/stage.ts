import type { LogRecord, NewRecord } from '@freshet/contracts/ports/event-log'
import type { StatePut, StateCommit } from '@freshet/contracts/ports/state-store'
import type { OutcomeCounts, PartitionMeta } from '@freshet/contracts/codecs/partition-meta'
import type { StateFamily } from '@freshet/contracts/scopes'
import type { TopicName } from '@freshet/contracts/topics'

/** What must be read before a batch can be folded. */
export interface FoldNeeds<Cached> {
  /** Keys whose values it changes rather than adds to, and which are not cached, each once. */
  readonly keys: readonly string[]
  /** Keys whose last `endBytes` bytes contain what is not cached. */
  readonly ends: readonly string[]
  readonly endBytes: number
  /** Keys of `ends` whose values are needed after all, now that this is known. */
  readonly overdue: (cached: (key: string) => Cached | undefined) => readonly string[]
  /** Hashes of its event ids, in the order of its records that have one. */
  readonly hashes: BigUint64Array
  /** Where each of them is looked for in the dedupe memory. */
  readonly lookups: readonly Lookup[]
}

/** Event ids that are looked for in the same generations of the dedupe memory. */
export interface Lookup {
  readonly generations: readonly number[]
  /** Which of the hashes; null: all. */
  readonly indices: Uint32Array | null
}

/** The partition as stored before a batch. */
export interface FoldBefore<Cached> {
  readonly meta: PartitionMeta
  /** What was cached or read from the value's end; undefined: neither. */
  readonly cached: (key: string) => Cached | undefined
  /** Of `FoldNeeds.keys` and those overdue; null: nothing stored under this key; undefined: not read. */
  readonly valueOf: (key: string) => Uint8Array | null | undefined
  readonly hashes: BigUint64Array
  /** One byte per hash: 1 where it is remembered. */
  readonly seen: Uint8Array
}

/** Records to be appended to one topic. */
export interface Onward {
  readonly topic: TopicName
  readonly records: readonly NewRecord[]
}

/** What folding a batch comes to: what state it means is a pure function of the stored state and the batch; how it is written may depend on what is cached. */
export interface FoldResult<Cached> {
  readonly puts: readonly StatePut[]
  readonly appends: readonly StatePut[]
  readonly deletes: readonly string[]
  readonly remember: StateCommit['remember']
  readonly meta: PartitionMeta
  /** Appended before the commit. */
  readonly onward: readonly Onward[]
  /** What to keep in memory of keys, once it is committed, and the bytes that it takes there, about. */
  readonly cache: ReadonlyMap<string, { readonly entry: Cached; readonly bytes: number }>
  /** Outcomes of the batch's records. */
  readonly outcomes: OutcomeCounts
}

/** A batch cut out of a partition. */
export interface FoldBatch {
  readonly partition: number
  /** The log that it was cut out of. */
  readonly epoch: number
  /** Where it leads to, as a stored position. */
  readonly next: number
  readonly records: readonly LogRecord[]
}

/** One of the two stages: decoded records `Parsed`; `Cached` is what it likes to keep in memory of a key. Nothing in it waits or looks at a clock. */
export interface Stage<Parsed, Cached> {
  readonly topic: TopicName
  readonly family: StateFamily
  /** How many of the first records are folded in one commit; at least one where there are any. */
  recordsAtOnce(records: readonly LogRecord[]): number
  /** Decodes the records; a bad one becomes a value that says so. Throws CODEC_NEWER where a newer version wrote one. */
  parse(batch: Pick<FoldBatch, 'records'>): readonly Parsed[]
  /** Number of records that could not be decoded. */
  badRecords(parsed: readonly Parsed[]): number
  needs(parsed: readonly Parsed[], cached: (key: string) => Cached | undefined): FoldNeeds<Cached>
  /** Reads the end of a value. null: there is no value. */
  ofEnd(end: Uint8Array | null): Cached
  fold(batch: FoldBatch, parsed: readonly Parsed[], before: FoldBefore<Cached>): FoldResult<Cached>
}
