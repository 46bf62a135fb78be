import { StageError } from './stage-error.ts'

/** The stage and the reason at which a row left the run. */
export interface Removal {
  readonly stage: string
  readonly reason: string
}

/** The result for a row: its position in the slate, from 0, or its removal. */
export type Fate = { readonly position: number } | Removal

/** The fate of every row of a source's columns: one number per row, and each possible removal once. */
export interface Fates {
  /** 0: the row is in the slate; otherwise 1 + its index in `removals`. */
  readonly codes: Uint16Array
  readonly removals: readonly Removal[]
  /** Throws a RangeError if there is no such row. */
  of(row: number): Fate
}

/** Number of removed rows, by reason. */
export type Removed = Readonly<Record<string, number>>

/** No row was removed. */
export const noneRemoved: Removed = {}

/** The remaining rows in order, and the fates of all rows. */
export interface FateColumns extends Fates {
  readonly rows: Int32Array
  /** Keeps these rows in this order and removes the others. Throws STAGE_ANSWER_INVALID and changes nothing if a row is not among the remaining rows or appears twice, or if a reason is unknown. */
  take(stage: string, rows: Int32Array, reasons: readonly string[], reasonOf: (row: number) => number): Removed
  /** Removes the rows whose verdict is not −1. `verdicts` is parallel to `rows`. */
  judge(stage: string, verdicts: Int16Array, reasons: readonly string[]): Removed
  removeAll(stage: string, reason: string): Removed
}

/** Fates of `size` rows. All rows remain, in numeric order. */
export function createFates(size: number): FateColumns {
  const codes = new Uint16Array(size)
  const removals: Removal[] = []
  let rows: Int32Array = new Int32Array(size)
  for (let row = 0; row < size; row++) rows[row] = row

  /** Adds the reasons of a stage. Returns the code of its first reason; the codes of the others follow. */
  function open(stage: string, reasons: readonly string[]): number {
    const first = removals.length + 1
    for (const reason of reasons) removals.push({ stage, reason })
    return first
  }

  /** Writes the codes of rows that a stage did not take, and counts them by reason; null: it took all rows. */
  function mark(
    stage: string,
    taken: Int32Array,
    reasons: readonly string[],
    reasonOf: (row: number) => number,
  ): Int32Array | null {
    const offered = removals.length + 1
    for (let i = 0; i < rows.length; i++) codes[rows[i] as number] = offered
    for (let i = 0; i < taken.length; i++) {
      const row = taken[i] as number
      if (codes[row] !== offered)
        throw new StageError('STAGE_ANSWER_INVALID', `${stage} took a row twice, or a row that it was not given`)
      codes[row] = 0
    }
    if (taken.length === rows.length) return null
    const counts = new Int32Array(reasons.length)
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] as number
      if (codes[row] === 0) continue
      const reason = reasonOf(row)
      const count = counts[reason]
      if (count === undefined) throw new StageError('STAGE_ANSWER_INVALID', unknownReason(stage, reason, reasons))
      counts[reason] = count + 1
      codes[row] = offered + reason
    }
    return counts
  }

  return {
    codes,
    removals,
    get rows() {
      return rows
    },
    of(row) {
      const code = codes[row]
      if (code === undefined) throw new RangeError(`there is no row ${row}; there are ${size} rows`)
      return removals[code - 1] ?? { position: rows.indexOf(row) }
    },
    take(stage, taken, reasons, reasonOf) {
      try {
        const counts = mark(stage, taken, reasons, reasonOf)
        rows = taken
        if (counts === null) return noneRemoved
        open(stage, reasons)
        return byReason(reasons, counts)
      } catch (error) {
        for (const row of rows) codes[row] = 0
        throw error
      }
    },
    judge(stage, verdicts, reasons) {
      const counts = new Int32Array(reasons.length)
      const kept = new Int32Array(rows.length)
      const first = removals.length + 1
      let count = 0
      for (let i = 0; i < rows.length; i++) {
        const row = rows[i] as number
        const reason = verdicts[i] as number
        if (reason === -1) kept[count++] = row
        else {
          codes[row] = first + reason
          counts[reason] = (counts[reason] as number) + 1
        }
      }
      if (count === rows.length) return noneRemoved
      open(stage, reasons)
      rows = kept.subarray(0, count)
      return byReason(reasons, counts)
    },
    removeAll(stage, reason) {
      if (rows.length === 0) return noneRemoved
      const code = open(stage, [reason])
      for (const row of rows) codes[row] = code
      const removed = { [reason]: rows.length }
      rows = new Int32Array(0)
      return removed
    },
  }
}

/** The message for a stage that returned a reason which it does not declare. */
export function unknownReason(stage: string, reason: number, reasons: readonly string[]): string {
  return `${stage} returned the reason ${reason}; it declares ${reasons.length} reasons`
}

function byReason(reasons: readonly string[], counts: Int32Array): Removed {
  const removed: Record<string, number> = {}
  for (const [at, reason] of reasons.entries()) {
    const count = counts[at] as number
    if (count > 0) removed[reason] = (removed[reason] ?? 0) + count
  }
  return removed
}
