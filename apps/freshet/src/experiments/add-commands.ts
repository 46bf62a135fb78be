import type { Command } from 'commander'
import type { Terminal } from '../operations/terminal.ts'
import type { CheckArguments } from './check.ts'
import type { LoggedFeedsArguments } from './log-arguments.ts'
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
}
