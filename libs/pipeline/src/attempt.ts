import { StageError } from './stage-error.ts'
import { createFates, noneRemoved, unknownReason, type FateColumns, type Removed } from './fates.ts'
import { findMoves, type Moves } from './moves.ts'
import type { AnyStage } from './pipeline.ts'
import { notSelected } from './record.ts'
import type { StageCalls } from './stage-call.ts'
import type { Filter, Found, RowVerdict, Selection, Selector, Slate } from './stage.ts'

/** Named values: the fields of a context, or columns. */
export type Values = Readonly<Record<string, unknown>>

/** The state of a run: the results of the stages so far. */
export interface Run {
  context: Values
  columns: Values
  fates: FateColumns
}

/** What a stage did to the slate. */
export interface Effect {
  readonly removed: Removed
  readonly moves: Moves | null
}

/** The stage removed and moved nothing. */
export const noEffect: Effect = { removed: noneRemoved, moves: null }

/** Starts a run without results. */
export function createRun(input: object): Run {
  return { context: input as Values, columns: {}, fates: createFates(0) }
}

/** The remaining candidates. */
export function toSlate({ columns, fates }: Run): Slate<Values> {
  return { columns, rows: fates.rows, size: fates.codes.length }
}

/** Runs a stage within its budget and adds its result to the run. */
export function attempt(stage: AnyStage, run: Run, calls: StageCalls): Effect | Promise<Effect> {
  const { name } = stage
  const budget = typeof stage.budget === 'function' ? stage.budget(run.context) : stage.budget
  const spec = { name, budget }
  switch (stage.kind) {
    case 'context':
      return calls.bounded(
        spec,
        (call) => stage.run(run.context, call),
        (added) => addContext(run, added),
      )
    case 'source':
      return calls.bounded(
        spec,
        (call) => stage.run(run.context, call),
        (found) => addRows(run, found),
      )
    case 'hydrator':
    case 'scorer':
      return calls.bounded(
        spec,
        (call) => stage.run(run.context, toSlate(run), call),
        (added) => addColumns(run, added),
      )
    case 'filter':
      return calls.bounded(
        spec,
        (call) => stage.prepare(run.context, run.columns, call),
        (verdict) => removeRows(run, stage, verdict),
      )
    case 'selector':
      return calls.bounded(
        spec,
        (call) => stage.run(run.context, toSlate(run), call),
        (selection) => takeRows(run, stage, selection),
      )
    case 'side-effect':
      return calls.bounded(
        spec,
        (call) => stage.run(run.context, toSlate(run), call),
        () => noEffect,
      )
  }
}

/** Replaces the result of an optional stage by its `otherwise`. Throws what that throws. */
export function replace(stage: AnyStage, run: Run, error: unknown): Effect {
  if (stage.policy !== 'optional') return noEffect
  switch (stage.kind) {
    case 'context':
      return addContext(run, stage.otherwise(run.context, null, error))
    case 'source':
      return addRows(run, stage.otherwise(run.context, null, error))
    case 'hydrator':
    case 'scorer':
      return addColumns(run, stage.otherwise(run.context, toSlate(run), error))
    case 'selector':
      return takeRows(run, stage, stage.otherwise(run.context, toSlate(run), error))
    case 'filter':
    case 'side-effect':
      return noEffect
  }
}

function addContext(run: Run, added: Values): Effect {
  run.context = { ...run.context, ...added }
  return noEffect
}

function addColumns(run: Run, added: Values): Effect {
  run.columns = { ...run.columns, ...added }
  return noEffect
}

function addRows(run: Run, { columns, size }: Found<Values>): Effect {
  run.columns = columns
  run.fates = createFates(size)
  return noEffect
}

function removeRows({ fates }: Run, { name, reasons }: Filter<Values, Values>, verdict: RowVerdict): Effect {
  const { rows } = fates
  const verdicts = new Int16Array(rows.length)
  // The filter judges all rows before the engine removes one, so a verdict that throws changes nothing.
  for (let i = 0; i < rows.length; i++) {
    const reason = verdict(rows[i] as number)
    if (reason < -1 || reason >= reasons.length || !Number.isInteger(reason))
      throw new StageError('STAGE_ANSWER_INVALID', unknownReason(name, reason, reasons))
    verdicts[i] = reason
  }
  return { removed: fates.judge(name, verdicts, reasons), moves: null }
}

const first = () => 0
const unnamed = [notSelected]

function takeRows(run: Run, stage: Selector<Values, Values, Values>, selection: Selection<Values>): Effect {
  const { fates } = run
  const { rows, moved, columns, leftFor = first } = selection
  const before = fates.rows
  const moves =
    moved === undefined || moved.rows.length === 0
      ? null
      : findMoves(stage, moved, { before, after: rows, size: fates.codes.length })
  const removed = fates.take(stage.name, rows, stage.reasons ?? unnamed, leftFor)
  if (columns !== undefined) addColumns(run, columns)
  return { removed, moves }
}
