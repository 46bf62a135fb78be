import type { InputStatistics } from '@freshet/ranking/artefact/manifest'
import { partSharesOf } from '@freshet/ranking/artefact/value-parts'
import { mulberry32 } from '@freshet/domain/mulberry32'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { healthSchema } from './config.ts'
import { createModelHealth, type ModelHealth, type ScoredPage } from './health.ts'
import { topRows } from './top-rows.ts'

const names = ['age', 'saves', 'hour_sin'] as const

/** Rows of features as training saw them: an age, a count that is mostly 0, and a constant of the hour. */
function rowsOf(
  rows: number,
  seed: number,
  given: { readonly age?: number; readonly zero?: number } = {},
): Float32Array {
  const random = mulberry32(seed)
  const { age = 1, zero = 0.6 } = given
  return Float32Array.from({ length: rows * names.length }, (_, at) => {
    if (at % names.length === 0) return age * random()
    if (at % names.length === 1) return random() < zero ? 0 : 1 + 9 * random()
    return seed
  })
}

const trainedRows = 20_000

function statisticsOf(values: Float32Array): InputStatistics {
  const sorted = values.toSorted()
  const quantiles = Array.from({ length: 11 }, (_, tenth) => sorted[Math.round((tenth / 10) * (values.length - 1))]!)
  const zeros = values.filter((value) => value === 0).length
  return {
    count: values.length,
    mean: 0,
    standardDeviation: 0,
    missingShare: 0,
    mostFrequentShare: zeros / values.length,
    quantiles,
    partShares: partSharesOf(values, quantiles, null),
  }
}

const trained = new Map(
  names.map((name, column) => {
    const rows = rowsOf(trainedRows, 1)
    const values = Float32Array.from({ length: trainedRows }, (_, row) => rows[row * names.length + column]!)
    return [name, statisticsOf(values)]
  }),
)

const model = { version: 'home-1', planVersion: 'plan', featureNames: names, trained }
const pageRows = 100
const utilities = Float32Array.from({ length: pageRows }, (_, row) => -row)

const settings = { everyPages: 1, topRows: 25, windowRows: 5_000 }

/** The scores of a page whose model read these features. */
function scoresOf(features: Float32Array): ScoredPage['scores'] {
  const row = (at: number): Float32Array => features.subarray(at * names.length, (at + 1) * names.length)
  const readRows = (rows: Int32Array) => ({ features: Float32Array.from([...rows].flatMap((at) => [...row(at)])) })
  return { utilities, readRows }
}

/** Shows enough pages for one window. */
function fill(health: ModelHealth, features: (page: number) => Float32Array, more: Partial<ScoredPage> = {}): void {
  for (let page = 0; page < 200; page++)
    health.observe({ model, scores: scoresOf(features(page)), session: '', ...more })
}

function aHealth(given: object = {}) {
  const warnings: string[] = []
  const health = createModelHealth(healthSchema.parse({ ...settings, ...given }), (text) => warnings.push(text))
  return { health, warnings }
}

describe('health of the features', () => {
  it('finds serving like training, and says nothing before a window is complete', () => {
    const { health, warnings } = aHealth()
    health.observe({ model, scores: scoresOf(rowsOf(pageRows, 2)), session: '' })
    expect(health.report()).toBeNull()
    fill(health, (page) => rowsOf(pageRows, 100 + page))
    const report = health.report()!
    expect(report).toMatchObject({ model: 'home-1', rows: 5_000, crossed: { missing: [], frequent: [], drift: [] } })
    const [age, saves] = report.features
    expect(age!.drift).toBeLessThan(0.05)
    expect(saves!.frequent).toBeCloseTo(saves!.trainedFrequent!, 1)
    expect([health.warning(), warnings]).toEqual([null, []])
  })

  it.each([
    ['a shifted distribution', { age: 2 }, 'drift', 'age are distributed otherwise than in training'],
    ['more defaults than in training', { zero: 0.9 }, 'frequent', 'saves have their most frequent value more often'],
  ] as const)('finds %s, and warns once', (_, given, check, text) => {
    const { health, warnings } = aHealth()
    fill(health, (page) => rowsOf(pageRows, 100 + page, given))
    fill(health, (page) => rowsOf(pageRows, 900 + page, given))
    expect(health.report()!.crossed[check]).toHaveLength(1)
    expect(health.warning()).toContain(text)
    expect(warnings).toHaveLength(1)
    fill(health, (page) => rowsOf(pageRows, 100 + page))
    expect(health.warning()).toBeNull()
  })

  it('finds missing values', () => {
    const { health } = aHealth()
    fill(health, (page) => rowsOf(pageRows, 100 + page).map((value, at) => (at % 6 === 0 ? NaN : value)))
    expect(health.report()!.features[0]).toMatchObject({ missing: 0.52, trainedMissing: 0 })
    expect(health.report()!.crossed.missing).toEqual(['age'])
  })

  it('compares the candidates of the highest utility only', () => {
    const { health } = aHealth()
    // Rows after the best 25 are far off.
    fill(health, (page) => rowsOf(pageRows, 100 + page).map((value, at) => (at < 25 * 3 ? value : 1_000)))
    expect(health.warning()).toBeNull()
  })

  it('never reports features that are ignored, and reports nothing for a model that does not know its training', () => {
    const { health } = aHealth({ ignoredFeatures: ['age', 'hour_sin'] })
    fill(health, (page) => rowsOf(pageRows, 100 + page, { age: 5 }))
    expect(health.report()!.features[0]!.drift).toBeGreaterThan(1)
    expect(health.warning()).toBeNull()
    const unknown = aHealth().health
    fill(unknown, (page) => rowsOf(pageRows, page), { model: { ...model, trained: new Map() } })
    expect(unknown.report()!.features[0]).toMatchObject({ missing: 0, trainedMissing: null, drift: null })
    expect(unknown.warning()).toBeNull()
  })

  it('begins again with another model, and measures nothing when it is switched off', () => {
    const { health } = aHealth()
    fill(health, (page) => rowsOf(pageRows, 100 + page, { age: 5 }))
    health.observe({ model: { ...model, version: 'home-2' }, scores: scoresOf(rowsOf(pageRows, 1)), session: '' })
    expect([health.report(), health.warning()]).toEqual([null, null])
    const off = aHealth({ everyPages: 0 }).health
    fill(off, (page) => rowsOf(pageRows, page))
    expect(off.report()).toBeNull()
  })

  it('finds sessions whose pages were scored by several models', () => {
    const { health, warnings } = aHealth({ windowRows: 100 })
    for (let page = 0; page < 40; page++)
      health.observe({
        model: { ...model, version: page % 2 === 0 ? 'home-1' : 'home-2' },
        scores: scoresOf(rowsOf(pageRows, page)),
        session: `s${Math.floor(page / 2)}`,
      })
    for (let page = 0; page < 4; page++)
      health.observe({ model, scores: scoresOf(rowsOf(pageRows, page)), session: `new-${page}` })
    expect(health.report()!.mixedShare).toBe(1)
    expect(warnings.join()).toContain('home-1 scored pages of sessions that began with another model')
  })
})

describe('the rows of the highest utilities', () => {
  it('are the first of all rows in order of utility', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -5, max: 5 }), { maxLength: 40 }),
        fc.integer({ min: 1, max: 50 }),
        (all, count) => {
          const order = all.map((_, row) => row).sort((a, b) => all[b]! - all[a]! || a - b)
          expect([...topRows(Float32Array.from(all), count)]).toEqual(order.slice(0, count))
        },
      ),
    )
  })
})
