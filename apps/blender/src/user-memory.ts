import { servedEntryBytes } from '@freshet/contracts/codecs/served'
import type { LastGood } from './last-good.ts'
import { createRecentMap } from './recent-map.ts'
import { decodeServed, encodeServed, type ServedSet } from './served-set.ts'
import { unknownUser, userFromBytes, type KnownUser } from './user.ts'
import type { PinKeys } from '@freshet/domain/pin-keys'

/** What this process remembers about users, bounded. Simultaneous requests need it, and so do requests while the state store is down. */
export interface UserMemory {
  /** Decodes the user's state; the same bytes are decoded once. If a user had state and has none now, the user was erased, and the process forgets everything about them. Throws CODEC_INVALID. */
  learn(userId: string, bytes: Uint8Array | null): KnownUser
  /** The user as this process last read it; null: it has not read the user. */
  known(userId: string): KnownUser | null
  /** What this process served recently, including pins that it could not record. null: nothing. */
  served(userId: string, bound: { readonly atMs: number; readonly windowMs: number }): ServedSet | null
  serve(userId: string, keys: PinKeys, rows: ArrayLike<number>, atMs: number): void
  lastGood(userId: string): LastGood | null
  /** Keeps a feed. Returns whether it is time to store it: `intervalMs` has passed since it last returned true for the user. */
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

/** Remembers the `maxUsers` most recent users. */
export function createUserMemory({ maxUsers }: { readonly maxUsers: number }): UserMemory {
  const users = createRecentMap<string, Entry>(maxUsers)
  // The last set read: a request asks for its user's several times.
  let last: { readonly atMs: number; readonly windowMs: number; readonly set: ServedSet } | null = null

  function getEntry(userId: string): Entry {
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
      const entry = getEntry(userId)
      const same = entry.user !== null && bytes !== null && Buffer.compare(entry.user.bytes, bytes) === 0
      if (!same) entry.user = userFromBytes(bytes)
      return entry.user ?? unknownUser
    },
    known: (userId) => users.get(userId)?.user ?? null,
    served(userId, bound) {
      const entry = users.get(userId)
      if (entry === undefined || entry.served.length === 0) return null
      if (last?.set.stored === entry.served && last.atMs === bound.atMs && last.windowMs === bound.windowMs)
        return last.set
      const set = decodeServed(entry.served, bound)
      last = { ...bound, set }
      return set
    },
    serve(userId, keys, rows, atMs) {
      const entry = getEntry(userId)
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
      const entry = getEntry(userId)
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
