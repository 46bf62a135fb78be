import { dirname } from 'node:path'
import { writeModel } from './write-model.ts'
import { createSystemClock } from '@freshet/adapters/system/clock'
import { formatProblem } from '@freshet/ranking/language/problem'
import { hashOfPlan, type Plan } from '@freshet/ranking/plan/plan'
import { figuresOfModel } from '@freshet/ranking/training/model-figures'
import { trainModel, type EpochReport } from '@freshet/ranking/training/train'
import { whole } from '../arguments.ts'
import type { Terminal } from '../operations/terminal.ts'
import { chooseBackendOf } from '../spec/model-file.ts'
import { readRowsFile } from '../spec/rows-file.ts'
import { compileFileForRows } from '../spec/spec-file.ts'
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
  const say = (text: string): void => void terminal.progress.write(`${text}\n`)
  const backend = await chooseBackendOf(given.backend)
  const { plan, warnings, text: specText } = compileFileForRows(specFile)
  for (const warning of warnings) say(formatProblem(warning))
  say(`computing with ${backend}`)
  const table = await readRowsFile(plan, given.rows, say)
  const validate = given.validate === undefined ? null : await readRowsFile(plan, given.validate, say)
  const result = await trainModel(plan, table, {
    ...(validate === null ? {} : { validate }),
    seed,
    specFolder: dirname(specFile),
    nowMs: () => terminal.nowMs(),
    signal: terminal.signal,
    onEpoch: (report) => say(epochLine(plan, report)),
  })
  const model = { plan, parameters: result.parameters }
  const test = given.test === undefined ? null : figuresOfModel(model, await readRowsFile(plan, given.test, say))
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
    await writeModel(given.out, model, {
      report,
      specText,
      createdAtMs: createSystemClock().now(),
      times: [table.times, validate?.times],
    })
  if (given.json === true) terminal.write(`${JSON.stringify(report)}\n`)
  else for (const line of reportLines(report)) terminal.write(`${line}\n`)
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
