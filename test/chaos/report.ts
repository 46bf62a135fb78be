import { appendFileSync } from 'node:fs'
import type { FigureRow, FigureTable } from '../harness/figures.ts'
import type { FeedFigures } from '../harness/load.ts'
import type { RowOptions, RowResult } from './run-row.ts'

const percent = (share: number): string => (Number.isNaN(share) ? '–' : `${(100 * share).toFixed(1)} %`)
const wholeMs = (ms: number): string => (Number.isNaN(ms) ? '–' : `${ms.toFixed(0)} ms`)
const inSeconds = (ms: number | undefined): string => (ms === undefined ? '–' : `${(ms / 1000).toFixed(1)} s`)
const markOf = ({ problems }: Pick<RowResult, 'problems'>): string => (problems.length === 0 ? '✓' : '✗')
const sorted = ({ recoveriesMs }: RowResult): readonly number[] => recoveriesMs.toSorted((a, b) => a - b)

/** A row's result as lines for a terminal: what was injected, the oracle, the load, the feeds, the time to recover. */
export function formatResult(result: RowResult): string {
  const { feeds, feedsBefore, load } = result
  const times = sorted(result)
  const figures = (of: FeedFigures): string =>
    `${of.asked} asked, available ${percent(of.availability)}, degraded ${percent(of.degraded)}, p50 ${wholeMs(of.p50Ms)}, p99 ${wholeMs(of.p99Ms)}`
  return [
    `${markOf(result)} ${result.name}: ${result.injected}`,
    `    oracle    ${result.oracle.equation}`,
    `    load      ${load.eventsPerSecond.toFixed(0)} events/s accepted, ${load.feedsPerSecond.toFixed(1)} feeds/s answered over ${load.seconds.toFixed(0)} s, faults included; the generator took ${load.generatorCores.toFixed(2)} of a core`,
    `    feeds     ${figures(feeds)} (before: ${figures(feedsBefore)})`,
    ...feeds.causes.map(([cause, count]) => `    no feed   ${count} × ${cause}`),
    `    recovered ${times.length > 1 ? `p50 ${inSeconds(times[times.length >> 1])}, longest ${inSeconds(times.at(-1))} of ${times.length}` : inSeconds(times[0])}`,
    ...(result.obstacle === '' ? [] : [`              in the way: ${result.obstacle}`]),
    ...result.problems.map((problem) => `    PROBLEM   ${problem}`),
  ].join('\n')
}

/** All rows as one aligned table for a terminal. */
export function formatSummary(results: readonly RowResult[]): string {
  const lines = [
    [
      '',
      'row',
      'accepted',
      '= applied',
      '+ dead',
      'of them late',
      'events/s',
      'feeds/s',
      'available',
      'p99',
      'recovered, longest',
    ],
    ...results.map((result) => [
      markOf(result),
      result.name,
      String(result.oracle.accepted + result.oracle.writtenUnanswered + result.oracle.planted),
      String(result.oracle.applied),
      String(result.oracle.deadLettered),
      String(result.oracle.late),
      result.load.eventsPerSecond.toFixed(0),
      result.load.feedsPerSecond.toFixed(0),
      percent(result.feeds.availability),
      wholeMs(result.feeds.p99Ms),
      `${inSeconds(sorted(result).at(-1))} of ${result.recoveriesMs.length}`,
    ]),
  ]
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  const pad = (cell: string, column: number): string =>
    column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)
  return lines.map((line) => line.map(pad).join('  ').trimEnd()).join('\n')
}

/** Results as figures of a file, with the sum of all rows. */
export function figuresOfResults(results: readonly RowResult[]): Omit<FigureTable, 'problems'> {
  const inLog = ({ oracle }: RowResult): number => oracle.accepted + oracle.writtenUnanswered + oracle.planted
  const count = (number: number): string => number.toLocaleString('en')
  const rows = results.map((result): FigureRow => ({
    key: `${result.name}: ${result.injected}`,
    cells: [
      count(inLog(result)),
      result.problems.length === 0 ? '0' : result.problems.join('; '),
      percent(result.feeds.availability),
      wholeMs(result.feeds.p99Ms),
      inSeconds(sorted(result).at(-1)),
      result.oracle.equation,
    ],
  }))
  const broken = results.filter(({ problems }) => problems.length > 0).length
  const all = results.reduce((sum, result) => sum + inLog(result), 0)
  const total = { key: 'all runs', cells: [count(all), broken === 0 ? '0' : `in ${broken} runs`, '', '', '', ''] }
  return {
    columns: ['accepted', 'lost or doubled', 'feeds available', 'p99', 'recovered, longest', 'note'],
    rows: results.length > 1 ? [...rows, total] : rows,
  }
}

/** Adds a result to a file of JSON lines, with the load that was asked for. */
export function keepResult(file: string, result: RowResult, options: RowOptions): void {
  appendFileSync(file, `${JSON.stringify({ at: new Date().toISOString(), ...result, options })}\n`)
}
