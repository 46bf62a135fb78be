import type { Plan } from './plan.ts'

/** A plan for tests: without nodes and heads unless they are given. */
export function aPlan(parts: Partial<Plan> = {}): Plan {
  return {
    format: 1,
    spec: 'home',
    inputs: [],
    nodes: [],
    firstPhase: null,
    heads: [],
    utility: [],
    exposed: [],
    trainingOnly: [],
    training: { epochs: 1, batchRows: 2, learningRate: 0.1, l2: 0, dropout: 0, patience: 1 },
    ...parts,
  }
}
