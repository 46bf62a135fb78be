import type { StageKind } from './stage.ts'

/**
 * How a stage ended.
 * - `ran`: it answered within its budget.
 * - `left-out`: it did not, and the run went on without it.
 * - `failed-closed`: it did not, and everything was removed.
 * - `failed`: it did not, and the run ended.
 */
export type StageOutcome = 'ran' | 'left-out' | 'failed-closed' | 'failed'

/** What one stage did. */
export interface StageRecord {
  readonly stage: string
  readonly kind: StageKind
  readonly outcome: StageOutcome
  readonly candidatesIn: number
  readonly candidatesOut: number
  /** Milliseconds since the start of the run. */
  readonly startedAtMs: number
  readonly tookMs: number
  /** How many were removed, by reason. */
  readonly removed: Readonly<Record<string, number>>
  /** Code of the error; null: none. */
  readonly error: string | null
  /** What was thrown; null: nothing. */
  readonly cause: unknown
}

/** Where a row left the run. */
export interface Removal {
  readonly stage: string
  readonly reason: string
}

/** What a run did: its trace, its metrics, and the answer to "why this pin?". */
export interface RunRecord {
  readonly pipeline: string
  readonly outcome: 'answered' | 'failed' | 'cancelled'
  readonly tookMs: number
  readonly stages: readonly StageRecord[]
  /** Where the row left; null: it is in the answer. Rows are those of the source's columns. */
  removalOf(row: number): Removal | null
}

/** Reason of a row that a selector did not take. */
export const notSelected = 'not-selected'
/** Reason of rows removed because their filter could not judge them. */
export const notJudged = 'not-judged'
