import { grownFloat64, grownInt32, nextCapacity } from './growth.ts'
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

/**
 * Sums of scores by row, for one query at a time, and the best of them. Shared by all sources: a source clears it first.
 * Callers add in an order that does not depend on row numbers, so that sums are bit-equal wherever they are made.
 */
export interface ScoreBoard {
  clear(): void
  add(row: number, score: number): void
  /** Rows it has room for now: at least those of the order when it was last cleared. */
  capacity(): number
  /** The sum of a row, 0 where none was added. */
  get(row: number): number
  /** How many rows have been added to. */
  readonly touched: number
  /** The row of the n-th touched, in order of first touch. */
  touchedRow(index: number): number
  /**
   * Fills `hits` with the best `limit` accepted rows: larger sum, rounded to float32, first; ties by the order
   * of rows. Rows whose sum is not above zero are left out.
   */
  top(limit: number, accept: (row: number) => boolean, hits: Hits): void
}

/** A board over the rows of an order; it grows with them. */
export function createScoreBoard(order: RowOrder): ScoreBoard {
  let sums = new Float64Array(0)
  let stamps = new Int32Array(0)
  let rows = new Int32Array(0)
  let touched = 0
  let stamp = 0

  return {
    clear() {
      touched = 0
      stamp++
      if (order.size > sums.length) {
        const capacity = nextCapacity(sums.length, order.size)
        sums = grownFloat64(sums, capacity)
        stamps = grownInt32(stamps, capacity)
        rows = grownInt32(rows, capacity)
      }
      if (stamp === 0x7fffffff) {
        stamps.fill(0)
        stamp = 1
      }
    },
    add(row, score) {
      if (stamps[row] === stamp) {
        sums[row] = sums[row]! + score
      } else {
        stamps[row] = stamp
        sums[row] = score
        rows[touched++] = row
      }
    },
    capacity: () => Math.max(sums.length, order.size),
    get: (row) => (stamps[row] === stamp ? sums[row]! : 0),
    get touched() {
      return touched
    },
    touchedRow: (index) => rows[index] ?? -1,
    top(limit, accept, hits) {
      const best = selectorInto(order, limit, hits)
      for (let i = 0; i < touched; i++) {
        const row = rows[i] ?? -1
        best.offer(row, sums[row]!, accept)
      }
      best.finish()
    },
  }
}

/** Keeps the best rows offered, in a heap inside `hits` once that is full; `finish` sorts them, best first. */
export interface Selector {
  offer(row: number, score: number, accept: (row: number) => boolean): void
  /** Offers the first `count` rows of columns, in their order. */
  offerAll(rows: Uint32Array, exactScores: Float64Array, count: number, accept: (row: number) => boolean): void
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
    offerAll(offered, exactScores, offeredCount, accept) {
      // Most rows are below the worst kept one; skip them without a call.
      let least = count === limit ? (scores[0] ?? Infinity) : -Infinity
      for (let i = 0; i < offeredCount; i++) {
        const exactScore = exactScores[i]!
        if (Math.fround(exactScore) < least) continue
        offer(offered[i]!, exactScore, accept)
        if (count === limit) least = scores[0] ?? Infinity
      }
    },
    finish() {
      sortBestFirst(order, hits, count)
      hits.count = count
    },
  }
}
