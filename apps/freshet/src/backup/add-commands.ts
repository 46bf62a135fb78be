import { createSystemClock } from '@freshet/adapters/system/clock'
import type { Command } from 'commander'
import { withRedis } from '../connection.ts'
import type { Terminal } from '../operations/terminal.ts'
import type { CheckArguments } from './check.ts'

/** Wraps a command so that its failure prints one line. */
type Guard = <Arguments extends readonly unknown[]>(
  run: (...given: Arguments) => Promise<void>,
) => (...given: Arguments) => Promise<void>

/** Adds `freshet backup`, `freshet restore` and `freshet check`. */
export function addBackupCommands(
  program: Command,
  {
    guard,
    terminal,
    withLog,
  }: { readonly guard: Guard; readonly terminal: () => Terminal; readonly withLog: (command: Command) => Command },
): void {
  program
    .command('backup')
    .description('Copy a data folder, also while freshet dev uses it: log, state, snapshots, checkpoints and models')
    .argument('<folder>', 'a folder for this backup; it must be empty or absent')
    .requiredOption('--data <folder>', 'the data folder')
    .action(
      guard(async (to: string, given: { readonly data: string }) =>
        (await import('./backup.ts')).runBackup(to, given, terminal(), createSystemClock()),
      ),
    )
  program
    .command('restore')
    .description('Compare a backup with its manifest, copy it into a new data folder, and check the result')
    .argument('<backup>', 'the folder of the backup')
    .requiredOption('--data <folder>', 'the data folder to make')
    .option('--no-check', 'only copy')
    .action(
      guard(async (backup: string, given: { readonly data: string; readonly check: boolean }) =>
        (await import('./restore.ts')).runRestore(backup, given, terminal()),
      ),
    )
  withRedis(withLog(program.command('check')))
    .description('Check that log, state and models fit together, as after a restore')
    .option(
      '--models <folder>',
      'the checkpoint folder of the trainer, which holds the models; default: the folder in --data, or the log in Kafka',
    )
    .option('--no-count', 'do not read the records of the log')
    .action(guard(async (given: CheckArguments) => (await import('./check.ts')).runCheck(given, terminal())))
}
