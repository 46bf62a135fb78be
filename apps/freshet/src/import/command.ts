import { createSystemClock } from '@freshet/adapters/system/clock'
import { createProgress } from '@freshet/service/progress'
import { ContractError, isContractError } from '@freshet/contracts/errors'
import { whole } from '../arguments.ts'
import { OperationError } from '../operations/errors.ts'
import type { Terminal } from '../operations/terminal.ts'
import type { Destination } from './destination.ts'
import { openFolderDestination } from './into-folder.ts'
import { openServicesDestination } from './into-services.ts'
import { parseOptions, type ReadingArguments } from './options.ts'
import { planFile, type FilePlan } from './plan.ts'
import { ImportError } from './problem.ts'
import { importFiles, pinsFirst, type ImportWatch } from './run.ts'
import { countRefused, formatTable, type Tally } from './tally.ts'

/** The arguments of the command, as text. */
export interface ImportArguments extends ReadingArguments {
  readonly data?: string
  readonly target?: string
  readonly operations?: string
  readonly ledger?: string
  readonly partitions: string
  /** Whether to create catalogue entries for pins without one. Default: only for a data folder. */
  readonly makePins?: boolean
  readonly resend?: boolean
  readonly dryRun?: boolean
}

/** Number of pins and of engagements that a dry run prints. */
const shownEvents = 3
/** The default data folder of `freshet dev`. */
const defaultFolder = '.freshet/data'

/**
 * `freshet import FILE…`: turns the rows of files into pins and engagements and writes them, in the order of their times, to a
 * data folder or to running services. A second run changes nothing.
 */
export async function runImport(
  files: readonly string[],
  given: ImportArguments,
  terminal: Terminal,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<void> {
  if (given.data !== undefined && given.target !== undefined)
    throw new ImportError('', 'give --data FOLDER or --target URL, not both')
  const nowMs = createSystemClock().now()
  const startedMs = terminal.nowMs()
  const options = parseOptions(given, nowMs)
  const planned: FilePlan[] = []
  for (const file of files) planned.push(await planFile(file, options))
  const plans = pinsFirst(planned)
  for (const { lines } of plans) for (const line of lines) terminal.write(`${line}\n`)

  const isDry = given.dryRun === true
  const watch = watchOn(terminal, isDry ? shownEvents : 0)
  if (isDry) {
    const { tally } = await importFiles(plans, null, { nowMs, makePins: false }, watch)
    writeTable(terminal, tally, null, 0)
    terminal.write('dry run: nothing was written\n')
    return failIfRefused(tally)
  }
  const makePins = given.makePins ?? given.target === undefined
  const destination = await openDestination(given, terminal, env)
  try {
    const { tally, applied, madePins } = await importFiles(plans, destination, { nowMs, makePins }, watch)
    writeTable(terminal, tally, applied, madePins, given.target === undefined)
    terminal.write(`${rateLine(tally.read, terminal.nowMs() - startedMs)}\nnext: ${destination.next}\n`)
    if (applied !== null && applied.applied + applied.erased + applied.duplicate < tally.engagements)
      throw new OperationError(
        'EVENTS_NOT_APPLIED',
        `${tally.engagements} engagements were accepted but only ${applied.applied} were applied; \`freshet dlq list\` shows the others`,
      )
    failIfRefused(tally)
  } finally {
    await destination.close()
  }
}

/** Shows progress on the terminal, and the first events of each kind. */
function watchOn(terminal: Terminal, shown: number): ImportWatch {
  const left = { pin: shown, engagement: shown }
  return {
    begin: (phase) => createProgress({ ...phase, out: terminal.progress, nowMs: terminal.nowMs }),
    onEvent: (kind, event) => {
      if (left[kind]-- > 0) terminal.write(`would post ${kind}: ${JSON.stringify(event)}\n`)
    },
    onNotice: (text) => terminal.write(`${text}\n`),
    pause: () => Promise.resolve(),
    signal: terminal.signal,
  }
}

function openDestination(
  given: ImportArguments,
  terminal: Terminal,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Destination> {
  if (given.target !== undefined) return openServicesDestination(given.target, given, terminal)
  const folder = given.data ?? defaultFolder
  terminal.write(`writing to the data folder ${folder}\n`)
  const partitions = whole(given.partitions, '--partitions', 1, 1024)
  return openFolderDestination(folder, { partitions, terminal, env }).catch((error: unknown) => {
    if (!isContractError(error, 'STORE_IN_USE')) throw error
    const hint = 'stop it first, or post to it with --target http://localhost:8080 --operations http://localhost:9464'
    throw new ContractError('STORE_IN_USE', `${error.message}; ${hint}`, { cause: error })
  })
}

function writeTable(terminal: Terminal, ...table: Parameters<typeof formatTable>): void {
  for (const line of formatTable(...table)) terminal.write(`${line}\n`)
}

function rateLine(rows: number, tookMs: number): string {
  const seconds = Math.max(tookMs, 1) / 1000
  return `${rows.toLocaleString('en-US')} rows in ${seconds.toFixed(1)} s, ${Math.round(rows / seconds).toLocaleString('en-US')}/s`
}

function failIfRefused(tally: Tally): void {
  const refused = countRefused(tally)
  if (refused > 0)
    throw new OperationError('EVENTS_REJECTED', `${refused} of ${tally.read} rows were refused; the table shows why`)
}
