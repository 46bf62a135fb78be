import type { PortCall } from './port-call.ts'

/** Values of some keys of one partition, read at one position. */
export interface StateRead {
  /** The position up to which the partition's state has been folded; null: nothing stored yet. */
  readonly position: number | null
  /** In the order of the requested keys; null: no value. */
  readonly values: readonly (Uint8Array | null)[]
}

/** A read with everything else that a fold needs. */
export interface FoldRead extends StateRead {
  /** Partition-wide bytes of the last commit: watermark, high-water marks; null: none. */
  readonly meta: Uint8Array | null
  /** One byte per requested hash: 1 if the dedupe memory holds it. */
  readonly seen: Uint8Array
  /** In the order of `ends.keys`: the last bytes of each value, fewer if the value is shorter; null: no value. */
  readonly ends: readonly (Uint8Array | null)[]
}

/** A query for everything that a fold needs, in one round trip. */
export interface FoldQuery {
  readonly scope: string
  readonly partition: number
  readonly keys: readonly string[]
  /** 64-bit hashes of event ids. */
  readonly hashes: BigUint64Array
  /** Generations of the dedupe memory to look in. */
  readonly generations: readonly number[]
  /** Keys whose last `bytes` bytes are enough: an appended value ends with the data that the next append needs. */
  readonly ends: { readonly keys: readonly string[]; readonly bytes: number }
}

/** The rest of a query that reads only a partition's position and meta. */
export const nothingElse = {
  keys: [],
  hashes: new BigUint64Array(0),
  generations: [],
  ends: { keys: [], bytes: 0 },
} as const

/** A value to store. */
export interface StatePut {
  readonly key: string
  readonly value: Uint8Array
  /** The value expires this long after its last write, milliseconds of wall clock; null: never. */
  readonly ttlMs: number | null
}

/** All changes of one partition from one position to another. The store applies all or none: deletes, then puts, then appends. */
export interface StateCommit {
  readonly scope: string
  readonly partition: number
  /** The position before the batch. */
  readonly from: number
  /** The position after the batch. */
  readonly next: number
  readonly puts: readonly StatePut[]
  /** Bytes to append to a value (a missing value counts as empty); the append renews the value's TTL. The store does not check the total against the largest value. */
  readonly appends: readonly StatePut[]
  readonly deletes: readonly string[]
  readonly meta: Uint8Array | null
  /** Event ids to remember, by generation; a generation expires `ttlMs` of wall clock after its last addition. */
  readonly remember: readonly { readonly generation: number; readonly hashes: BigUint64Array; readonly ttlMs: number }[]
}

/**
 * How a commit ended. `stored` is the partition's position now.
 * - APPLIED: stored = next.
 * - SKIPPED: stored ≥ next before: the commit had been applied already. Nothing changed.
 * - PARTIAL: from < stored < next: part of it had been applied. Nothing changed; drop cached state, fold from `stored`.
 * - ROLLBACK: stored < from (null counts as 0): the store lost commits. Nothing changed; drop cached state, fold from `stored`.
 */
export interface CommitOutcome {
  readonly kind: 'APPLIED' | 'SKIPPED' | 'PARTIAL' | 'ROLLBACK'
  readonly stored: number
}

/** How a conditional append ended. CHANGED: the store appended nothing, because the value is another one now: `value`; null: none. */
export type AppendOutcome =
  { readonly kind: 'APPENDED' } | { readonly kind: 'CHANGED'; readonly value: Uint8Array | null }

/**
 * Keeps state by (scope, partition, key). A scope is a family of state in one generation, e.g. `user.1`. All keys of a
 * partition live where one script can change them together (Redis: one hash slot).
 * Errors are `ContractError`s: STORE_UNAVAILABLE, STORE_FULL, STORE_CLOSED, STORE_VALUE_TOO_LARGE.
 */
export interface StateStore {
  /** Reads many keys of one partition and its position atomically. */
  read(scope: string, partition: number, keys: readonly string[], options?: StoreCall): Promise<StateRead>
  readForFold(query: FoldQuery, options?: StoreCall): Promise<FoldRead>
  commit(commit: StateCommit, options?: StoreCall): Promise<CommitOutcome>
  /** The stored position of each requested partition; null: nothing stored. */
  positions(scope: string, partitions: readonly number[], options?: StoreCall): Promise<readonly (number | null)[]>
  /** Every key of a partition in pages, in no particular order; for checksums and rebuilds. */
  scan(
    scope: string,
    partition: number,
    options?: StoreCall,
  ): AsyncIterable<readonly { readonly key: string; readonly value: Uint8Array }[]>
  /** Removes a scope with all its keys, dedupe memory and positions. */
  dropScope(scope: string, partitions: readonly number[], options?: StoreCall): Promise<void>
  /** A named small value outside the fence, e.g. which generation serves; null: none. */
  pointer(name: string, options?: StoreCall): Promise<string | null>
  /** Sets a pointer if it still has the value `expected` (null: none); resolves to whether it did. */
  movePointer(name: string, expected: string | null, value: string, options?: StoreCall): Promise<boolean>
  /**
   * Short-lived lists outside the fence (what was served, page sessions): appends bytes to a key's value, keeps the last
   * `maxBytes`, and expires it `ttlMs` after the last append. No append of a concurrent writer is lost.
   */
  append(
    scope: string,
    partition: number,
    key: string,
    bytes: Uint8Array,
    bound: { readonly maxBytes: number; readonly ttlMs: number },
    options?: StoreCall,
  ): Promise<void>
  /**
   * Appends like `append`, if the value is still the one that the caller read (compare and append). It compares the length and the
   * last 64 bytes: appends only ever change these. Of concurrent writers that read the same value, exactly one appends. An answer that
   * was lost does not say whether the bytes were appended.
   */
  appendIf(
    scope: string,
    partition: number,
    key: string,
    bytes: Uint8Array,
    bound: {
      /** The value that the caller read; null or empty: none. */
      readonly read: Uint8Array | null
      readonly maxBytes: number
      readonly ttlMs: number
    },
    options?: StoreCall,
  ): Promise<AppendOutcome>
  /** Replaces a short-lived value outside the fence. */
  put(scope: string, partition: number, put: StatePut, options?: StoreCall): Promise<void>
  close(): Promise<void>
}

/** Options of every call. */
export interface StoreCall extends PortCall {
  /**
   * How long a `put` may wait for other writes, milliseconds, so that they share a transaction; absent: not at all. Reads of
   * this store see the value at once. A store to which this makes no difference ignores it.
   */
  readonly lingerMs?: number
}
