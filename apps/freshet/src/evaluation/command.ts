import { createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import { sourceDefinitions } from '@freshet/retrieval/source-definitions'
import { createProgress } from '@freshet/service/progress'
import { ArgumentError, refuse, whole } from '../arguments.ts'
import { evaluate, formatAsk, type Ask, type EvaluationReport, type TimeWindow } from './evaluate.ts'
import { openTarget, type TargetArguments } from './open-target.ts'
import { parseTime, readRecordings } from './recording.ts'
import { createRowsFile, type RowsFile } from './training-rows.ts'

/** The arguments of the command, as text. */
export interface EvaluateArguments extends TargetArguments {
  readonly ask: string
  readonly refresh: string
  readonly k: string
  readonly repeats?: string
  readonly every: string
  readonly answers?: string
  readonly json?: boolean
  readonly from?: string
  readonly until?: string
  readonly rows?: string
  readonly negatives: string
}

/** `freshet evaluate`: replays recordings, asks their questions and prints the figures. */
export async function runEvaluate(recordings: readonly string[], given: EvaluateArguments): Promise<void> {
  const cutoffs = given.k.split(',').map((text) => whole(text, '--k', 1, 100))
  cutoffs.sort((a, b) => a - b)
  const asks = given.ask.split(',').map(parseAsk)
  const options = {
    // A feed needs the ranker, so the target is created for it if any ask is a feed.
    ask: asks.find(({ kind }) => kind === 'feed') ?? asks[0]!,
    repeats: choice(given.repeats, '--repeats', { allow: true, forbid: false }),
    depth: cutoffs.at(-1) ?? 20,
    refresh:
      given.refresh === 'mark' || given.refresh === 'event'
        ? given.refresh
        : refuse(`--refresh is ${given.refresh}; give event or mark`),
  } as const
  const every = whole(given.every, '--every', 1, 1_000_000)
  const window = parseWindow(given)
  const rows = openRows(given, options.ask)
  const target = await openTarget(given, { ...options, asks, window, rows })
  const answers = given.answers === undefined ? null : createWriteStream(given.answers)
  const progress = createProgress({
    label: 'replaying',
    unit: 'lines',
    total: null,
    out: process.stderr,
    nowMs: () => performance.now(),
  })
  try {
    const reports = await evaluate(readRecordings(recordings), target, {
      asks,
      cutoffs,
      every,
      window,
      elapsedMs: () => performance.now(),
      onLine: () => progress.advance(),
      onAnswer: (answer) => answers?.write(`${JSON.stringify(answer)}\n`),
    })
    progress.done()
    if (rows !== null) {
      const written = await rows.close()
      process.stderr.write(
        `${given.rows}: ${written.rows} rows of ${written.questions} questions, ${written.targets} of them targets\n`,
      )
    }
    for (const [at, report] of reports.entries()) {
      const ask = formatAsk(asks[at]!)
      const named = asks.length > 1 ? { ask, ...report } : report
      process.stdout.write(
        given.json === true ? `${JSON.stringify(named)}\n` : table(report, { ask, refresh: given.refresh, every }),
      )
    }
  } finally {
    if (answers !== null) {
      answers.end()
      await finished(answers)
    }
    await target.close()
  }
}

function parseAsk(text: string): Ask {
  if (text === 'candidates' || text === 'feed' || text === 'related') return { kind: text }
  const [, kind, named] = /^(source|without):(.*)$/.exec(text) ?? []
  if (named === undefined)
    throw new ArgumentError(`--ask is ${text}; give candidates, source:NAME, without:NAME, feed or related`)
  const names = sourceDefinitions.map(({ name }) => name)
  const sources = named.split('+')
  if (!sources.every((source) => names.includes(source)))
    throw new ArgumentError(`--ask is ${text}, which is not a source; sources are ${names.join(', ')}`)
  return { kind: kind === 'source' ? 'source' : 'without', sources }
}

/** The questions to ask by their time, and when to stop reading. */
function parseWindow({ from, until }: EvaluateArguments): TimeWindow {
  const time = (text: string | undefined, name: string, otherwise: number): number =>
    text === undefined
      ? otherwise
      : (parseTime(text) ?? refuse(`${name} is ${text}; give an RFC 3339 time, for example 2026-01-31T08:00:00.000Z`))
  const window = { fromMs: time(from, '--from', -Infinity), untilMs: time(until, '--until', Infinity) }
  return window.fromMs < window.untilMs ? window : refuse(`--from is ${from}, which is not before --until ${until}`)
}

/** Negatives of a question that always become rows: the first candidates, among which the order matters most. */
const firstNegatives = 20

function openRows({ rows, negatives, target }: EvaluateArguments, ask: Ask): RowsFile | null {
  const drawn = whole(negatives, '--negatives', 1, 2000)
  if (rows === undefined) return null
  if (ask.kind !== 'feed') throw new ArgumentError('--rows needs --ask feed: a row holds what the ranker read')
  if (target !== undefined) throw new ArgumentError('--rows needs the services in this process; leave --target out')
  return createRowsFile(rows, { first: firstNegatives, drawn }, 1)
}

function choice<T>(text: string | undefined, name: string, choices: Readonly<Record<string, T>>): T | null {
  if (text === undefined) return null
  const value = choices[text]
  return value === undefined ? refuse(`${name} is ${text}; give ${Object.keys(choices).join(' or ')}`) : value
}

function table(
  report: EvaluationReport,
  { ask, refresh, every }: { readonly ask: string; readonly refresh: string; readonly every: number },
): string {
  const percent = (value: number): string => (value * 100).toFixed(2)
  const lines = [
    `asked ${ask}, refreshed per ${refresh}: ${report.questions} questions (every ${every}), ${report.answered} answered, ${report.events} events`,
    `${report.seconds.toFixed(1)} s, ${Math.round(report.eventsPerSecond)} events/s, a question p50 ${report.latencyMs.p50.toFixed(2)} ms, p99 ${report.latencyMs.p99.toFixed(2)} ms`,
    `${'figure'.padEnd(12)}${'all'.padStart(9)}${'groups'.padStart(9)}  (%; groups: mean over groups)`,
    ...Object.entries(report.metrics).map(([name, value]) => {
      const mean = report.meanOverGroups[name]
      return `${name.padEnd(12)}${percent(value).padStart(9)}${(mean === undefined ? '–' : percent(mean)).padStart(9)}`
    }),
    ...Object.entries(report).flatMap(([name, value]) =>
      name.startsWith('coverage@') ? [`${name.padEnd(12)}${String(value).padStart(9)}`] : [],
    ),
  ]
  return `${lines.join('\n')}\n`
}
