import type { FigureTable } from '../harness/figures.ts'
import type { DayFigures, WorldReport } from './protocol.ts'

/** The days of several policies in one world beside each other, as text. */
export function table(reports: readonly WorldReport[]): string {
  const row = (first: string, cell: (report: WorldReport) => string): string =>
    first.padEnd(28) + reports.map((report) => cell(report).padStart(10)).join('')
  const ofDays = (title: string, figure: (day: DayFigures) => string): string[] =>
    Array.from({ length: Math.max(...reports.map(({ days }) => days.length)) }, (_, at) =>
      row(`${title}, day ${at + 1}`, ({ days }) => (days[at] === undefined ? '–' : figure(days[at]))),
    )
  return [
    row(`seed ${reports[0]?.seed ?? ''}`, ({ policy }) => policy),
    ...ofDays('share of the best', ({ shareOfBest }) => shareOfBest.toFixed(3)),
    row('mean from day 2 on', ({ shareOfBest }) => shareOfBest.toFixed(3)),
    ...ofDays('saves per feed', ({ savesPerFeed }) => savesPerFeed.toFixed(3)),
    row('feeds', ({ days }) => String(days.reduce((sum, { feeds }) => sum + feeds, 0))),
    row('regret, saves', ({ regret }) => regret.toFixed(0)),
    row('users on the last day', ({ returning }) => `${(returning * 100).toFixed(0)} %`),
    row('coverage, last day', ({ days }) => (days.at(-1)?.coverage ?? 0).toFixed(3)),
    row('new pins with a chance', ({ newPins }) => `${(newPins * 100).toFixed(0)} %`),
    ...['save', 'click', 'closeup', 'hide'].map((action) =>
      row(`calibration of ${action}`, ({ calibration }) => calibration[action]?.toFixed(2) ?? '–'),
    ),
  ].join('\n')
}

/** Reports as figures of a file. */
export function figuresOfReports(reports: readonly WorldReport[]): Omit<FigureTable, 'problems'> {
  const days = Math.max(0, ...reports.map((report) => report.days.length))
  const columns = [
    ...Array.from({ length: days }, (_, at) => `day ${at + 1}`),
    ...['mean from day 2 on', 'regret, saves', 'users on the last day'],
  ]
  return {
    columns,
    rows: reports.map((report) => ({
      key: `${report.policy}, seed ${report.seed}`,
      cells: [
        ...Array.from({ length: days }, (_, at) => report.days[at]?.shareOfBest.toFixed(3) ?? ''),
        report.shareOfBest.toFixed(3),
        report.regret.toFixed(0),
        `${(report.returning * 100).toFixed(0)} %`,
      ],
    })),
  }
}

/** The mean share of the best value by policy, over several seeds, as text. */
export function summary(reports: readonly WorldReport[]): string {
  const byPolicy = Map.groupBy(reports, ({ policy }) => policy)
  return [...byPolicy]
    .map(([policy, own]) => {
      const shares = own.map(({ shareOfBest }) => shareOfBest)
      const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length
      return `${policy}: ${mean.toFixed(3)} of the best, mean of ${shares.length} seeds (${shares.map((share) => share.toFixed(3)).join(', ')})`
    })
    .join('\n')
}
