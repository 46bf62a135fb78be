import { attempt, createRun, noEffect, replace, toSlate, type Effect, type Run } from './attempt.ts'
import type { EngineClock } from './clock.ts'
import { PipelineCancelled, PipelineError } from './errors.ts'
import type { AnyStage, Pipeline } from './pipeline.ts'
import { notJudged, type RunRecord, type StageOutcome, type StageRecord } from './record.ts'
import { createStageCalls, type RunCall, type StageCalls } from './stage-call.ts'
import { StageError } from './stage-error.ts'
import type { Slate } from './stage.ts'

/** The result of a run. */
export interface RunResult<Context, Columns> extends Slate<Columns> {
  readonly context: Context
  readonly record: RunRecord
}

/** Runs pipelines and records what they did. */
export interface Engine {
  /** Throws PipelineError if a required stage fails, PipelineCancelled if the caller ends the run. */
  run<Input extends object, Context, Columns>(
    pipeline: Pipeline<Input, Context, Columns>,
    input: Input,
    call: RunCall,
  ): Promise<RunResult<Context, Columns>>
}

/** Dependencies of an engine. */
export interface EngineOptions {
  readonly clock: EngineClock
  /** The error code of a thrown value; null: it has none. */
  readonly errorCode?: (error: unknown) => string | null
  /** Called with the record of every run, with any outcome. */
  readonly observe?: (record: RunRecord) => void
}

/** Creates an engine. Only the engine counts, times and limits stages. */
export function createEngine(options: EngineOptions): Engine {
  const { clock, observe } = options

  return {
    async run<Input extends object, Context, Columns>(
      { name, stages }: Pipeline<Input, Context, Columns>,
      input: Input,
      call: RunCall,
    ) {
      const startMs = clock.nowMs()
      const calls = createStageCalls(clock, call, startMs)
      const run = createRun(input)
      const records: StageRecord[] = []
      const finish = (outcome: RunRecord['outcome']): RunRecord => {
        calls.close()
        const tookMs = clock.nowMs() - startMs
        const record: RunRecord = { pipeline: name, outcome, tookMs, stages: records, fates: run.fates }
        observe?.(record)
        return record
      }
      const throwIfCancelled = (): void => {
        if (call.signal?.aborted) throw new PipelineCancelled(finish('cancelled'), call.signal.reason)
      }

      let stageStartMs = startMs
      for (const stage of stages) {
        throwIfCancelled()
        const candidatesIn = run.fates.rows.length
        const pending = settle(stage, run, { calls, signal: call.signal, nowMs: stageStartMs })
        const settled = pending instanceof Promise ? await pending : pending
        const endMs = clock.nowMs()
        const candidatesOut = run.fates.rows.length
        const startedAtMs = stageStartMs - startMs
        const times = { startedAtMs, tookMs: endMs - stageStartMs }
        records.push(stageRecord(stage, settled, options, { ...times, candidatesIn, candidatesOut }))
        stageStartMs = endMs
        if (settled.outcome !== 'failed') continue
        throwIfCancelled()
        throw new PipelineError(stage.name, { record: finish('failed'), context: run.context }, settled.failure)
      }
      const record = finish('answered')
      const { columns, rows, size } = toSlate(run)
      return { context: run.context as Context, columns: columns as Columns, rows, size, record }
    },
  }
}

/** The outcome of a stage and its effect. */
interface Settled {
  readonly outcome: StageOutcome
  readonly effect: Effect
  /** The thrown value; null: none. */
  readonly failure: unknown
}

interface Bounds {
  readonly calls: StageCalls
  readonly signal: AbortSignal | undefined
  /** When the stage starts. */
  readonly nowMs: number
}

/** Runs a stage and applies its policy if it fails. Returns synchronously if the stage does: a turn of the event loop per stage would take longer than most stages. */
function settle(stage: AnyStage, run: Run, { calls, signal, nowMs }: Bounds): Settled | Promise<Settled> {
  const failed = (failure: unknown): Settled =>
    signal?.aborted === true ? { outcome: 'failed', effect: noEffect, failure } : withoutStage(stage, run, failure)
  try {
    const pending = attempt(stage, run, calls, nowMs)
    return pending instanceof Promise ? pending.then(ran, failed) : ran(pending)
  } catch (error) {
    return failed(error)
  }
}

function ran(effect: Effect): Settled {
  return { outcome: 'ran', effect, failure: null }
}

/** Applies the policy of a failed stage. */
function withoutStage(stage: AnyStage, run: Run, failure: unknown): Settled {
  if (stage.policy === 'required') return { outcome: 'failed', effect: noEffect, failure }
  if (stage.policy === 'fail-closed') {
    const effect = { removed: run.fates.removeAll(stage.name, notJudged), moves: null }
    return { outcome: 'failed-closed', effect, failure }
  }
  try {
    return { outcome: 'left-out', effect: replace(stage, run, failure), failure }
  } catch (thrown) {
    return { outcome: 'failed', effect: noEffect, failure: thrown }
  }
}

function stageRecord(
  { name, kind }: AnyStage,
  { outcome, effect, failure }: Settled,
  { errorCode }: EngineOptions,
  at: Pick<StageRecord, 'startedAtMs' | 'tookMs' | 'candidatesIn' | 'candidatesOut'>,
): StageRecord {
  return {
    stage: name,
    kind,
    outcome,
    candidatesIn: at.candidatesIn,
    candidatesOut: at.candidatesOut,
    startedAtMs: at.startedAtMs,
    tookMs: at.tookMs,
    removed: effect.removed,
    moves: effect.moves,
    error: outcome === 'ran' ? null : codeOf(failure, errorCode),
    cause: failure,
  }
}

function codeOf(error: unknown, errorCode: EngineOptions['errorCode']): string {
  return error instanceof StageError ? error.code : (errorCode?.(error) ?? 'STAGE_FAILED')
}
