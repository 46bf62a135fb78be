import { createSystemClock } from '@freshet/adapters/system/clock'
import { createProgress } from '@freshet/service/progress'
import { ContractError, isContractError } from '@freshet/contracts/errors'
import { parseTime } from '@freshet/contracts/json/time'
import { whole } from '../arguments.ts'
import { OperationError } from '../operations/errors.ts'
import type { Terminal } from '../operations/terminal.ts'
import { collect } from './collect.ts'
import type { Destination } from './destination.ts'
import { openFolderDestination } from './into-folder.ts'
import { openServicesDestination } from './into-services.ts'
import { planFile, type FilePlan, type PlanOptions } from './plan.ts'
import { ImportError } from './problem.ts'
import { parseMap } from './rules.ts'
import { createSorter, type Sortable, type Sorter } from './sorter.ts'
import { newTally, countRefused, refuseRow, formatTable, type Tally } from './tally.ts'
import { timeUnits, type TimeUnit } from './times.ts'

/** The arguments of the command, as text. */
export interface ImportArguments {
  readonly as?: string
  readonly map?: readonly string[]
  readonly timeUnit?: string
  readonly occurredAt?: string
  readonly delimiter?: string
  readonly quote?: string
  readonly columns?: string
  readonly listSeparator?: string
  readonly encoding?: string
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
const dayMs = 86_400_000

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
  const plans: FilePlan[] = []
  for (const file of files) plans.push(await planFile(file, options))
  // Pins first, so that the catalogue has the pins of the engagements.
  plans.sort((a, b) => Number(isEngagements(a)) - Number(isEngagements(b)))
  for (const { lines } of plans) for (const line of lines) terminal.write(`${line}\n`)

  const tally = newTally()
  const sorter = createSorter()
  if (given.dryRun === true) {
    try {
      await readAll(plans, null, { sorter, tally, nowMs }, terminal)
    } finally {
      sorter.close()
    }
    writeTable(terminal, { ...tally, engagements: sorter.size() }, null, 0)
    terminal.write('dry run: nothing was written\n')
    return failIfRefused(tally)
  }
  const destination = await openDestination(given, terminal, env)
  try {
    const { seenPins } = await readAll(plans, destination, { sorter, tally, nowMs }, terminal)
    const made = await makePins(destination, seenPins, given.makePins ?? given.target === undefined, terminal)
    await post(destination, plans, sorter, tally, terminal)
    const applied = await destination.applied()
    writeTable(terminal, tally, applied, made, given.target === undefined)
    terminal.write(`${rateLine(tally.read, terminal.nowMs() - startedMs)}\nnext: ${destination.next}\n`)
    if (applied !== null && applied.applied + applied.erased + applied.duplicate < tally.engagements)
      throw new OperationError(
        'EVENTS_NOT_APPLIED',
        `${tally.engagements} engagements were accepted but only ${applied.applied} were applied; \`freshet dlq list\` shows the others`,
      )
  } finally {
    sorter.close()
    await destination.close()
  }
  failIfRefused(tally)
}

function isEngagements(plan: FilePlan): boolean {
  return plan.kind === 'recording' || plan.as === 'engagements'
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

async function readAll(
  plans: readonly FilePlan[],
  destination: Destination | null,
  { sorter, tally, nowMs }: { readonly sorter: Sorter; readonly tally: Tally; readonly nowMs: number },
  terminal: Terminal,
): Promise<{ readonly seenPins: ReadonlySet<string> }> {
  const seenPins = new Set<string>()
  const totalBytes = plans.reduce((sum, { sample }) => sum + sample.fileBytes, 0)
  let readBytes = 0
  const left = { pin: destination === null ? shownEvents : 0, engagement: destination === null ? shownEvents : 0 }
  const progress = createProgress({
    label: destination === null ? 'reading' : 'reading and checking',
    unit: 'rows',
    total: null,
    share: () => readBytes / totalBytes,
    out: terminal.progress,
    nowMs: terminal.nowMs,
  })
  await collect(plans, {
    destination,
    sorter,
    tally,
    seenPins,
    nowMs,
    rejectFutureMs: dayMs,
    progress,
    onRead: (bytes) => {
      readBytes += bytes
    },
    onEvent: (kind, event) => {
      if (left[kind]-- > 0) terminal.write(`would post ${kind}: ${JSON.stringify(event)}\n`)
    },
    signal: terminal.signal,
  })
  progress.done()
  return { seenPins }
}

/** Creates catalogue entries that contain only the id for pins without one, because feeds never show pins without an entry. Returns their number. */
async function makePins(
  destination: Destination,
  seenPins: ReadonlySet<string>,
  isWanted: boolean,
  terminal: Terminal,
): Promise<number> {
  const missing = await destination.missingPins(seenPins)
  if (missing === null) {
    terminal.write(
      `the engagements have ${seenPins.size} pins; feeds will not show those without a catalogue entry (import a catalogue, or give --operations URL and --make-pins)\n`,
    )
    return 0
  }
  if (missing.length === 0) return 0
  const some = missing.slice(0, 3).join(', ')
  if (!isWanted) {
    terminal.write(
      `${missing.length} pins have no catalogue entry (${some}, …): Freshet learns from them, but feeds never show them; --make-pins creates entries\n`,
    )
    return 0
  }
  for (let at = 0; at < missing.length; at += destination.batchEvents)
    await destination.takePins(missing.slice(at, at + destination.batchEvents).map((pinId) => ({ pinId })))
  terminal.write(
    `${missing.length} pins had no catalogue entry (${some}, …): the import created one for each, with the id alone, so that feeds can show them (--no-make-pins prevents this; import a catalogue to give them titles and topics)\n`,
  )
  return missing.length
}

async function post(
  destination: Destination,
  plans: readonly FilePlan[],
  sorter: Sorter,
  tally: Tally,
  terminal: Terminal,
): Promise<void> {
  const progress = createProgress({
    label: 'writing',
    unit: 'engagements',
    total: sorter.size(),
    out: terminal.progress,
    nowMs: terminal.nowMs,
  })
  let batch: Sortable[] = []
  const flush = async (): Promise<void> => {
    const events = batch
    batch = []
    if (events.length === 0) return
    terminal.signal.throwIfAborted()
    const outcomes = await destination.takeEngagements(events)
    outcomes.forEach((outcome, at) => {
      const event = events[at]
      if (outcome === null) tally.engagements++
      else if (event !== undefined) refuseRow(tally, `${plans[event.file]?.sample.file ?? ''}:${event.line}`, outcome)
    })
    progress.advance(events.length)
  }
  for await (const event of sorter.sorted()) {
    batch.push(event)
    if (batch.length >= destination.batchEvents) await flush()
  }
  await flush()
  if (sorter.size() > 0) progress.done()
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

function parseOptions(given: ImportArguments, nowMs: number): PlanOptions {
  const { as, timeUnit, occurredAt, delimiter, quote, encoding } = given
  if (as !== undefined && as !== 'engagements' && as !== 'pins')
    throw new ImportError('', `--as is ${as}; give engagements or pins`)
  if (timeUnit !== undefined && !timeUnits.includes(timeUnit as TimeUnit))
    throw new ImportError('', `--time-unit is ${timeUnit}; give ${timeUnits.join(', ')}`)
  if (occurredAt !== undefined && Number.isNaN(parseTime(occurredAt)))
    throw new ImportError('', `--occurred-at is ${occurredAt}; give a time such as 2026-01-31T12:00:00.000Z`)
  if (encoding !== undefined && encoding !== 'utf8' && encoding !== 'latin1')
    throw new ImportError('', `--encoding is ${encoding}; give utf8 or latin1`)
  if (quote !== undefined && quote !== 'none' && quote.length !== 1)
    throw new ImportError('', `--quote is ${quote}; give one character, or none`)
  return {
    as: as ?? null,
    map: parseMap(given.map ?? []),
    timeUnit: (timeUnit as TimeUnit | undefined) ?? null,
    occurredAt: occurredAt ?? null,
    delimiter: delimiter === undefined ? null : delimiter === 'tab' || delimiter === '\\t' ? '\t' : delimiter,
    quote: quote === undefined ? undefined : quote === 'none' ? null : quote,
    columns: given.columns === undefined ? null : given.columns.split(',').map((name) => name.trim()),
    listSeparator: given.listSeparator ?? null,
    encoding: encoding ?? null,
    nowMs,
  }
}
