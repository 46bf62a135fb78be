import { FeedServed } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import { readToEnd } from '@freshet/contracts/read-to-end'
import { specFileSource } from '@freshet/ranking/model/spec-file'
import { jsonSpecFile } from '@freshet/ranking/spec/spec'
import { chooseBackend, type BackendChoice, backendChoices } from '@freshet/ranking/tensor/backend'
import { createProgress } from '@freshet/service/progress'
import { ArgumentError } from '../arguments.ts'
import { modelStoreOf } from '../models/model-store.ts'
import { readRegistries } from '../models/registries.ts'
import { OperationError } from '../operations/errors.ts'
import { openLog, withOpen, type OpenLog, type PlatformArguments } from '../operations/platform.ts'
import type { Terminal } from '../operations/terminal.ts'
import { compareFeed } from './compare-feed.ts'
import { createModelShelf, type ModelShelf } from './model-shelf.ts'
import { createParityTally, parityLines, type ParityReport, type ParityTally } from './report.ts'

/** The options of `freshet parity`, as text. */
export interface ParityArguments extends PlatformArguments {
  /** The folder of models; default: that of the data folder, or those that the trainer published to the log. */
  readonly models?: string
  /** Specs whose models scored before any trained model. */
  readonly spec?: readonly string[]
  readonly backend: string
  readonly show: string
  readonly json?: boolean
}

const maxBatchRecords = 500
const maxLoadedModels = 64

/**
 * `freshet parity`: computes the numbers of served feeds again from what the feeds record, and compares bytes. Throws
 * PARITY_DIFFERS if a number differs or a record is damaged, and PARITY_EMPTY if no feed could be compared.
 */
export async function runParity(given: ParityArguments, terminal: Terminal): Promise<void> {
  const report = await withOpen(openLog(given), (open) => measureParity(open, given, terminal))
  if (given.json === true) terminal.write(`${JSON.stringify(report)}\n`)
  else for (const line of parityLines(report)) terminal.write(`${line}\n`)
  const { differingRows, leftOut, compared } = report
  if (differingRows > 0 || leftOut.damaged.feeds > 0)
    throw new OperationError(
      'PARITY_DIFFERS',
      `${differingRows} of ${compared.rows} rows differ, and ${leftOut.damaged.feeds} feeds are damaged. If the ranker runs on another backend than ${report.backend}, give --backend`,
    )
  if (compared.rows === 0)
    throw new OperationError('PARITY_EMPTY', 'no feed could be compared; the lines above say why')
}

async function measureParity(
  { log, clock }: Pick<OpenLog, 'log' | 'clock'>,
  given: ParityArguments,
  terminal: Terminal,
): Promise<ParityReport> {
  const { signal, progress: out, nowMs } = terminal
  const backend = await chooseBackend(backendOf(given.backend))
  const onError = (error: Error): void => void out.write(`freshet: ${error.message}; retrying\n`)
  const shelf = createModelShelf({
    registries: await readRegistries({ log, clock, signal, onError }),
    artefacts: modelStoreOf(given, { log, onError }),
    specs: [...(given.spec ?? []), null, jsonSpecFile].map(specFileSource),
    maxLoaded: maxLoadedModels,
  })
  const tally = createParityTally(showOf(given.show))
  const progress = createProgress({ label: 'computing again', unit: 'rows', total: null, out, nowMs })
  try {
    await readToEnd({
      log,
      topic: 'feeds-served.v1',
      maxBatchRecords,
      signal,
      onError,
      async onRecords(_partition, records) {
        for (const { value } of records) if (value !== null) progress.advance(await takeFeed(value, shelf, tally))
      },
    })
  } finally {
    await shelf.close()
  }
  progress.done()
  return tally.report(backend)
}

/** Compares one record. Resolves to the number of its rows. */
async function takeFeed(value: Uint8Array, shelf: ModelShelf, tally: ParityTally): Promise<number> {
  let rows = 0
  try {
    const served = FeedServed.decode(value)
    rows = served.pinIds.length
    const { modelVersion: version, versions, feedId } = served
    if (version === '') tally.leftOut('not-ranked', rows)
    else {
      const result = await shelf.use(version, versions?.rankingPlan ?? '', (model) => compareFeed(served, model))
      if ('missing' in result) tally.leftOut('no-model', rows, result.missing)
      else if ('problem' in result) tally.leftOut(result.cause, rows, `feed ${feedId}: ${result.problem}`)
      else tally.compared(version, result)
    }
  } catch (error) {
    tally.leftOut('damaged', rows, (error as Error).message)
  }
  return rows
}

function backendOf(text: string): BackendChoice {
  const found = backendChoices.find((choice) => choice === text)
  if (found === undefined) throw new ArgumentError(`--backend is ${text}; choose one of ${backendChoices.join(', ')}`)
  return found
}

function showOf(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new ArgumentError(`--show is ${text}; give a number of differences to print`)
  return Number(text)
}
