import type {
  AppendOutcome,
  CommitOutcome,
  FoldRead,
  StatePut,
  StateRead,
  StateStore,
} from '@freshet/contracts/ports/state-store'
import { endOf } from '../shared/state/bytes.ts'
import { checkCommit, checkPut, defaultStateLimits } from '../shared/state/limits.ts'
import type { StateLimits } from '../shared/state/limits.ts'
import { createRedisConnection } from './connection.ts'
import type { RedisArgument, RedisConnectionOptions } from './connection.ts'
import { createStateKeys, keyKind, literalPattern } from './state-keys.ts'
import {
  appendIfScript,
  appendScript,
  commitScript,
  foldScript,
  movePointerScript,
  putHeadBytes,
} from './state-scripts.ts'

/** The address of Redis and the prefix of its keys. */
export interface RedisStateStoreOptions extends RedisConnectionOptions {
  /** Prefix of every key; without braces. Default `freshet:`. */
  readonly keyPrefix?: string
  readonly limits?: Partial<StateLimits>
}

/** A state store on Redis, with checks for readiness. */
export interface RedisStateStore extends StateStore {
  /** Why Redis may evict keys (its `maxmemory-policy`, with the fix); null: it does not. Throws STORE_UNAVAILABLE. */
  evictionProblem(): Promise<string | null>
  /** Used share of `maxmemory` of the fullest server at the last `evictionProblem`; null: not known, or no server has a limit. */
  memoryShare(): number | null
  /** Why no server was reached since the start, for readiness; null: one was. */
  unreached(): string | null
  /** Called after every new connection to a server. */
  onConnected(listener: () => void): void
}

const outcomeKinds = ['APPLIED', 'SKIPPED', 'PARTIAL', 'ROLLBACK'] as const
const PAGE_KEYS = 500

/**
 * State on Redis ≥ 7, one server or a Cluster; no modules. A commit is one Lua script on one hash slot, so it is applied
 * as a whole or not at all, and its server does nothing else while it runs: keep batches to some thousand keys; above `limits`
 * it rejects with STORE_VALUE_TOO_LARGE. A commit whose answer was lost may have been applied: send it again, the fence answers SKIPPED.
 * Scan and dropScope walk over all keys of the database.
 */
export function createRedisStateStore(options: RedisStateStoreOptions): RedisStateStore {
  const limits: StateLimits = { ...defaultStateLimits, ...options.limits }
  const names = createStateKeys(options.keyPrefix ?? 'freshet:')
  const redis = createRedisConnection(options)

  const scanPartitions = async (
    pattern: string,
    wanted: (key: string) => boolean,
    signal: AbortSignal | undefined,
  ): Promise<Set<string>> => {
    const found = new Set<string>()
    for await (const page of redis.scanKeys(pattern, signal)) {
      for (const bytes of page) {
        const key = bytes.toString()
        if (wanted(key)) found.add(key)
      }
    }
    return found
  }

  let memoryShare: number | null = null

  return {
    async read(scope, partition, keys, call): Promise<StateRead> {
      const prefix = names.partition(scope, partition)
      const asked = [prefix + keyKind.position]
      for (const key of keys) asked.push(prefix + keyKind.value + key)
      const [position, ...values] = await redis.values(asked, call?.signal)
      return { position: positionOf(position ?? null), values: values.map(owned) }
    },

    async readForFold(query, call): Promise<FoldRead> {
      const prefix = names.partition(query.scope, query.partition)
      const asked = [prefix + keyKind.position, prefix + keyKind.meta]
      for (const generation of query.generations) asked.push(`${prefix}${keyKind.dedupe}${generation}`)
      const { ends } = query
      for (const key of ends.keys) asked.push(prefix + keyKind.value + key)
      for (const key of query.keys) asked.push(prefix + keyKind.value + key)
      const args = [query.generations.length, idsOf(query.hashes), ends.keys.length, ends.bytes]
      const reply = await redis.script(foldScript, asked, args, call?.signal)
      const [position, meta, flags, chunks, last] = reply as FoldReply
      const seen = new Uint8Array(query.hashes.length)
      for (let i = 0; i < seen.length; i++) seen[i] = flags[i] === 0x31 ? 1 : 0
      const values = chunks.flat().map(owned)
      return { position: positionOf(position), meta: owned(meta), values, seen, ends: last.map(owned) }
    },

    async commit(commit, call): Promise<CommitOutcome> {
      checkCommit(commit, limits)
      const prefix = names.partition(commit.scope, commit.partition)
      const remember = commit.remember.filter(({ hashes }) => hashes.length > 0)
      const keys = [prefix + keyKind.position, prefix + keyKind.meta]
      const args: RedisArgument[] = [
        commit.from,
        commit.next,
        commit.meta === null ? 0 : 1,
        buffer(commit.meta ?? none),
      ]
      const puts = [...commit.puts, ...commit.appends]
      args.push(commit.puts.length, commit.appends.length, commit.deletes.length, remember.length)
      args.push(headsOf(puts), valuesOf(puts))
      for (const { key } of puts) keys.push(prefix + keyKind.value + key)
      for (const key of commit.deletes) keys.push(prefix + keyKind.value + key)
      for (const { generation, hashes, ttlMs } of remember) {
        keys.push(`${prefix}${keyKind.dedupe}${generation}`)
        args.push(ttl(ttlMs), idsOf(hashes))
      }
      const [kind, stored] = (await redis.script(commitScript, keys, args, call?.signal)) as [number, Buffer]
      return { kind: outcomeKinds[kind]!, stored: Number(stored.toString()) }
    },

    async positions(scope, partitions, call) {
      const asked = partitions.map((partition) => names.partition(scope, partition) + keyKind.position)
      const found = await Promise.all(asked.map((key) => redis.values([key], call?.signal)))
      return found.map(([position]) => positionOf(position ?? null))
    },

    async *scan(scope, partition, call) {
      const prefix = names.partition(scope, partition) + keyKind.value
      // SCAN may return a key twice, so collect the names before reading values.
      const keys = [...(await scanPartitions(`${literalPattern(prefix)}*`, () => true, call?.signal))]
      for (let at = 0; at < keys.length; at += PAGE_KEYS) {
        const asked = keys.slice(at, at + PAGE_KEYS)
        const values = await redis.values(asked, call?.signal)
        const page: { key: string; value: Uint8Array }[] = []
        asked.forEach((key, i) => {
          const value = values[i]
          if (value != null) page.push({ key: key.slice(prefix.length), value: new Uint8Array(value) })
        })
        if (page.length > 0) yield page
      }
    },

    async dropScope(scope, partitions, call) {
      const { before, after } = names.scope(scope)
      const prefixes = new Set(partitions.map((partition) => names.partition(scope, partition)))
      const prefixOf = (key: string) => key.slice(0, key.indexOf(after, before.length) + after.length)
      const pattern = `${literalPattern(before)}*${literalPattern(after)}*`
      const byPartition = new Map<string, string[]>()
      const isWanted = (key: string) => prefixes.has(prefixOf(key))
      for (const key of await scanPartitions(pattern, isWanted, call?.signal)) {
        const prefix = prefixOf(key)
        const known = byPartition.get(prefix)
        if (known === undefined) byPartition.set(prefix, [key])
        else known.push(key)
      }
      for (const [prefix, keys] of byPartition) {
        const position = prefix + keyKind.position
        const others = keys.filter((key) => key !== position)
        for (let at = 0; at < others.length; at += PAGE_KEYS)
          await redis.command('unlink', others.slice(at, at + PAGE_KEYS), call?.signal)
        // Last: an interrupted drop must not leave values without a position, which would look like an empty partition.
        await redis.command('unlink', [position], call?.signal)
      }
    },

    async pointer(name, call) {
      const value = (await redis.command('get', [names.pointer(name)], call?.signal)) as Buffer | null
      return value === null ? null : value.toString()
    },

    async movePointer(name, expected, value, call) {
      const args = [expected ?? '', value, expected === null ? 0 : 1]
      return (await redis.script(movePointerScript, [names.pointer(name)], args, call?.signal)) === 1
    },

    async append(scope, partition, key, bytes, bound, call) {
      checkPut({ key, value: bytes, ttlMs: bound.ttlMs }, limits)
      const name = names.partition(scope, partition) + keyKind.value + key
      await redis.script(appendScript, [name], [buffer(bytes), bound.maxBytes, ttl(bound.ttlMs)], call?.signal)
    },

    async appendIf(scope, partition, key, bytes, { read, maxBytes, ttlMs }, call): Promise<AppendOutcome> {
      checkPut({ key, value: bytes, ttlMs }, limits)
      const name = names.partition(scope, partition) + keyKind.value + key
      const expected = read ?? none
      const args = [buffer(bytes), maxBytes, ttl(ttlMs), expected.length, buffer(endOf(expected))]
      const reply = (await redis.script(appendIfScript, [name], args, call?.signal)) as 1 | Buffer | null
      return reply === 1 ? { kind: 'APPENDED' } : { kind: 'CHANGED', value: owned(reply) }
    },

    async put(scope, partition, put, call) {
      checkPut(put, limits)
      const name = names.partition(scope, partition) + keyKind.value + put.key
      const args: RedisArgument[] = [name, buffer(put.value)]
      if (put.ttlMs !== null) args.push('PX', ttl(put.ttlMs))
      await redis.command('set', args, call?.signal)
    },

    async evictionProblem() {
      const infos = (await redis.onMasters('info', ['memory'])).map(String)
      const shares = infos.map(memoryShareOf).filter((share) => share !== null)
      memoryShare = shares.length === 0 ? null : Math.max(...shares)
      for (const info of infos) {
        const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? 'unknown'
        if (policy !== 'noeviction') return `maxmemory-policy is ${policy}; set it to noeviction`
      }
      return null
    },

    memoryShare: () => memoryShare,

    unreached() {
      const problem = redis.unreached()
      return problem === null ? null : `${problem.code}: ${problem.message}`
    },
    onConnected: (listener) => redis.onConnected(listener),

    close: () => redis.close(),
  }
}

const none = new Uint8Array(0)

/** What `INFO memory` says about the used share of `maxmemory`; null: no limit. */
function memoryShareOf(info: string): number | null {
  const bytesOf = (name: string): number => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0)
  const limit = bytesOf('maxmemory')
  return limit === 0 ? null : bytesOf('used_memory') / limit
}

type FoldReply = [
  position: Buffer | null,
  meta: Buffer | null,
  seen: Buffer,
  values: (Buffer | null)[][],
  ends: (Buffer | null)[],
]

/** Length and TTL of each, as `commitScript` reads them. */
function headsOf(puts: readonly StatePut[]): Buffer {
  const heads = Buffer.allocUnsafe(puts.length * putHeadBytes)
  let at = 0
  for (const { value, ttlMs } of puts) {
    at = heads.writeUInt32LE(value.length, at)
    at = heads.writeDoubleLE(ttlMs === null ? 0 : ttl(ttlMs), at)
  }
  return heads
}

function valuesOf(puts: readonly StatePut[]): Buffer {
  let length = 0
  for (const { value } of puts) length += value.length
  const values = Buffer.allocUnsafe(length)
  let at = 0
  for (const { value } of puts) {
    values.set(value, at)
    at += value.length
  }
  return values
}

/** A copy: the client's bytes are a window into what the socket read, which a caller's cache would keep alive as a whole. */
function owned(bytes: Buffer | null): Uint8Array | null {
  return bytes === null ? null : new Uint8Array(bytes)
}

function positionOf(bytes: Buffer | null): number | null {
  return bytes === null ? null : Number(bytes.toString())
}

function ttl(ms: number): number {
  return Math.max(1, Math.ceil(ms))
}

function buffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** The ids as 8 bytes each, least significant first. */
function idsOf(hashes: BigUint64Array): Buffer {
  return Buffer.from(hashes.buffer, hashes.byteOffset, hashes.byteLength)
}
