import { readFileSync } from 'node:fs'
import { writeModel } from './write-model.ts'
import { createSystemClock } from '@freshet/adapters/system/clock'
import { compileSpec } from '@freshet/ranking/language/compile'
import type { RowTable } from '@freshet/ranking/plan/column'
import { hashOfPlan, type Plan } from '@freshet/ranking/plan/plan'
import { readRows } from '@freshet/ranking/plan/rows'
import { backendChoices, chooseBackend, type BackendChoice } from '@freshet/ranking/tensor/backend'
import { figuresOfModel } from '@freshet/ranking/training/model-figures'
import { trainModel, type EpochReport } from '@freshet/ranking/training/train'
import { transformCatalogue } from '@freshet/ranking/transforms/catalogue'
import { refuse, whole } from '../arguments.ts'
import type { Terminal } from '../operations/terminal.ts'
import { labelReports, reportLines, type TrainReport } from './report.ts'

/** The arguments of the command, as text. */
export interface TrainArguments {
  readonly rows: string
  readonly validate?: string
  readonly test?: string
  readonly seed: string
  readonly out?: string
  readonly json?: boolean
  readonly backend: string
}

/** `freshet train`: learns a spec from rows, and prints its figures on the validation and the test rows. */
export async function runTrain(specFile: string, given: TrainArguments, terminal: Terminal): Promise<void> {
  const seed = whole(given.seed, '--seed', 0, 2 ** 31 - 1)
  const backend = (backendChoices as readonly string[]).includes(given.backend)
    ? (given.backend as BackendChoice)
    : refuse(`--backend is ${given.backend}; give ${backendChoices.join(', ')}`)
  const specText = readSpec(specFile)
  const plan = compile(specText, specFile, terminal)
  const say = (text: string): void => void terminal.progress.write(`${text}\n`)
  say(`computing with ${await chooseBackend(backend)}`)
  const table = await read(plan, given.rows, say)
  const validate = given.validate === undefined ? null : await read(plan, given.validate, say)
  const result = await trainModel(plan, table, {
    ...(validate === null ? {} : { validate }),
    seed,
    nowMs: () => terminal.nowMs(),
    signal: terminal.signal,
    onEpoch: (report) => say(epochLine(plan, report)),
  })
  const model = { plan, parameters: result.parameters }
  const test = given.test === undefined ? null : figuresOfModel(model, await read(plan, given.test, say))
  const report: TrainReport = {
    spec: plan.spec,
    planHash: hashOfPlan(plan),
    rows: table.rows,
    epochs: result.epochs,
    seconds: result.seconds,
    rowsPerSecond: (table.rows * result.epochs) / result.seconds,
    validate: validate === null ? null : labelReports(plan.heads, result.metrics),
    test: test === null ? null : labelReports(plan.heads, test),
  }
  if (given.out !== undefined)
    await writeModel(given.out, model, { report, specText, createdAtMs: createSystemClock().now() })
  if (given.json === true) terminal.write(`${JSON.stringify(report)}\n`)
  else for (const line of reportLines(report)) terminal.write(`${line}\n`)
}

function compile(text: string, file: string, terminal: Terminal): Plan {
  const readFile = (name: string): string => readFileSync(name, 'utf8')
  const { plan, warnings } = compileSpec(text, {
    file,
    catalogue: transformCatalogue,
    inputs: null,
    readFile,
  })
  for (const { span, message } of warnings)
    terminal.progress.write(`${span.file}:${span.line}:${span.column}: ${message}\n`)
  return plan
}

function readSpec(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    return refuse(`the spec ${file} cannot be read: ${(error as Error).message}`)
  }
}

async function read(plan: Plan, file: string, say: (text: string) => void): Promise<RowTable> {
  const { table, report } = await readRows(plan, transformCatalogue, file)
  say(`${file}: ${table.rows} rows`)
  for (const { reason, rows, firstLine } of report.leftOut)
    say(`  left out ${rows}, the first at line ${firstLine}: ${reason}`)
  if (report.unusedKeys.length > 0) say(`  values that the spec does not read: ${report.unusedKeys.join(', ')}`)
  if (report.absentInputs.length > 0) say(`  inputs that no row has: ${report.absentInputs.join(', ')}`)
  return table
}

/** One line an epoch: loss, figures of the validation rows, speed, and at most how long training goes on. */
function epochLine(plan: Plan, { epoch, of, loss, rate, rows, ms, validation }: EpochReport): string {
  const heads = plan.heads.map(({ name, kind }) => {
    const figures = validation?.get(name)
    if (figures === undefined) return ''
    return ` · ${name} ${kind === 'probability' ? `AUC ${figures.auc?.toFixed(5) ?? '–'}, log loss` : 'loss'} ${figures.loss.toFixed(5)}`
  })
  const left = ((of - epoch) * ms) / 1000
  return `epoch ${epoch} of at most ${of}: loss ${loss.toFixed(5)} at rate ${rate}${heads.join('')} · ${Math.round(rows / (ms / 1000))} rows/s, at most ${Math.round(left)} s left`
}
