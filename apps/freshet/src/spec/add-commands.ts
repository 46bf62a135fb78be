import type { Command } from 'commander'
import type { Terminal } from '../operations/terminal.ts'
import type { EvalArguments } from './eval.ts'
import type { ExplainArguments } from './explain.ts'

/** Wraps a command so that its failure prints one line. */
type Guard = <Arguments extends readonly unknown[]>(
  run: (...given: Arguments) => Promise<void>,
) => (...given: Arguments) => Promise<void>

const rowsOption = ['--rows', 'the spec is for training rows and declares its inputs with types'] as const

const backendOption = ['--backend <name>', 'auto, tensorflow (native) or wasm', 'auto'] as const

/** Adds `freshet spec …`. */
export function addSpecCommands(program: Command, guard: Guard, terminal: () => Terminal): void {
  const spec = program.command('spec').description('Check, format, explain and compare ranking specs')
  // Imported when a command runs, because the transforms load TensorFlow.js.
  const commands = () => import('./command.ts')
  spec
    .command('check')
    .description('Compile specs and list all mistakes with line, column and what to write instead')
    .argument('<files...>', 'ranking specs (.rank)')
    .option(...rowsOption)
    .action(
      guard(async (files: string[], given: { rows?: boolean }) =>
        (await commands()).runSpecCheck(files, given, terminal()),
      ),
    )
  spec
    .command('format')
    .description('Print the canonical text of specs; comments stay')
    .argument('<files...>', 'ranking specs (.rank)')
    .option('--check', 'only say which files are not formatted; exit code 1 if there are any')
    .option('--write', 'write the canonical text to the files')
    .action(
      guard(async (files: string[], given: { check?: boolean; write?: boolean }) =>
        (await commands()).runSpecFormat(files, given, terminal()),
      ),
    )
  spec
    .command('explain')
    .description(
      'Show what a spec computes once per request and per candidate, with types, cost and shares of the utility',
    )
    .argument('<file>', 'ranking spec (.rank, .json)')
    .option('--model <file>', 'a trained model of this spec: show what each head adds to the utility')
    .option('--rows <file>', 'take mean predictions from these rows instead of the rows held out in training')
    .option(...backendOption)
    .option('--json', 'print one JSON object')
    .option('--dot', 'print the graph in the DOT language of Graphviz')
    .action(
      guard(async (file: string, given: ExplainArguments) =>
        (await import('./explain.ts')).runSpecExplain(file, given, terminal()),
      ),
    )
  spec
    .command('eval')
    .description('Compute a spec for rows, and print its named values, predictions and utility')
    .argument('<file>', 'ranking spec (.rank, .json)')
    .requiredOption('--rows <file>', 'rows: JSON lines (.jsonl, .jsonl.gz), as `freshet rows export` writes them')
    .option('--model <file>', 'a trained model of this spec; without it, only fixed values are computed')
    .option('--columns <names>', 'only these inputs and statements, separated by commas')
    .option('--limit <n>', 'read so many lines', '20')
    .option(...backendOption)
    .option('--json', 'print one JSON object')
    .action(
      guard(async (file: string, given: EvalArguments) =>
        (await import('./eval.ts')).runSpecEval(file, given, terminal()),
      ),
    )
  spec
    .command('diff')
    .description('Show what differs between two specs, statement by statement; layout and comments do not count')
    .argument('<before>', 'ranking spec (.rank)')
    .argument('<after>', 'ranking spec (.rank)')
    .option(...rowsOption)
    .action(
      guard(async (before: string, after: string, given: { rows?: boolean }) =>
        (await commands()).runSpecDiff(before, after, given, terminal()),
      ),
    )
  spec
    .command('init')
    .description('Print a first spec for a recording or for training rows, with the reason for each line')
    .argument('<file>', 'recording or rows (.jsonl, .jsonl.gz)')
    .action(guard(async (file: string) => (await import('./init.ts')).runSpecInit(file, terminal())))
  spec
    .command('language-server')
    .description(
      'Serve editors: mistakes, completion, hover, definitions and formatting, by the Language Server Protocol',
    )
    .option('--stdio', 'speak on standard input and output; always so')
    .action(
      guard(async () => {
        const { runLanguageServer } = await import('../language-server/command.ts')
        runLanguageServer()
      }),
    )
}
