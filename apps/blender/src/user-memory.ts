import { servedEntryBytes } from '@freshet/contracts/codecs/served'
import type { LastGood } from './last-good.ts'
import { createRecentMap } from './recent-map.ts'
import { decodeServed, encodeServed, type ServedSet } from './served-set.ts'
import { nobody, userFromBytes, type KnownUser } from './user.ts'
import type { PinKeys } from '@freshet/domain/pin-keys'

/** What this process remembers of users, bounded: for requests at the same time, and for when the state store is away. */
export interface UserMemory {
  /** The user of these bytes, decoded once for as long as they stay the same. A user who had state and has none now was erased: all that is remembered goes. Throws CODEC_INVALID. */
  learn(userId: string, bytes: Uint8Array | null): KnownUser
  /** As last read; null: not read by this process. */
  known(userId: string): KnownUser | null
  /** What this process served lately, whether or not it could be recorded. */
  served(userId: string, bound: { readonly atMs: number; readonly windowMs: number }): ServedSet | null
  serve(userId: string, keys: PinKeys, rows: ArrayLike<number>, atMs: number): void
  lastGood(userId: string): LastGood | null
  /** Keeps a feed; answers whether `intervalMs` has passed since the user's last one that it said yes for. */
  keepGood(userId: string, good: LastGood, when: { readonly nowMs: number; readonly intervalMs: number }): boolean
  readonly size: number
}

interface Entry {
  user: KnownUser | null
  served: Uint8Array
  good: LastGood | null
  storedAtMs: number
}

const maxServedEntries = 400

/** Memory of the `maxUsers` users seen last. */
export function createUserMemory({ maxUsers }: { readonly maxUsers: number }): UserMemory {
  const users = createRecentMap<string, Entry>(maxUsers)

  function entryOf(userId: string): Entry {
    let entry = users.get(userId)
    if (entry === undefined) {
      entry = { user: null, served: new Uint8Array(0), good: null, storedAtMs: -Infinity }
      users.set(userId, entry)
    }
    return entry
  }

  return {
    learn(userId, bytes) {
      if (bytes === null && (users.get(userId)?.user?.bytes.length ?? 0) > 0) users.delete(userId)
      const entry = entryOf(userId)
      const same = entry.user !== null && bytes !== null && Buffer.compare(entry.user.bytes, bytes) === 0
      if (!same) entry.user = userFromBytes(bytes)
      return entry.user ?? nobody
    },
    known: (userId) => users.get(userId)?.user ?? null,
    served(userId, bound) {
      const entry = users.get(userId)
      return entry === undefined || entry.served.length === 0 ? null : decodeServed(entry.served, bound)
    },
    serve(userId, keys, rows, atMs) {
      const entry = entryOf(userId)
      const added = encodeServed(keys, rows, atMs)
      const kept = entry.served.subarray(
        Math.max(0, entry.served.length + added.length - maxServedEntries * servedEntryBytes),
      )
      const bytes = new Uint8Array(kept.length + added.length)
      bytes.set(kept)
      bytes.set(added, kept.length)
      entry.served = bytes
    },
    lastGood: (userId) => users.get(userId)?.good ?? null,
    keepGood(userId, good, { nowMs, intervalMs }) {
      const entry = entryOf(userId)
      entry.good = good
      if (nowMs - entry.storedAtMs < intervalMs) return false
      entry.storedAtMs = nowMs
      return true
    },
    get size() {
      return users.size
    },
  }
}
