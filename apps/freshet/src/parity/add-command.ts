import type { Command } from 'commander'
import type { Terminal } from '../operations/terminal.ts'
import type { ParityArguments } from './command.ts'

/** Wraps a command so that its failure prints one line. */
type Guard = (run: (given: ParityArguments) => Promise<void>) => (given: ParityArguments) => Promise<void>

/** Adds `freshet parity` to a command that selects the log. */
export function describeParity(command: Command, guard: Guard, terminal: () => Terminal): void {
  command
    .description('Compute served feeds again from what they record, and compare every number to the last bit')
    .option(
      '--models <folder>',
      'the checkpoint folder of the trainer; default: the folder in --data, or the log in Kafka',
    )
    .option(
      '--spec <file>',
      'the ranking spec of feeds that no trained model scored; repeat it for several. The spec that ships is always among them',
      (file: string, before: readonly string[] | undefined) => [...(before ?? []), file],
    )
    .option('--backend <name>', 'auto, tensorflow (native) or wasm: that of the ranker', 'auto')
    .option('--show <n>', 'how many differences to print', '20')
    .option('--json', 'print everything as one JSON object')
    // Imported when the command runs, because models load TensorFlow.js.
    .action(guard(async (given) => (await import('./command.ts')).runParity(given, terminal())))
}
