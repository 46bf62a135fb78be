import type { ModelArtefact } from '@freshet/ranking/artefact/bytes'
import { describe, expect, it } from 'vitest'
import { believed, findBase } from './base-model.ts'

/** Models of one plan, each the parent of the next; the nth learned rows to n · 100. */
function chain(length: number): readonly ModelArtefact[] {
  return Array.from({ length }, (_, at) => {
    const parentVersion = at === 0 ? null : `v${at - 1}`
    return { manifest: { version: `v${at}`, parentVersion, planHash: 'p', dataToMs: 100 * at } } as ModelArtefact
  })
}
const reader = (models: readonly ModelArtefact[]) => (version: string) =>
  Promise.resolve(models.find(({ manifest }) => manifest.version === version) ?? null)

describe('the base of a training', () => {
  it('is the newest model that learned nothing of the window', async () => {
    const models = chain(5)
    const base = (fromMs: number) => findBase(models[4]!, fromMs, reader(models))
    expect((await base(401))?.manifest.version).toBe('v4')
    expect((await base(400))?.manifest.version).toBe('v3')
    expect((await base(150))?.manifest.version).toBe('v1')
    expect(await base(0)).toBeNull()
  })

  it('is none where nothing serves, an ancestor is missing or has another plan, or the chain is very long', async () => {
    const models = chain(200)
    expect(await findBase(null, 1_000, reader(models))).toBeNull()
    expect(await findBase(models[4]!, 150, reader(models.toSpliced(3, 1)))).toBeNull()
    const other = { ...models[3]!, manifest: { ...models[3]!.manifest, planHash: 'q' } }
    expect(await findBase(models[4]!, 150, reader(models.with(3, other)))).toBeNull()
    expect(await findBase(models[199]!, 150, reader(models))).toBeNull()
  })
})

describe('what a base says', () => {
  it('is its weights, with the information of its rows about each head', () => {
    const weights = new Map([['save/numbers_bias', { shape: [1], values: Float32Array.of(2) }]])
    const heads = [
      { name: 'save', kind: 'probability' },
      { name: 'never', kind: 'probability' },
      { name: 'dwell', kind: 'amount' },
    ]
    const quantiles = Array.from({ length: 11 }, (_, tenth) => tenth / 10)
    const inputs = [{ name: 'pin.age', type: { kind: 'scalar' } }]
    const manifest = {
      trainingRows: 1_000,
      meanPredictions: { save: 0.2, never: 0, dwell: 7 },
      inputs: { 'pin.age': { quantiles } },
    }
    const model = { plan: { heads, inputs }, parameters: { weights, fitted: new Map() } }
    const artefact = { manifest, model } as unknown as ModelArtefact
    const { means, evidence } = believed(artefact)
    expect(means).toBe(weights)
    const { precisions, typical } = evidence!
    expect(precisions.get('save')).toBeCloseTo(160)
    expect(precisions.get('never')).toBe(0)
    expect(precisions.get('dwell')).toBe(1_000)
    expect(typical.rows).toBe(11)
    expect(typical.inputs.get('pin.age')).toMatchObject({ values: Float32Array.from(quantiles) })
    const without = { ...artefact, manifest: { ...artefact.manifest, inputs: {} } }
    expect(believed(without)).toEqual({ means: weights })
  })
})
