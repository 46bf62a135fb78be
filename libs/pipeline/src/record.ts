import type { Fates, Removed } from './fates.ts'
import type { Moves } from './moves.ts'
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
  readonly removed: Removed
  /** What it moved, and why; null: nothing. */
  readonly moves: Moves | null
  /** Code of the error; null: none. */
  readonly error: string | null
  /** What was thrown; null: nothing. */
  readonly cause: unknown
}

/** What a run did: its trace, its metrics, and the answer to "why this pin?" and "why not that one?". */
export interface RunRecord {
  readonly pipeline: string
  readonly outcome: 'answered' | 'failed' | 'cancelled'
  readonly tookMs: number
  readonly stages: readonly StageRecord[]
  /** What became of each row of the source's columns. Where the run ended early, rows still in have positions too. */
  readonly fates: Fates
}

/** Reason of a row that a selector without reasons of its own did not take. */
export const notSelected = 'not-selected'
/** Reason of rows removed because their filter could not judge them. */
export const notJudged = 'not-judged'
