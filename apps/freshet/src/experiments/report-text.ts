import type { Adjusted } from '@freshet/experiments/statistics/adjust'
import type { Estimate } from '@freshet/experiments/statistics/compare'
import type { Collected } from './collect.ts'
import type { ExperimentReport } from './judge.ts'

/** A report as lines of text. */
export function reportLines(
  reports: readonly ExperimentReport[],
  { feeds, damaged }: Pick<Collected, 'feeds' | 'damaged'>,
  level: number,
): string[] {
  const lost = damaged === 0 ? '' : `; ${damaged} records cannot be read`
  return [
    `${feeds} feeds${lost}. Intervals of ${Math.round(100 * level)} %, variances by user`,
    ...reports.flatMap((report) => ['', ...experimentLines(report)]),
  ]
}

function experimentLines(report: ExperimentReport): string[] {
  const { layer, experiment, unit, control, isPlanned, arms, sampleRatio, warnings } = report
  const guessed = isPlanned ? '' : ' (not in an experiment file: the arm with the first buckets)'
  return [
    `experiment ${experiment} of the layer ${layer}, drawn by ${unit}; control ${control}${guessed}`,
    ...arms.map(({ arm, users, feeds }, at) => {
      const share =
        sampleRatio === null
          ? ''
          : `, ${percent(sampleRatio.observed[at]!)} of ${percent(sampleRatio.expected[at]!)} expected`
      return `  ${arm.padEnd(16)} ${users} users, ${feeds} feeds${share}`
    }),
    ...(sampleRatio === null
      ? []
      : [`  sample ratio: p ${pText(sampleRatio.p)}${sampleRatio.isMismatch ? ', MISMATCH' : ''}`]),
    ...warnings.map((text) => `  warning: ${text}`),
    ...metricLines(report),
  ]
}

function metricLines({ arms }: ExperimentReport): string[] {
  const isAdjusted = arms.some(({ metrics }) => metrics.some(({ adjusted }) => adjusted !== null))
  const title = ['', 'arm', 'value', 'difference', 'relative', 'p']
  const rows = [isAdjusted ? [...title, 'adjusted', 'p', 'variance'] : title]
  const isSeen = (at: number): boolean => arms.some(({ metrics }) => metrics[at]!.estimate.value !== 0)
  for (const [at, { metric }] of (arms[0]?.metrics ?? []).entries())
    for (const { arm, metrics } of isSeen(at) ? arms : []) {
      const { estimate, difference, adjusted } = metrics[at]!
      const name = arm === arms[0]!.arm ? metric : ''
      if (difference === null)
        rows.push([name, arm, interval(estimate, 1, false), '', '', '', ...adjustedCells(null, isAdjusted)])
      else {
        const { absolute, relative, p } = difference
        const ratio = relative === null ? 'the control is 0' : `${interval(relative, 100, true)} %`
        const cells = [name, arm, interval(estimate, 1, false), interval(absolute, 1, true), ratio, pText(p)]
        rows.push([...cells, ...adjustedCells(adjusted, isAdjusted)])
      }
    }
  return [
    ...tableLines(rows),
    ...neverLines((arms[0]?.metrics ?? []).flatMap(({ metric }, at) => (isSeen(at) ? [] : [metric]))),
  ]
}

function adjustedCells(adjusted: Adjusted | null, isAdjusted: boolean): string[] {
  if (!isAdjusted) return []
  if (adjusted === null) return ['', '', '']
  const { absolute, p, varianceReduction } = adjusted
  return [interval(absolute, 1, true), pText(p), `−${(100 * varianceReduction).toFixed(0)} %`]
}

/** A line about metrics that are 0 everywhere. */
export function neverLines(metrics: readonly string[]): string[] {
  return metrics.length === 0 ? [] : [`  0 everywhere: ${metrics.join(', ')}`]
}

/** Rows of cells as aligned lines. */
export function tableLines(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, at) => Math.max(...rows.map((cells) => cells[at]!.length)))
  return rows.map((cells) => `  ${cells.map((cell, at) => cell.padEnd(widths[at]!)).join('  ')}`.trimEnd())
}

/** A number with its interval, for example `+1.2 [−0.1, +2.5]`. */
export function interval({ value, low, high }: Estimate, times: number, signed: boolean): string {
  const digits = Number.isFinite(high - low) ? digitsFor(Math.abs(high - low) * times) : 4
  const [middle, from, to] = [value, low, high].map((each) => number(each * times, digits, signed))
  return `${middle} [${from}, ${to}]`
}

/** Two digits of the width of an interval. */
function digitsFor(width: number): number {
  return width > 0 ? Math.min(6, Math.max(0, 1 - Math.floor(Math.log10(width)))) : 4
}

function number(value: number, digits: number, signed: boolean): string {
  if (!Number.isFinite(value)) return '–'
  const text = Math.abs(value).toFixed(digits)
  const sign = value < 0 && Number(text) !== 0 ? '−' : signed ? '+' : ''
  return `${sign}${text}`
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`
}

/** A p-value: three digits, or that it is smaller. */
export function pText(p: number): string {
  if (!Number.isFinite(p)) return '–'
  return p < 0.001 ? '< .001' : p.toFixed(3).replace(/^0/, '')
}
