import type { Tensor } from '@tensorflow/tfjs-core'
import type { Column } from '../plan/column.ts'
import { hashOfPlan } from '../plan/plan.ts'
import { createProgram } from '../plan/program.ts'
import { loadWeights, predict } from '../tensor/predict.ts'
import { compileTensorProgram, type TensorProgram } from '../tensor/program.ts'
import { transformCatalogue } from '../transforms/catalogue.ts'
import { calibrationName, predictHead } from './head-prediction.ts'
import { rowsFrom } from './score-table.ts'
import type { TrainedModel } from './trained-model.ts'
import { utilitiesOf } from './utility.ts'

/** Scores of a page, in the order of its candidates. */
export interface PlanScores {
  /** One utility per candidate. */
  readonly utilities: Float32Array
  /** For each head a column with all candidates: probabilities in [0, 1], or amounts ≥ 0 in the unit of the label. */
  readonly predictions: Float32Array
  /** Rows that the first phase left to the model, best first; null: all rows went to it. */
  readonly kept: Int32Array | null
}

/** A trained model that scores columns of inputs. Its creator must call `dispose` once. */
export interface PlanScorer {
  readonly version: string
  readonly planHash: string
  readonly heads: readonly string[]
  /**
   * `inputs`: the plan's inputs by name; a column of the request's side has one row. Throws a PlanError if one is missing.
   * Without a first phase, not even the last bit of a candidate's score depends on the other candidates.
   */
  score(inputs: ReadonlyMap<string, Column>, candidates: number): PlanScores
  /** Frees the tensors. */
  dispose(): void
}

/** How far apart utilities are that only order the candidates of the first phase, relative to the lowest utility. */
const phaseStep = 1e-4

/**
 * Builds the scorer of a model. With a first phase, only the `keep` candidates with the highest first-phase score go to the
 * model. The others come after them in the order of that score: their utilities go down in small steps from the lowest one of
 * the model, and their predictions are 0. A missing first-phase score is the lowest; equal scores keep the order of the page.
 */
export function createPlanScorer({ plan, parameters }: TrainedModel, version: string): PlanScorer {
  const program = compileTensorProgram(plan)
  const weights = loadWeights(parameters.weights)
  const { firstPhase } = plan
  const programFor = (results: readonly string[]) =>
    createProgram(plan, parameters.fitted, transformCatalogue, { results })
  const boundary = programFor([...program.reads.keys()])
  const light = firstPhase === null ? null : programFor([firstPhase.score])
  return {
    version,
    planHash: hashOfPlan(plan),
    heads: plan.heads.map(({ name }) => name),
    score(inputs, candidates) {
      if (candidates === 0) return { utilities: new Float32Array(), predictions: new Float32Array(), kept: null }
      const isCut = firstPhase !== null && candidates > firstPhase.keep
      const order = isCut ? byScore(light!.run(inputs, candidates).get(firstPhase.score)!, candidates) : null
      const rows = order === null ? rowsFrom(0, candidates) : order.subarray(0, firstPhase!.keep)
      const columns = boundary.run(inputs, candidates)
      const scores = scoreRows({ plan, parameters }, { program, weights, columns, rows, candidates })
      if (order !== null) orderRest(scores.utilities, order, rows.length)
      return { ...scores, kept: order === null ? null : rows }
    },
    dispose: () => weights.forEach((tensor) => tensor.dispose()),
  }
}

/** All rows by descending first-phase score. */
function byScore(column: Column, candidates: number): Int32Array {
  if (column.kind !== 'numbers') throw new TypeError(`the first phase's score is ${column.kind}, not numbers`)
  const score = (row: number): number => {
    const value = column.values[column.rows === 1 ? 0 : row]!
    return Number.isNaN(value) ? -Infinity : value
  }
  return rowsFrom(0, candidates).sort((a, b) => score(b) - score(a) || a - b)
}

interface Page {
  readonly program: TensorProgram
  readonly weights: ReadonlyMap<string, Tensor>
  readonly columns: ReadonlyMap<string, Column>
  readonly rows: Int32Array
  readonly candidates: number
}

function scoreRows(
  { plan, parameters }: TrainedModel,
  { program, weights, columns, rows, candidates }: Page,
): Omit<PlanScores, 'kept'> {
  const heads = plan.heads.length
  const predictions = new Float32Array(candidates * heads)
  const utilities = new Float32Array(candidates)
  const values = predict(program, weights, columns, rows)
  const byHead = plan.heads.map((head, place) => {
    const own = Float64Array.from({ length: rows.length }, (_, at) => values[at * heads + place]!)
    return predictHead(head, parameters.fitted.get(calibrationName(head.name)), own)
  })
  const byRow = utilitiesOf(plan, byHead)
  for (const [at, row] of rows.entries()) {
    for (let head = 0; head < heads; head++) predictions[head * candidates + row] = byHead[head]![at]!
    utilities[row] = byRow[at]!
  }
  return { predictions, utilities }
}

function orderRest(utilities: Float32Array, order: Int32Array, scored: number): void {
  let lowest = Infinity
  for (let at = 0; at < scored; at++) lowest = Math.min(lowest, utilities[order[at]!]!)
  const step = phaseStep * Math.max(1, Math.abs(lowest))
  for (let at = scored; at < order.length; at++) utilities[order[at]!] = lowest - (at - scored + 1) * step
}
