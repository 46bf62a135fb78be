import type { RowBatch } from '@freshet/ranking/rows/row-batch'
import { recordedNames } from '@freshet/ranking/rows/plan-columns'
import type { Plan } from '@freshet/ranking/plan/plan'
import { rowProblem, type RowProblem } from './row-problem.ts'

/** The newest rows in memory, each once with its last correction. */
export interface RowWindow {
  add(batch: RowBatch): void
  /** Number of rows of shown pins. */
  readonly size: number
  /** Rows added or corrected since the last call of `read`. */
  readonly fresh: number
  /** The rows that can train a plan, in the order of their feeds' times; the rows of a feed are neighbours. */
  read(plan: Plan): WindowRows
}

/** A row of a batch. */
export interface WindowRow {
  readonly batch: RowBatch
  readonly row: number
}

/** Rows of a window. */
export interface WindowRows {
  readonly rows: readonly WindowRow[]
  readonly leftOut: readonly LeftOutRows[]
}

/** How many rows cannot train for one reason. */
export interface LeftOutRows extends RowProblem {
  readonly rows: number
}

/** A window of at most `maxRows` rows. */
export function createRowWindow(maxRows: number): RowWindow {
  // In the order of arrival; a correction takes the newest place.
  const places = new Map<string, WindowRow>()
  let fresh = 0
  return {
    get size() {
      return places.size
    },
    get fresh() {
      return fresh
    },
    add(batch) {
      for (let row = 0; row < batch.rows; row++) {
        if (batch.shown[row] !== 1) continue
        const key = `${batch.feedIds[row]!} ${batch.pinIds[row]!}`
        const known = places.get(key)
        if (known !== undefined) {
          const [before, now] = [known.batch.revision[known.row]!, batch.revision[row]!]
          if (before > now || (before === now && known.batch !== batch)) continue
          places.delete(key)
        }
        places.set(key, { batch, row })
        fresh++
      }
      for (const key of places.keys()) {
        if (places.size <= maxRows) break
        places.delete(key)
      }
    },
    read(plan) {
      fresh = 0
      return usable([...places.values()].sort(byFeed), plan)
    },
  }
}

function byFeed(a: WindowRow, b: WindowRow): number {
  const [aFeed, bFeed] = [feedOf(a), feedOf(b)]
  return timeOf(a) - timeOf(b) || (aFeed < bFeed ? -1 : aFeed > bFeed ? 1 : 0)
}

/** When the feed of a row was served, milliseconds since the epoch; a time that is none is 0. */
export function timeOf({ batch, row }: WindowRow): number {
  const atMs = batch.atMs[row]!
  return Number.isNaN(atMs) ? 0 : atMs
}

/** The feed of a row. */
export function feedOf({ batch, row }: WindowRow): string {
  return batch.feedIds[row]!
}

function usable(all: readonly WindowRow[], plan: Plan): WindowRows {
  const names = recordedNames(plan)
  const placesOf = new Map<RowBatch, readonly number[]>()
  const reportsLooks = all.some(({ batch, row }) => batch.labels['impression']?.[row] === 1)
  const leftOut = new Map<string, LeftOutRows>()
  const rows = all.filter(({ batch, row }) => {
    const places = placesOf.get(batch) ?? names.map((name) => batch.featureNames.indexOf(name))
    placesOf.set(batch, places)
    const problem = rowProblem(batch, row, { names, places, reportsLooks })
    if (problem === null) return true
    leftOut.set(problem.reason, { ...problem, rows: (leftOut.get(problem.reason)?.rows ?? 0) + 1 })
    return false
  })
  return { rows, leftOut: [...leftOut.values()].sort((a, b) => b.rows - a.rows) }
}

/** The rows left out in one sentence: `3 of 100 training rows left out: 2 × its weight is not a number above 0, …`. */
export function describeLeftOut({ rows, leftOut }: WindowRows, which: readonly LeftOutRows[] = leftOut): string {
  const total = (of: readonly LeftOutRows[]): number => of.reduce((sum, each) => sum + each.rows, 0)
  const reasons = which.map(({ reason, rows: count }) => `${count} × ${reason}`)
  return `${total(which)} of ${rows.length + total(leftOut)} training rows left out${which.length === 0 ? '' : `: ${reasons.join(', ')}`}`
}

/**
 * Where the rows begin on which a model is judged: those after `seenMs`, which the serving model has not learned from, but at most
 * half of all. null: nothing comparable serves, so the latest `share`. Rows of one moment stay together.
 */
export function splitAt(rows: readonly WindowRow[], share: number, seenMs: number | null): number {
  const count = rows.length
  const unseen = seenMs === null ? Math.floor(count * (1 - share)) : rows.findIndex((row) => timeOf(row) > seenMs)
  let at = unseen < 0 ? count : Math.max(unseen, Math.floor(count / 2))
  while (at > 0 && at < count && timeOf(rows[at]!) === timeOf(rows[at - 1]!)) at--
  return at
}
