/**
 * Why a stage failed.
 * - STAGE_TIMED_OUT: it used up its budget.
 * - STAGE_FAILED: it threw an error without a code.
 * - STAGE_ANSWER_INVALID: it broke its contract: an unknown reason, a repeated row, a row that it was not given.
 */
export type StageErrorCode = 'STAGE_TIMED_OUT' | 'STAGE_FAILED' | 'STAGE_ANSWER_INVALID'

/** A stage failed. */
export class StageError extends Error {
  readonly code: StageErrorCode
  constructor(code: StageErrorCode, message: string) {
    super(message)
    this.name = 'StageError'
    this.code = code
  }
}
