import type { TrainedModel } from '../model/trained-model.ts'
import { linearParameters, planOfSpec } from '../spec/plan-of-spec.ts'
import type { RankingSpec } from '../spec/spec.ts'
import { fitLogistic, type WeightPrior } from './newton.ts'
import { designMatrix, scaleRows, standardOf, type LabelledRows, type Standard } from './table.ts'

/** Options of a training. */
export interface LogisticOptions {
  /** Name of the plan. */
  readonly name: string
  /** The model to begin with; null: begin at the spec's own weights. */
  readonly start: TrainedModel | null
  /** How much the spec's weights count, as 1 / variance of a weight of a number with deviation 1. */
  readonly priorPrecision: number
  readonly maxSteps: number
}

/**
 * Learns the weights of a spec from rows: one logistic regression per action. The weights that the spec itself gives are what is
 * believed before any row, so with few rows the model ranks as the spec does. The bias is left to the rows. The generator pauses
 * between slices of work.
 */
export function* trainLogistic(
  spec: RankingSpec,
  rows: LabelledRows,
  options: LogisticOptions,
): Generator<undefined, TrainedModel, undefined> {
  const plan = planOfSpec(spec, options.name)
  const columns = spec.features.length + 1
  const scaled = scaleRows(spec, rows)
  const standard = standardOf(scaled, columns)
  const design = designMatrix(scaled, standard)
  const heads: { action: string; bias: number; weights: number[] }[] = []
  for (const { action, bias, weights } of spec.models) {
    const labels = rows.labels.get(action) ?? new Float32Array(rows.rows).fill(NaN)
    const believed = standardised({ bias, weights: [...weights, 0] }, standard)
    const prior: WeightPrior = {
      mean: believed,
      // A pseudo-observation or two, so that an action that nobody has done yet has a finite bias.
      precision: believed.map((_, at) => (at === 0 ? 1e-3 : options.priorPrecision)),
    }
    const begin = options.start === null ? believed : standardised(headOf(options.start, action), standard)
    const found = yield* fitLogistic({ ...design, labels, weights: rows.weights }, prior, {
      start: begin,
      maxSteps: options.maxSteps,
    })
    heads.push({ action, ...original(found, standard) })
  }
  return { plan, parameters: linearParameters(heads) }
}

/** The probabilities that a model of `trainLogistic` gives rows at their positions, by action. */
export function predictLogistic(
  spec: RankingSpec,
  model: TrainedModel,
  rows: LabelledRows,
): ReadonlyMap<string, Float64Array> {
  const columns = spec.features.length + 1
  const scaled = scaleRows(spec, rows)
  return new Map(
    model.plan.heads.map(({ name: action }) => {
      const { bias, weights } = headOf(model, action)
      const probabilities = new Float64Array(rows.rows)
      for (let row = 0; row < rows.rows; row++) {
        let logit = bias
        for (let column = 0; column < columns; column++) logit += scaled[row * columns + column]! * weights[column]!
        probabilities[row] = 1 / (1 + Math.exp(-logit))
      }
      return [action, probabilities]
    }),
  )
}

interface Linear {
  readonly bias: number
  readonly weights: readonly number[]
}

function headOf({ parameters }: TrainedModel, action: string): Linear {
  return {
    bias: parameters.weights.get(`${action}/numbers_bias`)?.values[0] ?? 0,
    weights: [...(parameters.weights.get(`${action}/numbers_kernel`)?.values ?? [])],
  }
}

/** Weights of scaled numbers as weights of standardised ones, the bias first. */
function standardised({ bias, weights }: Linear, { means, deviations }: Standard): Float64Array {
  const out = new Float64Array(means.length + 1)
  out[0] = bias
  for (const [column, mean] of means.entries()) {
    const weight = weights[column] ?? 0
    out[column + 1] = weight * deviations[column]!
    out[0] += weight * mean
  }
  return out
}

/** The inverse of `standardised`. A column without deviation has weight 0. */
function original(found: Float64Array, { means, deviations }: Standard): { bias: number; weights: number[] } {
  const weights = Array.from(means, (_, column) =>
    deviations[column] === 0 ? 0 : found[column + 1]! / deviations[column]!,
  )
  const bias = weights.reduce((rest, weight, column) => rest - weight * means[column]!, found[0]!)
  return { bias, weights }
}
