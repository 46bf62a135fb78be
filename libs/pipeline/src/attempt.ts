import { StageError } from './stage-error.ts'
import { createFates, noneRemoved, unknownReason, type FateColumns, type Removed } from './fates.ts'
import { findMoves, type Moves } from './moves.ts'
import type { AnyStage } from './pipeline.ts'
import { notSelected } from './record.ts'
import type { StageCalls } from './stage-call.ts'
import {
  keep,
  type Filter,
  type Found,
  type RowVerdict,
  type Selection,
  type Selector,
  type Slate,
  type StageCall,
} from './stage.ts'

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

/** Runs a stage that starts at `nowMs` within its budget and adds its result to the run. */
export function attempt(stage: AnyStage, run: Run, calls: StageCalls, nowMs: number): Effect | Promise<Effect> {
  const budget = typeof stage.budget === 'function' ? stage.budget(run.context) : stage.budget
  const call = calls.begin(stage.name, budget, nowMs)
  const answer = ask(stage, run, call)
  return answer instanceof Promise
    ? calls.wait(stage.name, call, answer, (value) => take(stage, run, value))
    : take(stage, run, answer)
}

function ask(stage: AnyStage, run: Run, call: StageCall): unknown {
  switch (stage.kind) {
    case 'context':
    case 'source':
      return stage.run(run.context, call)
    case 'filter':
      return stage.prepare(run.context, run.columns, call)
    default:
      return stage.run(run.context, toSlate(run), call)
  }
}

/** Adds the answer of a stage to the run. Its kind says what the answer is. */
function take(stage: AnyStage, run: Run, answer: unknown): Effect {
  switch (stage.kind) {
    case 'context':
      return addContext(run, answer as Values)
    case 'source':
      return addRows(run, answer as Found<Values>)
    case 'hydrator':
    case 'scorer':
      return addColumns(run, answer as Values)
    case 'filter':
      return removeRows(run, stage, answer as RowVerdict | null)
    case 'selector':
      return takeRows(run, stage, answer as Selection<Values>)
    case 'side-effect':
      return noEffect
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
  if (!contains(run.columns, added)) run.columns = { ...run.columns, ...added }
  return noEffect
}

/** Whether the values are there already: a stage that changed nothing gives its columns back. */
function contains(values: Values, added: Values): boolean {
  for (const name in added) if (values[name] !== added[name]) return false
  return true
}

function addRows(run: Run, { columns, size }: Found<Values>): Effect {
  run.columns = columns
  run.fates = createFates(size)
  return noEffect
}

function removeRows({ fates }: Run, { name, reasons }: Filter<Values, Values>, verdict: RowVerdict | null): Effect {
  if (verdict === null) return noEffect
  const { rows } = fates
  // Made for the first row that does not stay: most filters keep all.
  let verdicts: Int16Array | null = null
  // The filter judges all rows before the engine removes one, so a verdict that throws changes nothing.
  for (let i = 0; i < rows.length; i++) {
    const reason = verdict(rows[i] as number)
    if (reason === keep) continue
    if (reason < 0 || reason >= reasons.length || !Number.isInteger(reason))
      throw new StageError('STAGE_ANSWER_INVALID', unknownReason(name, reason, reasons))
    verdicts ??= new Int16Array(rows.length).fill(keep)
    verdicts[i] = reason
  }
  return verdicts === null ? noEffect : { removed: fates.judge(name, verdicts, reasons), moves: null }
}

const first = () => 0
const unnamed = [notSelected]

function takeRows(run: Run, stage: Selector<Values, Values, Values>, selection: Selection<Values>): Effect {
  const { fates } = run
  const { rows, moved, columns, leftFor = first } = selection
  const before = fates.rows
  const isMoved = moved !== undefined && moved.rows.length > 0
  if (rows === before && !isMoved) {
    if (columns !== undefined) addColumns(run, columns)
    return noEffect
  }
  const moves = isMoved ? findMoves(stage, moved, { before, after: rows, size: fates.codes.length }) : null
  const removed = fates.take(stage.name, rows, stage.reasons ?? unnamed, leftFor)
  if (columns !== undefined) addColumns(run, columns)
  return { removed, moves }
}
