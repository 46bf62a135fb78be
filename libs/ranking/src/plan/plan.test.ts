import { describe, expect, it } from 'vitest'
import type { TrainedModel } from '../model/trained-model.ts'
import { canonicalJson, hashOfPlan, type Plan } from './plan.ts'

const plan: Plan = {
  format: 1,
  spec: 'home',
  inputs: [{ name: 'pin.saves', type: { kind: 'scalar' }, side: 'candidate' }],
  nodes: [],
  firstPhase: null,
  heads: [],
  utility: [],
  exposed: [],
  trainingOnly: [],
  training: { epochs: 1, batchRows: 1, learningRate: 0.1, l2: 0, dropout: 0, patience: 1 },
}

describe('the hash of a plan', () => {
  it('does not depend on the order of keys', () => {
    const reversed = Object.fromEntries(Object.entries(plan).reverse()) as unknown as Plan
    expect(canonicalJson(reversed)).toBe(canonicalJson(plan))
    expect(hashOfPlan(reversed)).toBe(hashOfPlan(plan))
  })

  it('differs for another plan, but not for other weights', () => {
    const model: TrainedModel = { plan, parameters: { weights: new Map(), fitted: new Map() } }
    expect(hashOfPlan(model.plan)).toBe(hashOfPlan(plan))
    expect(hashOfPlan({ ...plan, spec: 'related' })).not.toBe(hashOfPlan(plan))
  })
})
