import type { Command } from 'commander'
import type { Terminal } from '../operations/terminal.ts'
import type { CheckArguments } from './check.ts'
import type { LoggedFeedsArguments } from './log-arguments.ts'
import type { OpeArguments } from './ope/command.ts'
import type { ReportArguments } from './report.ts'

/** Wraps a command so that its failure prints one line. */
type Guard = <Arguments extends readonly unknown[]>(
  run: (...given: Arguments) => Promise<void>,
) => (...given: Arguments) => Promise<void>

/** How the commands meet the program. */
export interface ExperimentCommandsOptions {
  /** Adds the options that select the log. */
  readonly withLog: (command: Command) => Command
  readonly guard: Guard
  readonly terminal: () => Terminal
}

/** Adds `freshet experiments …`. */
export function addExperimentCommands(program: Command, { withLog, guard, terminal }: ExperimentCommandsOptions): void {
  const experiments = program.command('experiments').description('Check experiments, and judge them from the log')
  const withFeeds = (command: Command): Command =>
    withLog(command)
      .option('--from <time>', 'only feeds since this time, e.g. 2026-01-31T08:00:00Z')
      .option('--to <time>', 'only feeds before this time')
      .option('--window <minutes>', 'actions within this time after a feed count', '30')
      .option('--level <percent>', 'how sure intervals are', '95')
      .option('--json', 'print everything as one JSON object')
  experiments
    .command('check')
    .description('Read an experiment file as a blender would: print its arms and its problems')
    .argument('<file>', 'experiment file (.json)')
    .option('--config <file>', 'JSON file with settings of the blender')
    .option('--json', 'print one JSON object')
    .action(
      guard(async (file: string, given: CheckArguments) =>
        (await import('./check.ts')).runExperimentsCheck(file, given, terminal()),
      ),
    )
  withFeeds(experiments.command('report'))
    .description('Compare the arms of the experiments in the log: engagement per feed, with intervals')
    .option(
      '--experiments <file>',
      'the experiment file, for controls, units and shares; default: from what feeds record',
    )
    .option('--config <file>', 'JSON file with settings of the blender, for --experiments')
    .option('--only <name>', 'only this experiment')
    .action(
      guard(async (given: ReportArguments) => (await import('./report.ts')).runExperimentsReport(given, terminal())),
    )
  withFeeds(experiments.command('gradient'))
    .description('Print what the weight of each head in the utility does to engagement, from feeds of utility tuning')
    .action(
      guard(async (given: LoggedFeedsArguments) =>
        (await import('./gradient.ts')).runExperimentsGradient(given, terminal()),
      ),
    )
  withFeeds(experiments.command('ope'))
    .description('Estimate what another ordering would have earned, from feeds whose order was drawn at random')
    .option('--reward <name>', 'save, click, closeup, hide or dwell (seconds)', 'save')
    .option('--temperature-times <number>', 'the target draws with this multiple of the temperature', '1')
    .option(
      '--add <head=number>',
      'the target adds so much to the utility for each unit of a prediction; repeat it for several heads',
      (text: string, before: readonly string[] | undefined) => [...(before ?? []), text],
    )
    .option('--resamples <n>', 'resamples of the users for the intervals', '400')
    .option('--seed <n>', 'the same seed gives the same intervals', '1')
    .option('--export <file>', 'also write the slates as CSV with the columns of Open Bandit Pipeline')
    .action(
      guard(async (given: OpeArguments) => (await import('./ope/command.ts')).runExperimentsOpe(given, terminal())),
    )
}
