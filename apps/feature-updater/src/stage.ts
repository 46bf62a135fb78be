import type { LogRecord, NewRecord } from '@freshet/contracts/ports/event-log'
import type { StatePut, StateCommit } from '@freshet/contracts/ports/state-store'
import type { OutcomeCounts, PartitionMeta } from '@freshet/contracts/codecs/partition-meta'
import type { StateFamily } from '@freshet/contracts/scopes'
import type { TopicName } from '@freshet/contracts/topics'

/** What a batch needs to be read before it can be folded. */
export interface FoldNeeds {
  /** Keys of the state that it touches, each once. */
  readonly keys: readonly string[]
  /** Hashes of its event ids, in the order of its records that have one. */
  readonly hashes: BigUint64Array
  /** Records that are none of the wanted kind. */
  readonly badRecords: number
}

/** The partition as stored before a batch. */
export interface FoldBefore<State> {
  readonly meta: PartitionMeta
  /** null: nothing stored under this key. */
  readonly stateOf: (key: string) => State | null
  /** One byte per hash of `FoldNeeds.hashes`: 1 where it is remembered. */
  readonly seen: Uint8Array
}

/** Records to be appended to one topic. */
export interface Onward {
  readonly topic: TopicName
  readonly records: readonly NewRecord[]
}

/** What folding a batch comes to: a pure function of the stored state and the batch. */
export interface FoldResult<State> {
  readonly puts: readonly StatePut[]
  readonly deletes: readonly string[]
  readonly remember: StateCommit['remember']
  readonly meta: PartitionMeta
  /** Appended before the commit. */
  readonly onward: readonly Onward[]
  /** The new state of every key touched; null: deleted. */
  readonly states: ReadonlyMap<string, { readonly state: State; readonly bytes: number } | null>
  /** What became of the batch's records. */
  readonly outcomes: OutcomeCounts
}

/** A batch cut out of a partition. */
export interface FoldBatch {
  readonly partition: number
  /** Where it leads to. */
  readonly next: number
  readonly records: readonly LogRecord[]
}

/** One of the two stages: decoded records `Parsed`, state `State` by key. Nothing in it waits or looks at a clock. */
export interface Stage<Parsed, State> {
  readonly topic: TopicName
  readonly family: StateFamily
  /** Decodes the records; a bad one becomes a value that says so. */
  parse(batch: FoldBatch): readonly Parsed[]
  needs(parsed: readonly Parsed[]): FoldNeeds
  /** Generations of the dedupe memory to look in, from the watermark before the batch. */
  generations(watermarkMs: number): readonly number[]
  decode(bytes: Uint8Array): State
  fold(batch: FoldBatch, parsed: readonly Parsed[], before: FoldBefore<State>): FoldResult<State>
}
