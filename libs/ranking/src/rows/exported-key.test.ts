import { mulberry32 } from '@freshet/domain/mulberry32'
import { describe, expect, it } from 'vitest'
import { servingInputs } from '../language/serving-inputs.ts'
import { valueAt } from '../plan/column-value.ts'
import { aPlan } from '../plan/plan.builders.ts'
import { RowReader } from '../plan/row-reader.ts'
import { transformCatalogue } from '../transforms/catalogue.ts'
import { exportedKey } from './exported-key.ts'
import { planColumns } from './plan-columns.ts'
import type { RowBatch } from './row-batch.ts'
import { rowJson } from './row-json.ts'
import { rowBatchOf } from './rows.fixture.ts'

const rows = 20
const features = servingInputs.flatMap(({ feature }) => (feature === null ? [] : [feature]))

/** Rows with every feature of the catalogue, some of them missing. */
function recorded(): RowBatch {
  const random = mulberry32(5)
  const number = (): number => (random() < 0.2 ? NaN : 10 * random() - 3)
  const some = (...texts: readonly string[]): string => texts[Math.floor(random() * texts.length)]!
  const each = <Value>(of: (row: number) => Value): Value[] => Array.from({ length: rows }, (_, row) => of(row))
  return {
    ...rowBatchOf(each((row) => ({ feedId: 'f', pinId: `p${row}`, topics: ['bread', 'wine'].slice(0, row % 3) }))),
    featureNames: features,
    features: Float32Array.from({ length: rows * features.length }, number),
    sourceNames: ['fresh', 'trending'],
    sourceRanks: Float32Array.from({ length: 2 * rows }, () => (random() < 0.5 ? NaN : Math.floor(9 * random()))),
    sourceScores: Float32Array.from({ length: 2 * rows }, number),
    creatorIds: each(() => some('', 'ann', 'ben')),
    surfaces: each(() => some('home', 'related')),
    locales: each(() => some('', 'de-DE')),
  }
}

describe('exported rows', () => {
  it('give a plan the values that the rows themselves give it, to the last bit', () => {
    const batch = recorded()
    const plan = aPlan({ inputs: servingInputs })
    const reader = new RowReader(plan, transformCatalogue, 'rows', { exportedKey, needsLabels: false })
    for (let row = 0; row < rows; row++) reader.add(JSON.stringify(rowJson(batch, row)), row + 1)
    const { table, report } = reader.finish(0)
    expect(report.absentInputs).toEqual([])
    const direct = planColumns(plan, [{ batch, rows: null }])
    for (const { name } of servingInputs)
      for (let row = 0; row < rows; row++)
        expect([name, row, valueAt(table.inputs.get(name)!, row)]).toEqual([name, row, valueAt(direct.get(name)!, row)])
  })

  it('have no key for what serving does not know', () => {
    expect(exportedKey('pin.invented')).toBeNull()
  })
})
