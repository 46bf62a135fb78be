import type { RowBatch } from './row-batch.ts'

/** What a set of rows holds. */
export interface RowStats {
  readonly shown: number
  /** Sampled candidates that were not shown. */
  readonly unshown: number
  /** Rows that a late label corrected. */
  readonly corrected: number
  readonly users: number
  readonly pins: number
  /** Oldest and newest feed, milliseconds since the epoch; null: no rows. */
  readonly fromMs: number | null
  readonly toMs: number | null
  /** Of each action: shown rows with it, and their share among the shown rows with weights. `dwellSeconds`: rows where it is known. */
  readonly labels: Readonly<Record<string, { readonly rows: number; readonly share: number }>>
  /** Share of the shown rows without the feature. */
  readonly missing: Readonly<Record<string, number>>
  /** Rows by the name of the model that ranked them; '' for none. */
  readonly models: Readonly<Record<string, number>>
}

/** Counts rows batch by batch. */
export interface RowStatsCounter {
  add(batch: RowBatch): void
  stats(): RowStats
}

interface Sum {
  rows: number
  weight: number
}

/** An empty counter. It keeps a set of users and of pins. */
export function createRowStats(): RowStatsCounter {
  const sets = { users: new Set<string>(), pins: new Set<string>() }
  const totals = { shown: 0, unshown: 0, corrected: 0, weight: 0, fromMs: Infinity, toMs: -Infinity }
  const labels = new Map<string, Sum>()
  const missing = new Map<string, number>()
  const models = new Map<string, number>()

  function addShown(batch: RowBatch, row: number): void {
    const weight = batch.weight[row] ?? 1
    totals.shown++
    totals.weight += weight
    if ((batch.revision[row] ?? 0) > 0) totals.corrected++
    sets.users.add(batch.userIds[row] ?? '')
    sets.pins.add(batch.pinIds[row] ?? '')
    const model = batch.modelVersions[row] ?? ''
    models.set(model, (models.get(model) ?? 0) + 1)
    for (const [name, column] of Object.entries(batch.labels)) {
      const sum = labels.get(name) ?? { rows: 0, weight: 0 }
      labels.set(name, sum)
      const value = column[row] ?? NaN
      if (column instanceof Uint8Array ? value === 0 : Number.isNaN(value)) continue
      sum.rows++
      sum.weight += weight
    }
    const width = batch.featureNames.length
    batch.featureNames.forEach((name, at) => {
      const isMissing = Number.isNaN(batch.features[row * width + at] ?? NaN)
      missing.set(name, (missing.get(name) ?? 0) + Number(isMissing))
    })
  }

  return {
    add(batch) {
      for (let row = 0; row < batch.rows; row++) {
        const atMs = batch.atMs[row] ?? NaN
        totals.fromMs = Math.min(totals.fromMs, atMs)
        totals.toMs = Math.max(totals.toMs, atMs)
        if (batch.shown[row] === 1) addShown(batch, row)
        else totals.unshown++
      }
    },
    stats: () => ({
      shown: totals.shown,
      unshown: totals.unshown,
      corrected: totals.corrected,
      users: sets.users.size,
      pins: sets.pins.size,
      fromMs: Number.isFinite(totals.fromMs) ? totals.fromMs : null,
      toMs: Number.isFinite(totals.toMs) ? totals.toMs : null,
      labels: Object.fromEntries(
        [...labels].map(([name, { rows, weight }]) => [name, { rows, share: weight / totals.weight }]),
      ),
      missing: Object.fromEntries([...missing].map(([name, rows]) => [name, rows / totals.shown])),
      models: Object.fromEntries(models),
    }),
  }
}
