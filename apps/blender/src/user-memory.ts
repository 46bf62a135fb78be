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
  /** The user's state as bytes; empty: the user had none. null: not read. */
  state: Uint8Array | null
  served: Uint8Array
  good: LastGood | null
  storedAtMs: number
}

const maxServedEntries = 400
/** A decoded state takes several times the memory of its bytes, so only the newest ones stay decoded. */
const maxDecodedUsers = 1_000

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}

/** Remembers the `maxUsers` most recent users. */
export function createUserMemory({ maxUsers }: { readonly maxUsers: number }): UserMemory {
  const users = createRecentMap<string, Entry>(maxUsers)
  const decoded = createRecentMap<string, KnownUser>(Math.min(maxUsers, maxDecodedUsers))
  // The last set read: a request asks for its user's several times.
  let last: { readonly atMs: number; readonly windowMs: number; readonly set: ServedSet } | null = null

  function getEntry(userId: string): Entry {
    let entry = users.get(userId)
    if (entry === undefined) {
      entry = { state: null, served: new Uint8Array(0), good: null, storedAtMs: -Infinity }
      users.set(userId, entry)
    }
    return entry
  }

  return {
    learn(userId, bytes) {
      if (bytes === null && (users.get(userId)?.state?.length ?? 0) > 0) users.delete(userId)
      const entry = getEntry(userId)
      const before = decoded.get(userId)
      if (before !== undefined && entry.state === before.bytes && bytes !== null && isSame(before.bytes, bytes))
        return before
      const user = userFromBytes(bytes)
      entry.state = user.bytes
      if (user === unknownUser) decoded.delete(userId)
      else decoded.set(userId, user)
      return user
    },
    known(userId) {
      const state = users.get(userId)?.state ?? null
      if (state === null) return null
      const before = decoded.get(userId)
      if (before?.bytes === state) return before
      const user = userFromBytes(state)
      if (user !== unknownUser) decoded.set(userId, user)
      return user
    },
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
