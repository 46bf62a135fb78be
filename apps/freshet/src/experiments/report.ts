import { ArgumentError } from '../arguments.ts'
import { OperationError } from '../operations/errors.ts'
import { openLog, withOpen } from '../operations/platform.ts'
import type { Terminal } from '../operations/terminal.ts'
import { readExperiments } from './check.ts'
import { collectExperiments, type Collected, type CollectedExperiment } from './collect.ts'
import { judge, type ExperimentReport } from './judge.ts'
import { choiceOf, type LoggedFeedsArguments } from './log-arguments.ts'
import { reportLines } from './report-text.ts'

/** The options of `freshet experiments report`, as text. */
export interface ReportArguments extends LoggedFeedsArguments {
  /** The experiment file, for shares, controls and units. */
  readonly experiments?: string
  readonly config?: string
  /** Only this experiment. */
  readonly only?: string
}

/**
 * `freshet experiments report`: compares the arms of the experiments in a log. Throws EXPERIMENTS_EMPTY if no feed was exposed to an
 * experiment.
 */
export async function runExperimentsReport(given: ReportArguments, terminal: Terminal): Promise<void> {
  const choice = choiceOf(given)
  const plan = given.experiments === undefined ? null : await readExperiments(given.experiments, given.config)
  const collected = await withOpen(openLog(given), ({ log }) => collectExperiments(log, choice, terminal))
  const chosen = chooseExperiments(collected, given.only)
  const reports = chosen.map((experiment): ExperimentReport => judge(experiment, plan, choice.level))
  if (given.json === true) {
    const { damaged, feeds } = collected
    terminal.write(`${JSON.stringify({ feeds, damaged, level: choice.level, experiments: reports })}\n`)
    return
  }
  for (const line of reportLines(reports, collected, choice.level)) terminal.write(`${line}\n`)
}

function chooseExperiments(
  { experiments, feeds }: Collected,
  only: string | undefined,
): readonly CollectedExperiment[] {
  if (experiments.length === 0)
    throw new OperationError(
      'EXPERIMENTS_EMPTY',
      `none of the ${feeds} feeds in this time was part of an experiment; set blender.experimentsFile, or another --from and --to`,
    )
  if (only === undefined) return experiments
  const chosen = experiments.filter(({ name }) => name === only)
  if (chosen.length > 0) return chosen
  throw new ArgumentError(
    `--only is ${only}; the log has the experiments ${experiments.map(({ name }) => name).join(', ')}`,
  )
}
