import type { Tensor } from '@tensorflow/tfjs-core'
import type { Column } from '../plan/column.ts'
import { hashOfPlan, type Plan } from '../plan/plan.ts'
import { loadWeights, predict } from '../tensor/predict.ts'
import { compileTensorProgram, type TensorProgram } from '../tensor/program.ts'
import { columnsOfPlan } from './fixed-part.ts'
import { calibrationName, predictHead } from './head-prediction.ts'
import { rowsFrom } from './score-table.ts'
import type { TrainedModel } from './trained-model.ts'

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
   * `inputs`: the plan's inputs by name; a column of the request's side has one row. Throws a TypeError if one is missing.
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
  const reads = new Set(program.reads.keys())
  const fixed = new Map(plan.trainingOnly.map(({ input, servingValue }) => [input, columnOf(servingValue)]))
  const columnsFor = (inputs: ReadonlyMap<string, Column>, rows: number, names: ReadonlySet<string>) =>
    columnsOfPlan(plan, parameters.fitted, { rows, inputs: new Map([...inputs, ...fixed]) }, names)
  return {
    version,
    planHash: hashOfPlan(plan),
    heads: plan.heads.map(({ name }) => name),
    score(inputs, candidates) {
      const kept =
        candidates === 0 ? null : firstPhase(plan, candidates, (names) => columnsFor(inputs, candidates, names))
      const rows = kept === null ? rowsFrom(0, candidates) : kept.subarray(0, plan.firstPhase!.keep)
      const columns = candidates === 0 ? new Map<string, Column>() : columnsFor(inputs, candidates, reads)
      const scores = scoreRows({ plan, parameters }, { program, weights, columns, rows, candidates })
      if (kept !== null) orderRest(scores.utilities, kept, rows.length)
      return { ...scores, kept: kept === null ? null : rows }
    },
    dispose: () => weights.forEach((tensor) => tensor.dispose()),
  }
}

/** All rows by descending first-phase score; null: the model takes them all. */
function firstPhase(
  { firstPhase: phase }: Plan,
  candidates: number,
  columnsFor: (names: ReadonlySet<string>) => ReadonlyMap<string, Column>,
): Int32Array | null {
  if (phase === null || candidates <= phase.keep) return null
  const column = columnsFor(new Set([phase.score])).get(phase.score)!
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
  if (candidates === 0) return { predictions, utilities }
  const values = predict(program, weights, columns, rows)
  const worth = plan.heads.map(({ name }) =>
    plan.utility.reduce((sum, { head, weight }) => sum + (head === name ? weight : 0), 0),
  )
  const byHead = plan.heads.map((head, place) => {
    const own = Float64Array.from({ length: rows.length }, (_, at) => values[at * heads + place]!)
    return predictHead(head, parameters.fitted.get(calibrationName(head.name)), own)
  })
  for (const [at, row] of rows.entries()) {
    let utility = 0
    for (let head = 0; head < heads; head++) {
      predictions[head * candidates + row] = byHead[head]![at]!
      utility += worth[head]! * byHead[head]![at]!
    }
    utilities[row] = utility
  }
  return { predictions, utilities }
}

function orderRest(utilities: Float32Array, order: Int32Array, scored: number): void {
  let lowest = Infinity
  for (let at = 0; at < scored; at++) lowest = Math.min(lowest, utilities[order[at]!]!)
  const step = phaseStep * Math.max(1, Math.abs(lowest))
  for (let at = scored; at < order.length; at++) utilities[order[at]!] = lowest - (at - scored + 1) * step
}

function columnOf(value: number): Column {
  return { kind: 'numbers', rows: 1, width: 1, values: Float32Array.of(value) }
}
