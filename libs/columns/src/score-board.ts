import { nextCapacity } from './growth.ts'
import type { RowOrder } from './row-order.ts'
import { sortBestFirst } from './sort-hits.ts'

/** Rows and scores of one source's answer, best first; only the first `count` entries are valid. Each query overwrites them. */
export interface Hits {
  readonly rows: Int32Array
  readonly scores: Float32Array
  count: number
}

/** Room for an answer of at most `capacity` rows. */
export function createHits(capacity: number): Hits {
  return { rows: new Int32Array(capacity), scores: new Float32Array(capacity), count: 0 }
}

/** Entries `from` to `to` of a column of rows; entry `i` scores `factor` times the weight number `i + shift`, or the first or last one beyond. */
export interface WeightedEntries {
  readonly from: number
  readonly to: number
  readonly shift: number
  readonly factor: number
}

/**
 * Sums of scores by row, for one query at a time, and the best of them. Shared by all sources: a source clears it first.
 * Callers add in an order that does not depend on row numbers, so that sums are bit-equal wherever they are made.
 */
export interface ScoreBoard {
  clear(): void
  add(row: number, score: number): void
  /** Adds to the rows of many entries, in their order. */
  addAll(rows: Int32Array | Uint32Array, entries: WeightedEntries, weights: Float64Array): void
  /** Rows it has room for now: at least those of the order when it was last cleared. */
  capacity(): number
  /** The sum of a row, 0 where none was added. */
  get(row: number): number
  /** How many rows have been added to. */
  readonly touched: number
  /** The row of the n-th touched, in order of first touch. */
  touchedRow(index: number): number
  /**
   * Fills `hits` with the best `limit` accepted rows: larger sum, times the `factor` of the row if there is one, rounded to
   * float32, first; ties by the order of rows. Rows whose sum is not above zero are left out.
   */
  top(limit: number, accept: (row: number) => boolean, hits: Hits, factor?: (row: number) => number): void
}

/** A board over the rows of an order; it grows with them. */
export function createScoreBoard(order: RowOrder): ScoreBoard {
  // By row: its sum and the stamp of the query that it belongs to, side by side because both are read.
  let slots = new Float64Array(0)
  let rows = new Int32Array(0)
  let touched = 0
  let stamp = 0

  return {
    clear() {
      touched = 0
      stamp++
      if (order.size <= rows.length) return
      rows = new Int32Array(nextCapacity(rows.length, order.size))
      slots = new Float64Array(2 * rows.length)
    },
    add(row, score) {
      if (slots[2 * row + 1] === stamp) {
        slots[2 * row] = slots[2 * row]! + score
      } else {
        slots[2 * row] = score
        slots[2 * row + 1] = stamp
        rows[touched++] = row
      }
    },
    addAll(added, { from, to, shift, factor }, weights) {
      // Locals: a loop reads variables of the board again after each store.
      const [sums, seen, now] = [slots, rows, stamp]
      const last = weights.length - 1
      let count = touched
      for (let i = from; i < to; i++) {
        const row = added[i]!
        const score = factor * weights[Math.max(0, Math.min(last, i + shift))]!
        const at = 2 * row
        if (sums[at + 1] === now) sums[at] = sums[at]! + score
        else {
          sums[at] = score
          sums[at + 1] = now
          seen[count++] = row
        }
      }
      touched = count
    },
    capacity: () => Math.max(rows.length, order.size),
    get: (row) => (slots[2 * row + 1] === stamp ? slots[2 * row]! : 0),
    get touched() {
      return touched
    },
    touchedRow: (index) => rows[index] ?? -1,
    top(limit, accept, hits, factor) {
      const scores = scratchScores(touched)
      if (factor === undefined) for (let i = 0; i < touched; i++) scores[i] = slots[2 * rows[i]!]!
      else for (let i = 0; i < touched; i++) scores[i] = slots[2 * rows[i]!]! * factor(rows[i]!)
      bestRows(order, { rows, scores, count: touched }, { limit, accept, hits })
    },
  }
}

let scratch = new Float32Array(1024)

/** Room for so many scores, for `bestRows`; the next call gives the same room. */
export function scratchScores(count: number): Float32Array {
  if (count > scratch.length) scratch = new Float32Array(nextCapacity(scratch.length, count))
  return scratch
}

/** Rows, each once, and their scores; the first `count` entries of both columns. */
export interface ScoredRows {
  readonly rows: Int32Array | Uint32Array
  readonly scores: Float32Array
  readonly count: number
}

/** The most rows that are wanted, which of them may be chosen, and where they go. */
export interface BestWanted {
  readonly limit: number
  readonly accept: (row: number) => boolean
  readonly hits: Hits
}

/**
 * Fills `hits` with the best accepted rows: larger score first, ties by the order of rows; scores not above zero are left
 * out. It counts the scores by their bits first, so that it asks `accept`, which costs more than the rest, about few rows
 * beside the chosen ones.
 */
export function bestRows(order: RowOrder, { rows, scores, count }: ScoredRows, wanted: BestWanted): void {
  const { accept, hits } = wanted
  const limit = Math.min(wanted.limit, hits.rows.length)
  hits.count = 0
  if (limit === 0 || count === 0) return
  const bits = new Uint32Array(scores.buffer, scores.byteOffset, count)
  const { certainFrom, openFrom } = findCut(bits, limit)
  let kept = 0
  for (let i = 0; i < count; i++) {
    if (bits[i]! < certainFrom || bits[i]! > infinityBits || !accept(rows[i]!)) continue
    hits.rows[kept] = rows[i]!
    hits.scores[kept++] = scores[i]!
  }
  // Of the rest, those that reach `openFrom` come first.
  for (const [from, below] of certainFrom === 1 ? [] : [[openFrom, certainFrom] as const, [1, openFrom] as const]) {
    if (kept === limit) break
    const rest: Hits = { rows: hits.rows.subarray(kept), scores: hits.scores.subarray(kept), count: 0 }
    const selector = selectorInto(order, limit - kept, rest)
    for (let i = 0; i < count; i++)
      if (bits[i]! >= from && bits[i]! < below) selector.offer(rows[i]!, scores[i]!, accept)
    selector.finish()
    kept += rest.count
  }
  sortBestFirst(order, hits, kept)
  hits.count = kept
}

const infinityBits = 0x7f800000
const bucketBits = 10
const buckets = new Uint32Array(2 ** bucketBits)

/**
 * Where to cut scores, by their bits: at most `limit` reach `certainFrom`, more reach `openFrom`. Both are 1 if at most
 * `limit` are above zero.
 */
function findCut(bits: Uint32Array, limit: number): { readonly certainFrom: number; readonly openFrom: number } {
  let positive = 0
  let least = infinityBits
  let most = 1
  for (const each of bits) {
    if (each === 0 || each > infinityBits) continue
    positive++
    if (each < least) least = each
    if (each > most) most = each
  }
  if (positive <= limit) return { certainFrom: 1, openFrom: 1 }
  const shift = Math.max(0, 32 - Math.clz32(most - least) - bucketBits)
  buckets.fill(0)
  for (const each of bits) if (each !== 0 && each <= infinityBits) buckets[(each - least) >>> shift]!++
  let bucket = buckets.length - 1
  for (let reached = buckets[bucket]!; reached <= limit; reached += buckets[bucket]!) bucket--
  return { certainFrom: least + (bucket + 1) * 2 ** shift, openFrom: least + bucket * 2 ** shift }
}

/** Keeps the best rows offered, in a heap inside `hits` once that is full; `finish` sorts them, best first. */
export interface Selector {
  offer(row: number, score: number, accept: (row: number) => boolean): void
  finish(): void
}

/** A selector of the best `mostRows` rows, or as many as `hits` has room for. Scores are rounded to float32 before they are compared; those not above zero are left out. */
export function selectorInto(order: RowOrder, mostRows: number, hits: Hits): Selector {
  const { rows, scores } = hits
  const limit = Math.min(mostRows, rows.length)
  let count = 0
  hits.count = 0

  const worse = (scoreA: number, rowA: number, scoreB: number, rowB: number): boolean =>
    scoreA < scoreB || (scoreA === scoreB && order.before(rowB, rowA))

  /** Places a row at or below `from`, where the heap has a gap. */
  function place(row: number, score: number, from: number): void {
    let at = from
    for (;;) {
      let child = 2 * at + 1
      if (child >= count) break
      if (child + 1 < count && worse(scores[child + 1]!, rows[child + 1]!, scores[child]!, rows[child]!)) {
        child++
      }
      if (!worse(scores[child]!, rows[child]!, score, row)) break
      rows[at] = rows[child]!
      scores[at] = scores[child]!
      at = child
    }
    rows[at] = row
    scores[at] = score
  }

  function offer(row: number, exactScore: number, accept: (row: number) => boolean): void {
    const score = Math.fround(exactScore)
    if (!(score > 0) || limit === 0) return
    if (count === limit) {
      if (!worse(scores[0]!, rows[0]!, score, row) || !accept(row)) return
      place(row, score, 0)
      return
    }
    if (!accept(row)) return
    rows[count] = row
    scores[count++] = score
    // The hits are full: from here on the worst row matters.
    if (count === limit) for (let at = (count >> 1) - 1; at >= 0; at--) place(rows[at]!, scores[at]!, at)
  }

  return {
    offer,
    finish() {
      sortBestFirst(order, hits, count)
      hits.count = count
    },
  }
}
