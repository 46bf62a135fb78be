import { z } from 'zod'
import { hashOfPlan, type Plan } from '../plan/plan.ts'
import type { Transform } from '../transforms/definition.ts'
import type { ModelArtefact } from './bytes.ts'

const scalar = { kind: 'scalar' } as const

/** A plan of two inputs: one standardised, and a linear head over both. */
const plan: Plan = {
  format: 1,
  spec: 'test',
  inputs: [
    { name: 'pin.age', type: scalar, side: 'candidate' },
    { name: 'user.saves', type: scalar, side: 'request' },
  ],
  nodes: [
    { id: 'scaled', transform: 'standardise', args: ['pin.age'], params: {}, type: scalar, side: 'candidate' },
    { id: 'save', transform: 'linear', args: ['scaled', 'user.saves'], params: {}, type: scalar, side: 'candidate' },
  ],
  firstPhase: null,
  heads: [{ name: 'save', kind: 'probability', label: 'save', value: 'save', lossWeight: 1, calibrate: 'none' }],
  utility: [{ head: 'save', weight: 4 }],
  exposed: [],
  trainingOnly: [],
  training: { epochs: 1, batchRows: 1, learningRate: 0.1, l2: 0, dropout: 0, patience: 1 },
}

const noParams = z.strictObject({}) as unknown as z.ZodType<never>
const definition = { summary: '', formula: '', example: '', params: noParams, typeOf: () => scalar }

/** The transforms of the plan, as far as an artefact needs them. */
export const testTransforms: ReadonlyMap<string, Transform> = new Map<string, Transform>([
  [
    'standardise',
    {
      ...definition,
      name: 'standardise',
      gradient: 'fitted',
      state: z.strictObject({ mean: z.number() }) as unknown as z.ZodType<never>,
      fit: () => unused(),
      evaluate: () => unused(),
    },
  ],
  [
    'linear',
    {
      ...definition,
      name: 'linear',
      gradient: 'learned',
      weights: (args) => [
        { name: 'kernel', shape: [args.length], initial: 'zeros' },
        { name: 'bias', shape: [1], initial: 'zeros' },
      ],
      apply: () => unused(),
    },
  ],
])

/** A small model with everything that an artefact can hold. */
export function anArtefact(): ModelArtefact {
  return {
    manifest: {
      version: 'test-1',
      surface: 'home',
      specText: 'spec test # with a comment, and “quotes”',
      planHash: hashOfPlan(plan),
      dataFromMs: 1,
      dataToMs: 2,
      trainingRows: 90,
      heldOutRows: 10,
      metrics: {
        save: {
          rows: 10,
          logLoss: 0.3,
          servingLogLoss: null,
          auc: 0.7,
          deciles: [],
          calibration: 1.01,
        },
      },
      inputs: {
        'pin.age': {
          count: 90,
          mean: 3,
          standardDeviation: 1,
          missingShare: 0.1,
          mostFrequentShare: 0.2,
          quantiles: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
          partShares: [0.1, 0.09, 0.09, 0.09, 0.09, 0.09, 0.09, 0.09, 0.09, 0.09, 0.09, 0],
        },
      },
      parentVersion: null,
      createdAtMs: 3,
      trainerVersion: '0.1.0',
    },
    model: {
      plan,
      parameters: {
        weights: new Map([
          ['save/bias', { shape: [1], values: Float32Array.of(-2.5) }],
          ['save/kernel', { shape: [2], values: Float32Array.of(0.5, -1 / 3) }],
        ]),
        fitted: new Map<string, unknown>([['scaled', { mean: 3 }]]),
      },
    },
  }
}

function unused(): never {
  throw new Error('an artefact is checked without running its transforms')
}
