import { goneRow, type Catalogue } from './catalogue.ts'
import { createListPool } from '@freshet/columns/list-pool'
import type { RowHolder } from './recycling.ts'
import type { SectionReader, SectionWriter } from '@freshet/columns/snapshot'

/** The newest few pins of each of many keys. It does not depend on the order of arrival. */
export interface Newest extends RowHolder {
  /** Adds a pin to a key's list, or moves it to a later time. */
  put(key: number, row: number, atMs: number): void
  /** Removes a pin from a key's list if it is there, and if its time is at least `atMs` where that is given. */
  remove(key: number, row: number, atMs?: number): void
  /** Empties a key's list. */
  free(key: number): void
  /** Entries of a key: `start` to `start + count` of `rows` and `atMs`, newest LAST. */
  readonly rows: Int32Array
  readonly atMs: Float64Array
  startOf(key: number): number
  countOf(key: number): number
  bytes(): number
  save(writer: SectionWriter): void
  load(reader: SectionReader): void
}

/** Empty lists of at most `maxPerKey` pins. */
export function createNewest(catalogue: Catalogue, maxPerKey: number): Newest {
  const pool = createListPool()
  let keys = 0

  function put(key: number, row: number, atMs: number): void {
    keys = Math.max(keys, key + 1)
    let start = pool.startOf(key)
    for (let i = pool.lengthOf(key) - 1; i >= 0; i--) {
      if (pool.keys[start + i] !== row) continue
      if (pool.times[start + i]! >= atMs) return
      pool.removeAt(key, i)
      break
    }
    start = pool.startOf(key)
    let index = pool.lengthOf(key)
    while (index > 0) {
      const otherAtMs = pool.times[start + index - 1]!
      if (otherAtMs < atMs || (otherAtMs === atMs && catalogue.before(row, pool.keys[start + index - 1]!))) break
      index--
    }
    if (pool.lengthOf(key) < maxPerKey) pool.insert(key, index, row, atMs)
    else if (index > 0) {
      pool.removeAt(key, 0)
      pool.insert(key, index - 1, row, atMs)
    }
  }

  return {
    put,
    remove(key, row, atMs) {
      const start = pool.startOf(key)
      for (let i = pool.lengthOf(key) - 1; i >= 0; i--) {
        if (pool.keys[start + i] !== row || (atMs !== undefined && pool.times[start + i] !== atMs)) continue
        pool.removeAt(key, i)
        return
      }
    },
    free: pool.free,
    get limit() {
      return keys
    },
    clean(key) {
      for (let i = pool.lengthOf(key) - 1; i >= 0; i--) {
        if (catalogue.isGone(pool.keys[pool.startOf(key) + i] ?? goneRow)) pool.removeAt(key, i)
      }
    },
    get rows() {
      return pool.keys
    },
    get atMs() {
      return pool.times
    },
    startOf: pool.startOf,
    countOf: pool.lengthOf,
    bytes: pool.bytes,
    save(writer) {
      const entries: number[] = []
      for (let key = 0; key < keys; key++) {
        const start = pool.startOf(key)
        for (let i = start; i < start + pool.lengthOf(key); i++) {
          const row = pool.keys[i] ?? goneRow
          if (!catalogue.isGone(row)) entries.push(key, row, pool.times[i]!)
        }
      }
      writer.f64('entries', Float64Array.from(entries))
    },
    load(reader) {
      pool.clear()
      keys = 0
      const entries = reader.f64('entries')
      for (let i = 0; i < entries.length; i += 3) put(entries[i]!, entries[i + 1]!, entries[i + 2]!)
    },
  }
}
