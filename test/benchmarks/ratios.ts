import { median } from './bench.ts'
import type { BenchRow } from './row.ts'

/** What a row reached when it was kept. */
export interface KeptFigure {
  /** The ratio to the reference; of a row without one, its value. */
  readonly figure: number
  /** (largest − smallest) ÷ median of the runs that it was kept from; of a single run, `noiseOfOneRun`. */
  readonly noise: number
  readonly runs: number
}

/** Figures by the name of their row. */
export type KeptFigures = Readonly<Record<string, KeptFigure>>

/** How a row compares with what was kept of it. `change` is relative; above 0 is worse. */
export interface Comparison {
  readonly name: string
  readonly now: KeptFigure
  readonly kept: KeptFigure | null
  readonly change: number
  /** A change up to this is noise. */
  readonly tolerance: number
  readonly verdict: 'new' | 'as before' | 'better' | 'WORSE'
}

/** A change below this is never reported: clocks and schedulers alone make as much. */
const leastTolerance = 0.1

/** One run does not show its noise. This is what whole-process figures of shared machines vary by from run to run. */
const noiseOfOneRun = 0.3

/** The figures of several runs of the same rows. Rows without an aim are left out, because they have no better and worse. */
export function figuresOf(runs: readonly (readonly BenchRow[])[]): KeptFigures {
  const byName = new Map<string, number[]>()
  for (const { name, value, ratio, aim } of runs.flat()) {
    if (directionOf(aim) === 0) continue
    const figure = ratio ?? value
    if (Number.isFinite(figure)) byName.set(name, [...(byName.get(name) ?? []), figure])
  }
  return Object.fromEntries(
    [...byName].map(([name, figures]) => {
      const figure = median(figures)
      const spread = Math.max(...figures) - Math.min(...figures)
      return [
        name,
        {
          figure,
          noise: figures.length === 1 ? noiseOfOneRun : figure === 0 ? 0 : spread / figure,
          runs: figures.length,
        },
      ]
    }),
  )
}

/** Compares the rows of some runs with what was kept. A change within the noise of either side is no change. */
export function compareFigures(kept: KeptFigures, now: KeptFigures, rows: readonly BenchRow[]): readonly Comparison[] {
  const aims = new Map(rows.map(({ name, aim }) => [name, aim]))
  return Object.entries(now).map(([name, figure]) => {
    const before = kept[name] ?? null
    if (before === null) return { name, now: figure, kept: null, change: 0, tolerance: 0, verdict: 'new' }
    const grown = before.figure === figure.figure ? 0 : (figure.figure - before.figure) / Math.abs(before.figure)
    const change = grown * directionOf(aims.get(name) ?? '')
    const tolerance = Math.max(leastTolerance, before.noise, figure.noise)
    const verdict = change > tolerance ? 'WORSE' : change < -tolerance ? 'better' : 'as before'
    return { name, now: figure, kept: before, change, tolerance, verdict }
  })
}

/** Comparisons as lines for a terminal. */
export function formatComparisons(comparisons: readonly Comparison[]): string {
  return comparisons
    .map(({ name, now, kept, change, tolerance, verdict }) => {
      const before = kept === null ? 'not kept yet' : `kept ${rounded(kept.figure)}, ${percent(change)} worse`
      return `${verdict.padEnd(9)}  ${name}: ${rounded(now.figure)} (${before}; noise ${percent(tolerance)})`
    })
    .join('\n')
}

/** 1: smaller is better; −1: larger is better; 0: the aim says neither. */
function directionOf(aim: string): 1 | -1 | 0 {
  if (/[≤<]/.test(aim)) return 1
  return /[≥>]/.test(aim) ? -1 : 0
}

function rounded(value: number): string {
  return String(Number(value.toPrecision(3)))
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`
}
