import { createSystemClock } from '@freshet/adapters/system/clock'
import type { Command } from 'commander'
import type { Terminal } from '../operations/terminal.ts'
import type { CheckArguments } from './check.ts'

/** Wraps a command so that its failure prints one line. */
type Guard = <Arguments extends readonly unknown[]>(
  run: (...given: Arguments) => Promise<void>,
) => (...given: Arguments) => Promise<void>

/** Adds `freshet connectors …`. */
export function addConnectorCommands(program: Command, guard: Guard, terminal: () => Terminal): void {
  program
    .command('connectors')
    .description('Check how event-ingest reads the events of other systems')
    .command('check')
    .description('List all mistakes of a mapping file, or show how it reads events')
    .argument('<file>', 'the mapping file (ingest.connectors.file)')
    .option('--event <file>', 'JSON file with an event, a list of them, or a batch as Segment sends it')
    .option('--format <name>', 'cloudevents, segment or json; default: what the event looks like')
    .action(
      guard(async (file: string, given: CheckArguments) =>
        (await import('./check.ts')).runConnectorsCheck(file, given, terminal(), createSystemClock().now()),
      ),
    )
}
