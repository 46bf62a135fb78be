/**
 * Why a stage gave nothing.
 * - STAGE_TIMED_OUT: its budget was used up.
 * - STAGE_FAILED: it threw something that has no code.
 * - STAGE_ANSWER_INVALID: it broke its contract: an unknown reason, a row twice, a row that was not in.
 */
export type StageErrorCode = 'STAGE_TIMED_OUT' | 'STAGE_FAILED' | 'STAGE_ANSWER_INVALID'

/** A stage gave nothing. */
export class StageError extends Error {
  readonly code: StageErrorCode
  constructor(code: StageErrorCode, message: string) {
    super(message)
    this.name = 'StageError'
    this.code = code
  }
}
