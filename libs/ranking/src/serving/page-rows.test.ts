import { mulberry32 } from '@freshet/domain/mulberry32'
import { beforeAll, describe, expect, it } from 'vitest'
import { chooseBackend } from '../tensor/backend.ts'
import { createPlanModel, createUntrainedModel } from './plan-model.ts'
import { randomPage } from './random-pages.fixture.ts'
import type { ServingModel } from './serving-model.ts'
import { deepSpecText, linearSpecText, planOfText, randomModel } from './testing.ts'

const plans = [linearSpecText('linear'), deepSpecText].map(planOfText)

beforeAll(() => chooseBackend('wasm'))

describe('what a model read about some candidates of a page', () => {
  it.each([
    ['an untrained model', (seed: number) => createUntrainedModel(plans[seed % 2]!, 'test')],
    ['a trained model', (seed: number) => createPlanModel(randomModel(plans[seed % 2]!, seed), 'v1', 'test')],
  ])('is, for %s, the same to the last bit as what it read about all', (_, create: (seed: number) => ServingModel) => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = mulberry32(seed)
      const { page, facts } = randomPage(random, 1 + Math.floor(20 * random()))
      const model = create(seed)
      const rows = Int32Array.from({ length: Math.floor(9 * random()) }, () =>
        Math.floor(page.pinIds.length * random()),
      )
      const some = model.score(page, facts).readRows(rows)
      const all = model.score(page, facts)
      const width = model.featureNames.length
      const rowOf = (row: number): number[] => [...all.features.subarray(row * width, (row + 1) * width)]
      expect([...some.features]).toEqual([...rows].flatMap(rowOf))
      for (const [at, fact] of all.facts.entries()) {
        const textsOf = (row: number): readonly string[] => {
          const from = fact.counts.subarray(0, row).reduce((sum, count) => sum + count, 0)
          return fact.texts.slice(from, from + fact.counts[row]!)
        }
        expect(some.facts[at]!.texts).toEqual([...rows].flatMap(textsOf))
        expect([...some.facts[at]!.counts]).toEqual(Array.from(rows, (row) => fact.counts[row]!))
      }
      model.dispose()
    }
  })

  it('is read of these candidates only, if no score depends on it', () => {
    const { page, facts } = randomPage(mulberry32(1), 20)
    const asked: string[] = []
    const entryOf = (pinId: string) => {
      asked.push(pinId)
      return facts.entryOf(pinId)
    }
    const model = createUntrainedModel(plans[0]!, 'test')
    const scores = model.score({ ...page, user: null }, { ...facts, entryOf })
    expect(asked).toEqual([])
    scores.readRows(Int32Array.of(4, 2))
    expect(asked).toEqual([page.pinIds[4], page.pinIds[2]])
  })
})
