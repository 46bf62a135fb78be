import { mulberry32 } from '@freshet/domain/mulberry32'
import { fileURLToPath } from 'node:url'
import { predictTable } from '@freshet/ranking/model/predict-table'
import { finished } from '@freshet/ranking/plan/pausing'
import { recordedNames } from '@freshet/ranking/rows/plan-columns'
import type { RowBatch } from '@freshet/ranking/rows/row-batch'
import { chooseBackend } from '@freshet/ranking/tensor/backend'
import { beforeAll, describe, expect, it } from 'vitest'
import { rankingSchema } from './config.ts'
import { createRowWindow } from './row-window.ts'
import { feedBatches } from './rows.fixture.ts'
import { trainAndJudge } from './train-model.ts'
import { loadTrainable, type Trainable } from './trainable.ts'
import { tableOf } from './training-table.ts'

const fileOf = (name: string): string =>
  fileURLToPath(new URL(`../../../../libs/ranking/specs/${name}`, import.meta.url))
beforeAll(() => chooseBackend('wasm'))

/** Feeds that recorded these features, with numbers that say nothing, except the rate of `feedBatches`. */
function feedsWith(names: readonly string[]): readonly RowBatch[] {
  const random = mulberry32(3)
  return feedBatches({ feeds: 80, seed: 1 }).map((batch) => ({
    ...batch,
    featureNames: names,
    features: Float32Array.from({ length: batch.rows * names.length }, (_, at) =>
      names[at % names.length] === 'pin_smoothed_save_rate'
        ? batch.features[2 * Math.floor(at / names.length) + 1]!
        : random() * (1 + (at % 7)),
    ),
    labels: { ...batch.labels, closeup: batch.labels['save']! },
  }))
}

async function learn(spec: Trainable, batches: readonly RowBatch[]) {
  const window = createRowWindow(10_000)
  for (const batch of batches) window.add(batch)
  const rows = window.read(spec.plan)
  const how = { serving: null, base: null, full: true, version: 'test', nowMs: 1, config: rankingSchema.parse({}) }
  const { artefact } = await trainAndJudge({ spec, window: rows, ...how, pause: () => Promise.resolve() })
  return { model: artefact!.model, table: finished(tableOf(spec.plan, rows.rows)) }
}

describe('the specs of the home feed', () => {
  it('in JSON and in the ranking language learn the same predictions from the same rows', async () => {
    const [json, language] = await Promise.all(
      ['home.json', 'home.rank'].map((name) => loadTrainable(fileOf(name), 'home')),
    )
    const names = recordedNames(json!.plan)
    expect([...recordedNames(language!.plan)].sort()).toEqual([...names].sort())
    const batches = feedsWith(names)
    const [a, b] = [await learn(json!, batches), await learn(language!, batches)]
    const [own, other] = [predictTable(a.model, a.table), predictTable(b.model, b.table)]
    for (const [head, { name }] of a.model.plan.heads.entries()) {
      expect(b.model.plan.heads[head]!.name).toBe(name)
      const apart = own[head]!.map((probability, row) => Math.abs(probability - other[head]![row]!))
      expect(Math.max(...apart)).toBeLessThan(1e-3)
    }
    const weightsOf = ({ plan }: Trainable) => plan.utility
    expect(weightsOf(language!)).toEqual(weightsOf(json!))
  })
})
