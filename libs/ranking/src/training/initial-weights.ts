import { mulberry32 } from '@freshet/domain/mulberry32'
import type { Weights } from '../model/trained-model.ts'
import type { PlanWeight } from '../tensor/program.ts'

/** First values of the weights of a plan, by key. The same seed gives the same values. */
export function initialWeights(weights: readonly PlanWeight[], seed: number): Map<string, Weights> {
  const random = mulberry32(seed)
  return new Map(weights.map((weight) => [weight.key, { shape: weight.shape, values: valuesOf(weight, random) }]))
}

function valuesOf({ shape, initial }: PlanWeight, random: () => number): Float32Array {
  const values = new Float32Array(shape.reduce((product, size) => product * size, 1))
  if (initial === 'ones') return values.fill(1)
  if (initial === 'zeros') return values
  const draw = initial === 'glorot' ? uniform(shape, random) : normal(0.01, random)
  return values.map(draw)
}

/** Uniform in ±√(6 / (inputs + outputs)) (Glorot & Bengio 2010). */
function uniform(shape: readonly number[], random: () => number): () => number {
  const bound = Math.sqrt(6 / ((shape[0] ?? 1) + (shape[1] ?? 1)))
  return () => (2 * random() - 1) * bound
}

/** Normal by the formula of Box and Muller. */
function normal(deviation: number, random: () => number): () => number {
  return () => deviation * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}
