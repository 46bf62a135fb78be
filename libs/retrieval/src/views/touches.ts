import { orZero } from '@freshet/columns/or-zero'
import { grownFloat64, nextCapacity } from '@freshet/columns/growth'
import { createListPool } from '@freshet/columns/list-pool'

/** The inverted index: for each pin the sessions that touched it last, and how many ever did. */
export interface Touches {
  /** A pin's sessions, latest LAST: entries `startOf(pin)` to `startOf(pin) + lengthOf(pin)` of `sessions` and `atMs`. */
  readonly sessions: Int32Array
  readonly atMs: Float64Array
  startOf(pinRow: number): number
  lengthOf(pinRow: number): number
  /** How many sessions ever touched the pin, including gone ones. */
  countOf(pinRow: number): number
  /** By row: how many sessions ever touched the pin; for the snapshot. */
  counts: Float64Array<ArrayBuffer>
  /** Adds a session to a pin's list; the caller first removes it if it is already there. */
  put(pinRow: number, session: number, atMs: number): void
  /** Removes a session from a pin's list, if it is there. */
  remove(pinRow: number, session: number): void
  /** Counts one more session that touched the pin. */
  count(pinRow: number): void
  /** Takes one such session back. */
  uncount(pinRow: number): void
  /** Forgets a pin: its sessions and their number. */
  letGo(pinRow: number): void
  clear(): void
  bytes(): number
}

/** An empty index of at most `maxPerPin` sessions a pin; `before` orders sessions of one time. */
export function createTouches(maxPerPin: number, before: (a: number, b: number) => boolean): Touches {
  const pool = createListPool()
  let counts = new Float64Array(0)
  return {
    get sessions() {
      return pool.keys
    },
    get atMs() {
      return pool.times
    },
    get counts() {
      return counts
    },
    set counts(saved) {
      counts = saved
    },
    startOf: pool.startOf,
    lengthOf: pool.lengthOf,
    countOf: (pinRow) => orZero(counts[pinRow]),
    // The list holds the latest `maxPerPin` of the set of (session, time of last touch), whatever the order of arrival.
    put(pinRow, session, atMs) {
      const start = pool.startOf(pinRow)
      const length = pool.lengthOf(pinRow)
      let index = length
      while (index > 0) {
        const otherAt = pool.times[start + index - 1]!
        if (otherAt < atMs || (otherAt === atMs && before(pool.keys[start + index - 1]!, session))) break
        index--
      }
      if (length < maxPerPin) pool.insert(pinRow, index, session, atMs)
      else if (index > 0) {
        pool.removeAt(pinRow, 0)
        pool.insert(pinRow, index - 1, session, atMs)
      }
    },
    remove(pinRow, session) {
      const start = pool.startOf(pinRow)
      for (let i = pool.lengthOf(pinRow) - 1; i >= 0; i--) {
        if (pool.keys[start + i] !== session) continue
        pool.removeAt(pinRow, i)
        return
      }
    },
    count(pinRow) {
      if (pinRow >= counts.length) counts = grownFloat64(counts, nextCapacity(counts.length, pinRow + 1))
      counts[pinRow] = counts[pinRow]! + 1
    },
    uncount(pinRow) {
      if (pinRow < counts.length) counts[pinRow] = Math.max(0, counts[pinRow]! - 1)
    },
    letGo(pinRow) {
      pool.free(pinRow)
      if (pinRow < counts.length) counts[pinRow] = 0
    },
    clear: () => pool.clear(),
    bytes: () => pool.bytes() + counts.byteLength,
  }
}
