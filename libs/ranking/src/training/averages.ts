import type { Weights } from '../model/trained-model.ts'
import type { PlanWeight } from '../tensor/program.ts'
import { denseRows } from './touched-rows.ts'

/** Running means of weights. */
export interface Averages {
  /** Takes the weights after a step into the means. */
  follow(): void
  /** The means; of weights that have none, the weights themselves. */
  readonly weights: ReadonlyMap<string, Weights>
}

/**
 * Running means over about the last `window` steps (Polyak & Juditsky 1992): they predict better than the weights of any one
 * step, which gradient descent moves to and away from the minimum. The first steps count less. Tables that are trained by
 * touched rows have none, because a mean would touch all rows in each step.
 */
export function createAverages(
  shapes: readonly PlanWeight[],
  weights: ReadonlyMap<string, Weights>,
  window: number,
): Averages {
  const averaged = shapes.filter(({ shape, indexedBy }) => indexedBy === null || shape[0]! <= denseRows)
  const means = averaged.map(({ key }) => {
    const { shape, values } = weights.get(key)!
    return { key, shape, from: values, values: values.slice() }
  })
  let steps = 0
  return {
    follow() {
      steps++
      const share = Math.max(1 / Math.max(1, window), 9 / (9 + steps))
      for (const { from, values } of means)
        for (let at = 0; at < values.length; at++) values[at]! += share * (from[at]! - values[at]!)
    },
    weights: new Map([...weights, ...means.map(({ key, shape, values }) => [key, { shape, values }] as const)]),
  }
}
