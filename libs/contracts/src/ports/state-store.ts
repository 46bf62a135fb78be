import type { PortCall } from './port-call.ts'

/** Values of some keys of one partition, as of one position. */
export interface StateRead {
  /** The position up to which the partition's state has been folded; null: nothing stored yet. */
  readonly position: number | null
  /** In the order of the keys asked for; null where there is none. */
  readonly values: readonly (Uint8Array | null)[]
}

/** The same, with what a fold needs besides. */
export interface FoldRead extends StateRead {
  /** Partition-wide bytes of the last commit: watermark, high-water marks; null: none. */
  readonly meta: Uint8Array | null
  /** One byte per hash asked for: 1 where the dedupe memory holds it. */
  readonly seen: Uint8Array
  /** In the order of `ends.keys`: the last bytes of each value, fewer where it is shorter; null where there is none. */
  readonly ends: readonly (Uint8Array | null)[]
}

/** Asks what a fold needs, in one round trip. */
export interface FoldQuery {
  readonly scope: string
  readonly partition: number
  readonly keys: readonly string[]
  /** 64-bit hashes of event ids. */
  readonly hashes: BigUint64Array
  /** Generations of the dedupe memory to look in. */
  readonly generations: readonly number[]
  /** Keys of which the last `bytes` bytes are enough: what is appended to ends with what the next append has to know. */
  readonly ends: { readonly keys: readonly string[]; readonly bytes: number }
}

/** Where only the position and the meta of a partition are asked for. */
export const nothingElse = {
  keys: [],
  hashes: new BigUint64Array(0),
  generations: [],
  ends: { keys: [], bytes: 0 },
} as const

/** A value to be stored. */
export interface StatePut {
  readonly key: string
  readonly value: Uint8Array
  /** The value goes when it was not written for this long, milliseconds of wall clock; null: never. */
  readonly ttlMs: number | null
}

/** All that changes for one partition from one position to another: applied together or not at all, deletes before puts before appends. */
export interface StateCommit {
  readonly scope: string
  readonly partition: number
  /** The position that the batch was folded from. */
  readonly from: number
  /** The position that it leads to. */
  readonly next: number
  readonly puts: readonly StatePut[]
  /** Bytes that go behind those of a value, or behind nothing where there is none; its time begins anew. The sum is not checked against the largest value. */
  readonly appends: readonly StatePut[]
  readonly deletes: readonly string[]
  readonly meta: Uint8Array | null
  /** Event ids to be remembered, by generation; a generation is forgotten `ttlMs` of wall clock after it was last added to. */
  readonly remember: readonly { readonly generation: number; readonly hashes: BigUint64Array; readonly ttlMs: number }[]
}

/**
 * How a commit ended. `stored` is the partition's position now.
 * - APPLIED: stored = next.
 * - SKIPPED: stored ≥ next before: it had been applied already. Nothing changed.
 * - PARTIAL: from < stored < next: a part had been applied. Nothing changed; drop cached state, fold from `stored`.
 * - ROLLBACK: stored < from (null counts as 0): the store lost commits. Nothing changed; drop cached state, fold from `stored`.
 */
export interface CommitOutcome {
  readonly kind: 'APPLIED' | 'SKIPPED' | 'PARTIAL' | 'ROLLBACK'
  readonly stored: number
}

/**
 * Keeps state by (scope, partition, key). A scope is a family of state in one generation, e.g. `user.1`. All keys of a
 * partition live where one script can change them together (Redis: one hash slot).
 * Errors are `ContractError`s: STORE_UNAVAILABLE, STORE_FULL, STORE_CLOSED, STORE_VALUE_TOO_LARGE.
 */
export interface StateStore {
  /** Reads many keys of one partition, with the position that they are of, atomically. */
  read(scope: string, partition: number, keys: readonly string[], options?: StoreCall): Promise<StateRead>
  readForFold(query: FoldQuery, options?: StoreCall): Promise<FoldRead>
  commit(commit: StateCommit, options?: StoreCall): Promise<CommitOutcome>
  /** The stored position of each partition asked for; null: nothing stored. */
  positions(scope: string, partitions: readonly number[], options?: StoreCall): Promise<readonly (number | null)[]>
  /** Every key of a partition, in no order, in pages; for checksums and rebuilds. */
  scan(
    scope: string,
    partition: number,
    options?: StoreCall,
  ): AsyncIterable<readonly { readonly key: string; readonly value: Uint8Array }[]>
  /** Removes a scope with all its keys, dedupe memory and positions. */
  dropScope(scope: string, partitions: readonly number[], options?: StoreCall): Promise<void>
  /** A named small value outside the fence, e.g. which generation serves; null: none. */
  pointer(name: string, options?: StoreCall): Promise<string | null>
  /** Sets it where it still has the value `expected` (null: none); answers whether it did. */
  movePointer(name: string, expected: string | null, value: string, options?: StoreCall): Promise<boolean>
  /**
   * Short-lived lists outside the fence (what was served, page sessions): appends bytes to a key's value, keeps the last
   * `maxBytes`, and lets it go `ttlMs` after the last append. Appends by several writers all stand.
   */
  append(
    scope: string,
    partition: number,
    key: string,
    bytes: Uint8Array,
    bound: { readonly maxBytes: number; readonly ttlMs: number },
    options?: StoreCall,
  ): Promise<void>
  /** Replaces a short-lived value outside the fence. */
  put(scope: string, partition: number, put: StatePut, options?: StoreCall): Promise<void>
  close(): Promise<void>
}

/** How a call may end earlier. */
export type StoreCall = PortCall
