import type { Fates, Removed } from './fates.ts'
import type { Moves } from './moves.ts'
import type { StageKind } from './stage.ts'

/**
 * How a stage ended.
 * - `ran`: it answered within its budget.
 * - `left-out`: it did not, and the run continued without it.
 * - `failed-closed`: it did not, and the engine removed every candidate.
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
  /** Number of removed candidates, by reason. */
  readonly removed: Removed
  /** The candidates that it moved, with reasons; null: none. */
  readonly moves: Moves | null
  /** Code of the error; null: none. */
  readonly error: string | null
  /** The thrown value; null: none. */
  readonly cause: unknown
}

/** The record of a run: the source of traces and metrics, and the answer to "why this pin?" and "why not that pin?". */
export interface RunRecord {
  readonly pipeline: string
  readonly outcome: 'answered' | 'failed' | 'cancelled'
  readonly tookMs: number
  readonly stages: readonly StageRecord[]
  /** The fate of each row of the source's columns. If the run ended early, remaining rows have positions too. */
  readonly fates: Fates
}

/** The reason for rows that a selector did not take, if it declares no reasons. */
export const notSelected = 'not-selected'
/** The reason for rows removed because their filter failed. */
export const notJudged = 'not-judged'
