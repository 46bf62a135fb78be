import type { EngineClock } from './clock.ts'
import { PipelineCancelled, PipelineError, StageError } from './errors.ts'
import type { AnyStage, Pipeline } from './pipeline.ts'
import { notJudged, notSelected, type Removal, type RunRecord, type StageOutcome, type StageRecord } from './record.ts'
import { createStageCalls, type StageCalls } from './stage-call.ts'
import type { Found, RowVerdict, Slate } from './stage.ts'

/** How long a run may take, and who may end it earlier. */
export interface RunCall {
  /** Milliseconds from the start of the run. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal
  /** `shares`: budgets in milliseconds are ignored, only shares of what is left hold; for callers that said they have time. */
  readonly budgets?: 'stated' | 'shares'
}

/** What a run ends with. */
export interface RunResult<Context, Columns> extends Slate<Columns> {
  readonly context: Context
  readonly record: RunRecord
}

/** Runs pipelines and records what they did. */
export interface Engine {
  /** Throws PipelineError where a required stage failed, PipelineCancelled where the caller ended the run. */
  run<Input extends object, Context, Columns>(
    pipeline: Pipeline<Input, Context, Columns>,
    input: Input,
    call: RunCall,
  ): Promise<RunResult<Context, Columns>>
}

/** What an engine needs. */
export interface EngineOptions {
  readonly clock: EngineClock
  /** The code of something thrown; null: it has none. */
  readonly errorCode?: (error: unknown) => string | null
  /** Sees the record of every run, whatever its outcome. */
  readonly observe?: (record: RunRecord) => void
}

type Values = Readonly<Record<string, unknown>>

interface Run {
  context: Values
  columns: Values
  rows: Int32Array
  size: number
  /** 0: still in; otherwise 1 + the index of the removal in `removals`. */
  fates: Uint16Array
  readonly removals: Removal[]
}

const nothing = new Int32Array(0)
const noFates = new Uint16Array(0)
const noRemovals: Readonly<Record<string, number>> = {}

/** An engine. It alone counts, times and bounds stages. */
export function createEngine({ clock, errorCode, observe }: EngineOptions): Engine {
  function codeOf(error: unknown): string {
    if (error instanceof StageError) return error.code
    return errorCode?.(error) ?? 'STAGE_FAILED'
  }

  return {
    async run<Input extends object, Context, Columns>(
      { name, stages }: Pipeline<Input, Context, Columns>,
      input: Input,
      call: RunCall,
    ) {
      const startMs = clock.nowMs()
      const calls = createStageCalls(clock, call, startMs)
      const run: Run = {
        context: input as unknown as Values,
        columns: {},
        rows: nothing,
        size: 0,
        fates: noFates,
        removals: [],
      }
      const records: StageRecord[] = []
      const finish = (outcome: RunRecord['outcome']): RunRecord => {
        calls.close()
        const record: RunRecord = {
          pipeline: name,
          outcome,
          tookMs: clock.nowMs() - startMs,
          stages: records,
          removalOf: (row) => run.removals[(run.fates[row] ?? 0) - 1] ?? null,
        }
        observe?.(record)
        return record
      }

      for (const stage of stages) {
        if (call.signal?.aborted) throw new PipelineCancelled(finish('cancelled'), call.signal.reason)
        const stageStartMs = clock.nowMs()
        const candidatesIn = run.rows.length
        let outcome: StageOutcome = 'ran'
        let failure: unknown = null
        let removed = noRemovals
        try {
          const pending = attempt(stage, run, calls)
          removed = pending instanceof Promise ? await pending : pending
        } catch (error) {
          failure = error
          if (call.signal?.aborted !== true) {
            outcome =
              stage.policy === 'optional' ? 'left-out' : stage.policy === 'required' ? 'failed' : 'failed-closed'
            if (outcome === 'left-out') {
              const replaced = replace(stage, run, error)
              if (replaced !== null) {
                outcome = 'failed'
                failure = replaced.error
              }
            }
            if (outcome === 'failed-closed') removed = removeAll(run, stage.name)
          } else outcome = 'failed'
        }
        records.push({
          stage: stage.name,
          kind: stage.kind,
          outcome,
          candidatesIn,
          candidatesOut: run.rows.length,
          startedAtMs: stageStartMs - startMs,
          tookMs: clock.nowMs() - stageStartMs,
          removed,
          error: outcome === 'ran' ? null : codeOf(failure),
          cause: failure,
        })
        if (outcome === 'failed') {
          if (call.signal?.aborted) throw new PipelineCancelled(finish('cancelled'), call.signal.reason)
          throw new PipelineError(stage.name, { record: finish('failed'), context: run.context }, failure)
        }
      }
      const record = finish('answered')
      return {
        context: run.context as unknown as Context,
        columns: run.columns as unknown as Columns,
        rows: run.rows,
        size: run.size,
        record,
      }
    },
  }
}

type Removed = Readonly<Record<string, number>>

/** Runs a stage and takes over what it made; how many it removed, by reason. */
function attempt(stage: AnyStage, run: Run, calls: StageCalls): Removed | Promise<Removed> {
  switch (stage.kind) {
    case 'context':
      return calls.bounded(
        stage,
        (call) => stage.run(run.context, call),
        (added) => addContext(run, added),
      )
    case 'source':
      return calls.bounded(
        stage,
        (call) => stage.run(run.context, call),
        (found) => addRows(run, found),
      )
    case 'hydrator':
    case 'scorer':
      return calls.bounded(
        stage,
        (call) => stage.run(run.context, slateOf(run), call),
        (added) => addColumns(run, added),
      )
    case 'filter':
      return calls.bounded(
        stage,
        (call) => stage.prepare(run.context, run.columns, call),
        (verdict) => removeRows(run, stage, verdict),
      )
    case 'selector':
      return takeRows(run, stage.name, stage.run(run.context, slateOf(run)))
    case 'side-effect':
      return calls.bounded(
        stage,
        (call) => stage.run(run.context, slateOf(run), call),
        () => noRemovals,
      )
  }
}

/** Goes on without an optional stage; what its replacement threw, or null. */
function replace(stage: AnyStage, run: Run, error: unknown): { readonly error: unknown } | null {
  if (stage.policy !== 'optional' || stage.kind === 'filter' || stage.kind === 'side-effect') return null
  try {
    if (stage.kind === 'context') addContext(run, stage.otherwise(run.context, null, error))
    else if (stage.kind === 'source') addRows(run, stage.otherwise(run.context, null, error))
    else addColumns(run, stage.otherwise(run.context, slateOf(run), error))
    return null
  } catch (thrown) {
    return { error: thrown }
  }
}

function slateOf({ columns, rows, size }: Run): Slate<Values> {
  return { columns, rows, size }
}

function addContext(run: Run, added: Values): Removed {
  run.context = { ...run.context, ...added }
  return noRemovals
}

function addColumns(run: Run, added: Values): Removed {
  run.columns = { ...run.columns, ...added }
  return noRemovals
}

function addRows(run: Run, { columns, size }: Found<Values>): Removed {
  run.columns = columns
  run.size = size
  run.rows = new Int32Array(size)
  for (let row = 0; row < size; row++) run.rows[row] = row
  run.fates = new Uint16Array(size)
  return noRemovals
}

function removeRows(
  run: Run,
  { name, reasons }: { readonly name: string; readonly reasons: readonly string[] },
  verdict: RowVerdict,
): Removed {
  const { rows } = run
  const verdicts = new Int16Array(rows.length)
  const kept = new Int32Array(rows.length)
  let count = 0
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number
    const reason = verdict(row)
    if (reason < -1 || reason >= reasons.length || !Number.isInteger(reason))
      throw new StageError('STAGE_ANSWER_INVALID', `${name} gave the verdict ${reason} of ${reasons.length} reasons`)
    verdicts[i] = reason
    if (reason === -1) kept[count++] = row
  }
  if (count === rows.length) return noRemovals
  const first = run.removals.length + 1
  for (const reason of reasons) run.removals.push({ stage: name, reason })
  const removed: Record<string, number> = {}
  for (let i = 0; i < rows.length; i++) {
    const reason = verdicts[i] as number
    if (reason === -1) continue
    run.fates[rows[i] as number] = first + reason
    const key = reasons[reason] as string
    removed[key] = (removed[key] ?? 0) + 1
  }
  run.rows = kept.subarray(0, count)
  return removed
}

function removeAll(run: Run, stage: string): Removed {
  if (run.rows.length === 0) return noRemovals
  run.removals.push({ stage, reason: notJudged })
  for (const row of run.rows) run.fates[row] = run.removals.length
  const removed = { [notJudged]: run.rows.length }
  run.rows = nothing
  return removed
}

function takeRows(run: Run, stage: string, taken: Int32Array): Removed {
  const open = run.removals.length + 1
  for (const row of run.rows) run.fates[row] = open
  let valid = true
  for (const row of taken) {
    if (run.fates[row] !== open) valid = false
    else run.fates[row] = 0
  }
  if (!valid) {
    for (const row of run.rows) run.fates[row] = 0
    throw new StageError('STAGE_ANSWER_INVALID', `${stage} took a row twice, or one that was not in`)
  }
  const left = run.rows.length - taken.length
  run.removals.push({ stage, reason: notSelected })
  run.rows = taken
  return left === 0 ? noRemovals : { [notSelected]: left }
}
