import type { RunRecord } from './record.ts'

/** A run failed because a required stage failed. The cause is the error of that stage. */
export class PipelineError extends Error {
  readonly stage: string
  readonly record: RunRecord
  /** The context that the earlier stages had made. */
  readonly context: Readonly<Record<string, unknown>>
  constructor(stage: string, run: Pick<PipelineError, 'record' | 'context'>, cause: unknown) {
    super(`stage ${stage} of ${run.record.pipeline} failed`, { cause })
    this.name = 'PipelineError'
    this.stage = stage
    this.record = run.record
    this.context = run.context
  }
}

/** The caller cancelled the run. The cause is the signal's reason. */
export class PipelineCancelled extends Error {
  readonly record: RunRecord
  constructor(record: RunRecord, cause: unknown) {
    super(`${record.pipeline} was cancelled`, { cause })
    this.name = 'PipelineCancelled'
    this.record = record
  }
}
