import { ContractError } from '@freshet/contracts/errors'
import type {
  AppendOutcome,
  CommitOutcome,
  FoldRead,
  StateCommit,
  StatePut,
  StateStore,
  StoreCall,
} from '@freshet/contracts/ports/state-store'
import type { Clock } from '@freshet/domain/clock'
import { checkCommit, checkPut, defaultStateLimits } from '../shared/state/limits.ts'
import type { StateLimits } from '../shared/state/limits.ts'
import { isUnchanged, joined, lastBytes, lastOf } from '../shared/state/bytes.ts'

/** Options of a state store in memory. */
export interface MemoryStateStoreOptions {
  /** The clock for expiry. */
  readonly clock: Clock
  readonly limits?: Partial<StateLimits>
  /** Number of writes that `rollBackTo` can undo, each kept with the values it replaced. Default 0: none. */
  readonly maxUndo?: number
}

/** A state store in memory, for tests, evaluation and simulation; its contents end with the process. */
export interface MemoryStateStore extends StateStore {
  /** Creates a second client of the same data with its own `close`, to play another process. */
  another(): MemoryStateStore
  /** The number of writes so far: commits, puts, appends, moves of pointers. */
  writes(): number
  /** Undoes all writes after the first `writes`, like a failover to a replica that had not received them. Throws a RangeError beyond `maxUndo`, or past a dropped scope. */
  rollBackTo(writes: number): void
}

interface Value {
  readonly bytes: Uint8Array
  readonly expiresAtMs: number
}

interface Generation {
  expiresAtMs: number
  readonly ids: Set<bigint>
}

interface Partition {
  position: number | null
  meta: Uint8Array | null
  readonly values: Map<string, Value>
  readonly generations: Map<number, Generation>
}

interface Data {
  readonly scopes: Map<string, Map<number, Partition>>
  readonly pointers: Map<string, string>
  readonly undo: (() => void)[]
  writes: number
}

/** Creates an empty store. Every call completes before it returns, so commits are atomic. */
export function createMemoryStateStore(options: MemoryStateStoreOptions): MemoryStateStore {
  const data: Data = { scopes: new Map(), pointers: new Map(), undo: [], writes: 0 }
  return clientOf(data, options)
}

function clientOf(data: Data, options: MemoryStateStoreOptions): MemoryStateStore {
  const { clock, maxUndo = 0 } = options
  const limits: StateLimits = { ...defaultStateLimits, ...options.limits }
  let closed = false

  const begin = (call?: StoreCall): void => {
    if (closed) throw new ContractError('STORE_CLOSED', 'the state store in memory was closed')
    call?.signal?.throwIfAborted()
  }
  const wrote = (undo: () => void): void => {
    data.writes++
    if (maxUndo === 0) return
    data.undo.push(undo)
    // Remove in slices, so that dropping the oldest stays cheap.
    if (data.undo.length > 2 * maxUndo) data.undo.splice(0, data.undo.length - maxUndo)
  }
  const partitionOf = (scope: string, partition: number): Partition | undefined =>
    data.scopes.get(scope)?.get(partition)
  const partitionFor = (scope: string, partition: number): Partition => {
    let partitions = data.scopes.get(scope)
    if (partitions === undefined) data.scopes.set(scope, (partitions = new Map<number, Partition>()))
    let found = partitions.get(partition)
    if (found === undefined) {
      found = { position: null, meta: null, values: new Map(), generations: new Map() }
      partitions.set(partition, found)
    }
    return found
  }
  const live = (partition: Partition | undefined, key: string): Value | null => {
    const value = partition?.values.get(key)
    if (partition === undefined || value === undefined) return null
    if (value.expiresAtMs > clock.now()) return value
    partition.values.delete(key)
    return null
  }
  const valuesOf = (partition: Partition | undefined, keys: readonly string[]): (Uint8Array | null)[] =>
    keys.map((key) => live(partition, key)?.bytes.slice() ?? null)
  const liveGenerations = (partition: Partition | undefined, asked: readonly number[]): Generation[] =>
    asked.flatMap((generation) => {
      const found = partition?.generations.get(generation)
      if (found === undefined) return []
      if (found.expiresAtMs > clock.now()) return [found]
      partition?.generations.delete(generation)
      return []
    })
  const putValue = (partition: Partition, { key, value, ttlMs }: StatePut): void => {
    const expiresAtMs = ttlMs === null ? Infinity : clock.now() + ttlMs
    partition.values.set(key, { bytes: new Uint8Array(value), expiresAtMs })
  }
  const remember = (partition: Partition, { generation, hashes, ttlMs }: StateCommit['remember'][number]) => {
    let [memory] = liveGenerations(partition, [generation])
    const fresh = memory === undefined
    if (memory === undefined) {
      memory = { expiresAtMs: 0, ids: new Set() }
      partition.generations.set(generation, memory)
    }
    const { ids, expiresAtMs } = memory
    const added: bigint[] = []
    for (const id of hashes) {
      if (maxUndo > 0 && !ids.has(id)) added.push(id)
      ids.add(id)
    }
    memory.expiresAtMs = clock.now() + ttlMs
    return () => {
      if (fresh) {
        partition.generations.delete(generation)
        return
      }
      for (const id of added) ids.delete(id)
      partition.generations.set(generation, { expiresAtMs, ids })
    }
  }
  const restore = (partition: Partition, key: string, before: Value | undefined): void => {
    if (before === undefined) partition.values.delete(key)
    else partition.values.set(key, before)
  }

  return {
    async read(scope, partition, keys, call) {
      begin(call)
      const found = partitionOf(scope, partition)
      return { position: found?.position ?? null, values: valuesOf(found, keys) }
    },

    async readForFold(query, call): Promise<FoldRead> {
      begin(call)
      const found = partitionOf(query.scope, query.partition)
      const memories = liveGenerations(found, query.generations)
      const seen = new Uint8Array(query.hashes.length)
      for (const { ids } of memories) {
        query.hashes.forEach((id, i) => {
          if (ids.has(id)) seen[i] = 1
        })
      }
      const meta = found?.meta?.slice() ?? null
      const ends = query.ends.keys.map((key) => lastOf(live(found, key)?.bytes, query.ends.bytes))
      return { position: found?.position ?? null, meta, values: valuesOf(found, query.keys), seen, ends }
    },

    async commit(commit, call): Promise<CommitOutcome> {
      begin(call)
      checkCommit(commit, limits)
      const stored = partitionOf(commit.scope, commit.partition)?.position ?? 0
      if (stored >= commit.next) return { kind: 'SKIPPED', stored }
      if (stored > commit.from) return { kind: 'PARTIAL', stored }
      if (stored < commit.from) return { kind: 'ROLLBACK', stored }
      const partition = partitionFor(commit.scope, commit.partition)
      const { position, meta } = partition
      const before = new Map<string, Value | undefined>()
      if (maxUndo > 0) {
        for (const key of commit.deletes) before.set(key, partition.values.get(key))
        for (const { key } of [...commit.puts, ...commit.appends]) before.set(key, partition.values.get(key))
      }
      for (const key of commit.deletes) partition.values.delete(key)
      for (const put of commit.puts) putValue(partition, put)
      for (const { key, value, ttlMs } of commit.appends) {
        putValue(partition, { key, value: joined(live(partition, key)?.bytes, value), ttlMs })
      }
      const forget = commit.remember
        .filter(({ hashes }) => hashes.length > 0)
        .map((remembered) => remember(partition, remembered))
      partition.meta = commit.meta === null ? null : new Uint8Array(commit.meta)
      partition.position = commit.next
      wrote(() => {
        partition.position = position
        partition.meta = meta
        for (const [key, value] of before) restore(partition, key, value)
        for (const each of forget.reverse()) each()
      })
      return { kind: 'APPLIED', stored: commit.next }
    },

    async positions(scope, partitions, call) {
      begin(call)
      return partitions.map((partition) => partitionOf(scope, partition)?.position ?? null)
    },

    async *scan(scope, partition, call) {
      begin(call)
      const found = partitionOf(scope, partition)
      const keys = [...(found?.values.keys() ?? [])]
      for (let at = 0; at < keys.length; at += 500) {
        begin(call)
        const page = keys.slice(at, at + 500).flatMap((key) => {
          const value = live(found, key)
          return value === null ? [] : [{ key, value: value.bytes.slice() }]
        })
        if (page.length > 0) yield page
      }
    },

    async dropScope(scope, partitions, call) {
      begin(call)
      for (const partition of partitions) data.scopes.get(scope)?.delete(partition)
      data.undo.length = 0
    },

    async pointer(name, call) {
      begin(call)
      return data.pointers.get(name) ?? null
    },

    async movePointer(name, expected, value, call) {
      begin(call)
      const before = data.pointers.get(name)
      if ((before ?? null) !== expected) return false
      data.pointers.set(name, value)
      wrote(() => {
        if (before === undefined) data.pointers.delete(name)
        else data.pointers.set(name, before)
      })
      return true
    },

    async append(scope, partition, key, bytes, bound, call) {
      begin(call)
      checkPut({ key, value: bytes, ttlMs: bound.ttlMs }, limits)
      const found = partitionFor(scope, partition)
      const before = live(found, key) ?? undefined
      const value = lastBytes(before?.bytes, bytes, bound.maxBytes)
      putValue(found, { key, value, ttlMs: bound.ttlMs })
      wrote(() => restore(found, key, before))
    },

    async appendIf(scope, partition, key, bytes, bound, call): Promise<AppendOutcome> {
      begin(call)
      checkPut({ key, value: bytes, ttlMs: bound.ttlMs }, limits)
      const found = partitionFor(scope, partition)
      const before = live(found, key) ?? undefined
      if (!isUnchanged(before?.bytes, bound.read)) return { kind: 'CHANGED', value: before?.bytes.slice() ?? null }
      const value = lastBytes(before?.bytes, bytes, bound.maxBytes)
      putValue(found, { key, value, ttlMs: bound.ttlMs })
      wrote(() => restore(found, key, before))
      return { kind: 'APPENDED' }
    },

    async put(scope, partition, put, call) {
      begin(call)
      checkPut(put, limits)
      const found = partitionFor(scope, partition)
      const before = found.values.get(put.key)
      putValue(found, put)
      wrote(() => restore(found, put.key, before))
    },

    another: () => clientOf(data, options),
    writes: () => data.writes,
    rollBackTo(writes) {
      const lost = data.writes - writes
      if (lost < 0 || lost > data.undo.length) throw new RangeError(`cannot undo ${lost} of ${data.writes} writes`)
      for (const undo of data.undo.splice(data.undo.length - lost).reverse()) undo()
      data.writes = writes
    },

    async close() {
      closed = true
    },
  }
}
