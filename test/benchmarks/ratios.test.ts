import { describe, expect, it } from 'vitest'
import { compareFigures, figuresOf, formatComparisons, type KeptFigures } from './ratios.ts'
import { comparedRow, plainRow, type BenchRow } from './row.ts'

const p50 = (value: number) =>
  comparedRow({ name: 'p50', value, referenceValue: 1, unit: 'ms', aim: 'ratio ≤ 5', reference: 'echo', note: '' })
const speed = (value: number) => plainRow('speed', value, 'steps/s', '≥ 10', '')
const kept: KeptFigures = {
  p50: { figure: 4, noise: 0.05, runs: 3 },
  speed: { figure: 12, noise: 0.05, runs: 3 },
}
const verdicts = (rows: readonly BenchRow[]) =>
  Object.fromEntries(compareFigures(kept, figuresOf([rows]), rows).map(({ name, verdict }) => [name, verdict]))

describe('figuresOf', () => {
  it('takes the median of the runs and their spread, and leaves out rows without an aim', () => {
    const runs = [4, 5, 4.4].map((value) => [p50(value), plainRow('other', value, 'ms', '', '')])
    const figures = figuresOf(runs)
    expect(Object.keys(figures)).toEqual(['p50'])
    expect(figures['p50']).toMatchObject({ figure: 4.4, runs: 3 })
    expect(figures['p50']!.noise).toBeCloseTo(1 / 4.4)
  })
})

describe('compareFigures', () => {
  it('knows for each aim which way is worse', () => {
    expect(verdicts([p50(6), speed(12)])).toEqual({ p50: 'WORSE', speed: 'as before' })
    expect(verdicts([p50(2), speed(8)])).toEqual({ p50: 'better', speed: 'WORSE' })
    expect(verdicts([p50(4.3), speed(18)])).toEqual({ p50: 'as before', speed: 'better' })
  })

  it('takes no change within the noise of the runs for one', () => {
    const runs = [3.5, 5, 5.5].map((value) => [p50(value)])
    const [comparison] = compareFigures(kept, figuresOf(runs), runs.flat())
    expect(comparison).toMatchObject({ verdict: 'as before', tolerance: 0.4 })
  })

  it('names rows that were not kept', () => {
    const rows = [{ ...p50(4), name: 'new row' }]
    const comparisons = compareFigures(kept, figuresOf([rows]), rows)
    expect(formatComparisons(comparisons)).toBe('new        new row: 4 (not kept yet; noise 0 %)')
  })
})
