import { ContractError, isContractError } from '@freshet/contracts/errors'
import type {
  AppendOutcome,
  CommitOutcome,
  FoldRead,
  StatePut,
  StateStore,
  StoreCall,
} from '@freshet/contracts/ports/state-store'
import type { Clock } from '@freshet/domain/clock'
import { checkCommit, checkPut, defaultStateLimits } from '../shared/state/limits.ts'
import type { StateLimits } from '../shared/state/limits.ts'
import { isUnchanged, joined, lastBytes, lastOf } from '../shared/state/bytes.ts'
import { untilAborted } from '../shared/until-aborted.ts'
import type { BytesDatabase, LmdbEnvironment } from './environment.ts'
import { createLingeringPuts } from './lingering-puts.ts'
import { createStateKeyBuilder, endOfPrefix } from './state-keys.ts'
import { createStateSweeper } from './state-sweeper.ts'
import { liveValue, readPosition, storedPosition, storedValue } from './state-values.ts'

/** Options of a state store on LMDB. */
export interface LmdbStateStoreOptions {
  /** Stays open when the store is closed; whoever opened it closes it. */
  readonly environment: LmdbEnvironment
  /** The clock for expiry. */
  readonly clock: Clock
  readonly limits?: Partial<StateLimits>
}

const PAGE_KEYS = 500

/**
 * State in an LMDB environment. A commit is one write transaction; concurrent commits share one, and one fsync.
 * Reads never return expired values; later writes free their space in slices.
 */
export function createLmdbStateStore(options: LmdbStateStoreOptions): StateStore {
  const { environment, clock } = options
  const limits: StateLimits = { ...defaultStateLimits, ...options.limits }
  const values = environment.database('state')
  const ids = environment.database('state-ids')
  const pointers = environment.database('state-pointers')
  const keys = createStateKeyBuilder(limits.maxKeyBytes)
  const sweeper = createStateSweeper(values, ids, clock)
  const underWay = new Set<Promise<unknown>>()
  const lingering = createLingeringPuts(environment)
  let closed = false

  const begin = (call?: StoreCall): void => {
    if (closed) throw new ContractError('STORE_CLOSED', `the state store in ${environment.folder} was closed`)
    call?.signal?.throwIfAborted()
  }
  const reading = <T>(work: () => T, call?: StoreCall): T => {
    begin(call)
    try {
      return work()
    } catch (error) {
      throw unavailable(environment, error)
    }
  }
  const writing = async <T>(work: () => T, call?: StoreCall): Promise<T> => {
    begin(call)
    const transaction = environment.transaction(work, call?.lingerMs)
    underWay.add(transaction)
    const ended = transaction
      .catch((error: unknown): never => {
        throw unavailable(environment, error) as Error
      })
      .finally(() => underWay.delete(transaction))
    return untilAborted(() => ended, call)
  }

  const valueOf = (scope: string, partition: number, key: string, nowMs: number): Uint8Array | null =>
    liveValue(values, keys.value(scope, partition, key), nowMs)
  const putValue = (scope: string, partition: number, { key, value, ttlMs }: StatePut, nowMs: number): void => {
    void values.put(keys.value(scope, partition, key), storedValue(value, ttlMs === null ? Infinity : nowMs + ttlMs))
  }
  const expiryOf = (generationKey: Uint8Array): number | null => {
    const record = values.get(generationKey)
    return record === undefined ? null : Buffer.from(record).readDoubleBE(0)
  }

  const look = (
    query: { scope: string; partition: number; hashes: BigUint64Array },
    generation: number,
    seen: Uint8Array,
    nowMs: number,
  ) => {
    const generationKey = keys.generation(query.scope, query.partition, generation)
    if ((expiryOf(generationKey) ?? 0) <= nowMs) return
    query.hashes.forEach((id, i) => {
      if (seen[i] === 0 && ids.getBinaryFast(keys.id(generationKey, id)) !== undefined) seen[i] = 1
    })
  }

  const remember = (generationKey: Uint8Array, hashes: BigUint64Array, expiresAtMs: number, nowMs: number): void => {
    const expiry = expiryOf(generationKey)
    // Ids of an expired generation must not come back when it is used again.
    if (expiry !== null && expiry <= nowMs) removeRange(ids, generationKey)
    for (const id of hashes) void ids.put(keys.id(generationKey, id), empty)
    const record = Buffer.alloc(8)
    record.writeDoubleBE(expiresAtMs)
    void values.put(generationKey, record)
  }

  return {
    async read(scope, partition, asked, call) {
      await lingering.written(scope, partition, asked)
      return reading(() => {
        const nowMs = clock.now()
        const { position } = readPosition(values, keys.position(scope, partition))
        return { position, values: asked.map((key) => valueOf(scope, partition, key, nowMs)) }
      }, call)
    },

    async readForFold(query, call): Promise<FoldRead> {
      // A fold must not wait for puts that it does not read.
      await lingering.written(query.scope, query.partition, [...query.keys, ...query.ends.keys])
      return reading(() => {
        const { scope, partition } = query
        const nowMs = clock.now()
        const seen = new Uint8Array(query.hashes.length)
        if (seen.length > 0) for (const generation of query.generations) look(query, generation, seen, nowMs)
        const found = query.keys.map((key) => valueOf(scope, partition, key, nowMs))
        const ends = query.ends.keys.map((key) => lastOf(valueOf(scope, partition, key, nowMs), query.ends.bytes))
        return { ...readPosition(values, keys.position(scope, partition)), values: found, seen, ends }
      }, call)
    },

    async commit(commit, call): Promise<CommitOutcome> {
      begin(call)
      checkCommit(commit, limits)
      const { scope, partition, from, next } = commit
      return writing((): CommitOutcome => {
        const stored = readPosition(values, keys.position(scope, partition)).position ?? 0
        if (stored >= next) return { kind: 'SKIPPED', stored }
        if (stored > from) return { kind: 'PARTIAL', stored }
        if (stored < from) return { kind: 'ROLLBACK', stored }
        const nowMs = clock.now()
        for (const key of commit.deletes) void values.remove(keys.value(scope, partition, key))
        for (const put of commit.puts) putValue(scope, partition, put, nowMs)
        for (const { key, value, ttlMs } of commit.appends) {
          const longer = joined(valueOf(scope, partition, key, nowMs), value)
          putValue(scope, partition, { key, value: longer, ttlMs }, nowMs)
        }
        let written = commit.puts.length + commit.appends.length
        for (const { generation, hashes, ttlMs } of commit.remember) {
          if (hashes.length === 0) continue
          remember(keys.generation(scope, partition, generation), hashes, nowMs + ttlMs, nowMs)
          written += hashes.length
        }
        void values.put(keys.position(scope, partition), storedPosition(next, commit.meta))
        sweeper.wrote(written)
        return { kind: 'APPLIED', stored: next }
      }, call)
    },

    async positions(scope, partitions, call) {
      return reading(
        () => partitions.map((partition) => readPosition(values, keys.position(scope, partition)).position),
        call,
      )
    },

    async *scan(scope, partition, call) {
      await lingering.written()
      const first = Uint8Array.from(keys.value(scope, partition, ''))
      const end = endOfPrefix(first)
      let start: Uint8Array = first
      for (;;) {
        const found = reading(() => [...values.getKeys({ start, end, limit: PAGE_KEYS })], call)
        const nowMs = clock.now()
        const page = found.flatMap((key) => {
          const value = reading(() => liveValue(values, key, nowMs), call)
          return value === null ? [] : [{ key: Buffer.from(key.subarray(first.length)).toString(), value }]
        })
        if (page.length > 0) yield page
        const last = found.at(-1)
        if (last === undefined || found.length < PAGE_KEYS) return
        start = after(last)
      }
    },

    async dropScope(scope, partitions, call) {
      for (const partition of partitions) {
        const prefix = Uint8Array.from(keys.position(scope, partition)).subarray(0, -1)
        const position = Uint8Array.from(keys.position(scope, partition))
        for (const database of [values, ids]) {
          // The position is the first of the partition's keys, and is removed last: see below.
          const start = after(position)
          while ((await writing(() => removeSlice(database, start, endOfPrefix(prefix)), call)) > 0);
        }
        // An interrupted drop must not leave values without a position, which would look like an empty partition.
        await writing(() => void values.remove(position), call)
      }
    },

    async pointer(name, call) {
      return reading(() => textOf(pointers.get(Buffer.from(`p${name}`))), call)
    },

    async movePointer(name, expected, value, call) {
      const key = Buffer.from(`p${name}`)
      return writing(() => {
        if (textOf(pointers.get(key)) !== expected) return false
        void pointers.put(key, Buffer.from(`=${value}`))
        return true
      }, call)
    },

    async append(scope, partition, key, bytes, bound, call) {
      begin(call)
      checkPut({ key, value: bytes, ttlMs: bound.ttlMs }, limits)
      const own = new Uint8Array(bytes)
      await writing(() => {
        const nowMs = clock.now()
        const list = valueOf(scope, partition, key, nowMs) ?? undefined
        const value = lastBytes(list, own, bound.maxBytes)
        putValue(scope, partition, { key, value, ttlMs: bound.ttlMs }, nowMs)
        sweeper.wrote(1)
      }, call)
    },

    async appendIf(scope, partition, key, bytes, bound, call) {
      begin(call)
      checkPut({ key, value: bytes, ttlMs: bound.ttlMs }, limits)
      const own = new Uint8Array(bytes)
      const read = bound.read === null ? null : new Uint8Array(bound.read)
      return writing((): AppendOutcome => {
        const nowMs = clock.now()
        const list = valueOf(scope, partition, key, nowMs)
        if (!isUnchanged(list, read)) return { kind: 'CHANGED', value: list }
        const value = lastBytes(list ?? undefined, own, bound.maxBytes)
        putValue(scope, partition, { key, value, ttlMs: bound.ttlMs }, nowMs)
        sweeper.wrote(1)
        return { kind: 'APPENDED' }
      }, call)
    },

    async put(scope, partition, put, call) {
      begin(call)
      checkPut(put, limits)
      const own = { ...put, value: new Uint8Array(put.value) }
      const atMs = clock.now()
      const done = writing(() => {
        putValue(scope, partition, own, atMs)
        sweeper.wrote(1)
      }, call)
      return call?.lingerMs === undefined ? done : lingering.hold({ scope, partition, key: put.key }, done)
    },

    async close() {
      closed = true
      environment.hurry()
      await Promise.allSettled(underWay)
    },
  }
}

const empty = new Uint8Array(0)

function unavailable(environment: LmdbEnvironment, error: unknown): unknown {
  if (isContractError(error)) return error
  const reason = error instanceof Error ? error.message : String(error)
  return new ContractError('STORE_UNAVAILABLE', `${environment.folder}: ${reason}`, { cause: error })
}

function removeRange(database: BytesDatabase, prefix: Uint8Array): void {
  while (removeSlice(database, prefix, endOfPrefix(prefix)) > 0);
}

function removeSlice(database: BytesDatabase, start: Uint8Array, end: Uint8Array): number {
  const found = [...database.getKeys({ start, end, limit: PAGE_KEYS })]
  for (const key of found) void database.remove(key)
  return found.length
}

/** The next key in order. */
function after(key: Uint8Array): Uint8Array {
  const next = new Uint8Array(key.length + 1)
  next.set(key)
  return next
}

/** Pointers are stored with a leading character, because LMDB has no empty values. */
function textOf(stored: Uint8Array | undefined): string | null {
  return stored === undefined ? null : Buffer.from(stored).toString().slice(1)
}
