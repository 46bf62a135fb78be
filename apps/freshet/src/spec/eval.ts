import { nearest } from '@freshet/domain/nearest'
import { isNamed } from '@freshet/ranking/language/plan-text'
import { formatProblem } from '@freshet/ranking/language/problem'
import type { Plan } from '@freshet/ranking/plan/plan'
import { refuse, whole } from '../arguments.ts'
import type { Terminal } from '../operations/terminal.ts'
import { evaluationLines } from './evaluation-text.ts'
import { evaluateRows, type Evaluation } from './evaluation.ts'
import { chooseBackendOf, readModelFile } from './model-file.ts'
import { readRowsFile } from './rows-file.ts'
import { planOfFile } from './spec-file.ts'

/** The arguments of the command, as text. */
export interface EvalArguments {
  readonly rows: string
  readonly model?: string
  /** Names of inputs, statements and heads, separated by commas. */
  readonly columns?: string
  readonly limit: string
  readonly backend: string
  readonly json?: boolean
}

/** Lines of a file that can be evaluated at once. */
const mostRows = 100_000

/** `freshet spec eval`: what a spec computes for rows. Without a model: what needs none. */
export async function runSpecEval(specFile: string, given: EvalArguments, terminal: Terminal): Promise<void> {
  const limit = whole(given.limit, '--limit', 1, mostRows)
  const say = (text: string): void => void terminal.progress.write(`${text}\n`)
  const { plan, warnings } = await planOfFile(specFile)
  for (const warning of warnings) say(formatProblem(warning))
  const asked = given.columns === undefined ? null : columnsOf(plan, given.columns)
  const backend = await chooseBackendOf(given.backend)
  say(`computing with ${backend}`)
  const artefact = given.model === undefined ? null : await readModelFile(given.model, plan)
  const table = await readRowsFile(plan, given.rows, say, { needsLabels: false, mostLines: limit })
  for (const { input, servingValue } of plan.trainingOnly)
    say(`${input} is ${servingValue}, as in serving, because only training knows it`)
  if (plan.firstPhase !== null) say('all rows go to the model, because the first phase ranks candidates of one request')
  const model = artefact && { version: artefact.manifest.version, parameters: artefact.model.parameters }
  const inputs = plan.inputs.map(({ name }) => name).filter((name) => asked?.has(name) === true)
  const evaluation = onlyColumns(evaluateRows(plan, model, table, inputs), asked)
  if (given.json === true) terminal.write(`${JSON.stringify(evaluation)}\n`)
  else for (const line of evaluationLines(evaluation, plan)) terminal.write(`${line}\n`)
}

/** The names of `--columns`. Throws an ArgumentError that suggests the nearest name. */
function columnsOf(plan: Plan, text: string): ReadonlySet<string> {
  const known = [
    ...plan.inputs.map(({ name }) => name),
    ...plan.nodes.filter(isNamed).map(({ id }) => id),
    ...plan.heads.map(({ name }) => name),
  ]
  const names = text.split(',').map((name) => name.trim())
  const strange = names.find((name) => !known.includes(name))
  if (strange === undefined) return new Set(names)
  const near = nearest(strange, known)
  return refuse(
    `--columns names ${strange}, which is not an input, a statement or a head of ${plan.spec}${near === null ? '' : `; did you mean ${near}?`}`,
  )
}

/** The evaluation with the values that were asked for; predictions of heads and the utility stay. */
function onlyColumns(evaluation: Evaluation, asked: ReadonlySet<string> | null): Evaluation {
  if (asked === null) return evaluation
  const only = <Item>(items: Readonly<Record<string, Item>>): Readonly<Record<string, Item>> =>
    Object.fromEntries(Object.entries(items).filter(([name]) => asked.has(name)))
  return {
    ...evaluation,
    needModel: evaluation.needModel.filter(({ name }) => asked.has(name)),
    rows: evaluation.rows.map((row) => ({ ...row, values: only(row.values) })),
  }
}
