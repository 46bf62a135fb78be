import { createPredictor } from '../inference/predictor.ts'
import type { Column } from '../plan/column.ts'
import { hashOfPlan, type Plan, type PlanHead } from '../plan/plan.ts'
import { createProgram } from '../plan/program.ts'
import { learnedNodes } from '../plan/split.ts'
import { compileTensorProgram } from '../tensor/program.ts'
import { transformCatalogue } from '../transforms/catalogue.ts'
import { calibrationName, predictHead } from './head-prediction.ts'
import { rowsFrom } from './score-table.ts'
import type { TrainedModel } from './trained-model.ts'
import { utilitiesOf, type HeadFactors } from './utility.ts'

/** Scores of a page, in the order of its candidates. */
export interface PlanScores {
  /** One utility per candidate. */
  readonly utilities: Float32Array
  /** For each head a column with all candidates: probabilities in [0, 1], or amounts ≥ 0 in the unit of the label. */
  readonly predictions: Float32Array
  /** Rows that the first phase left to the model, best first; null: all rows went to it. */
  readonly kept: Int32Array | null
  /** One row of the plan's exposed values per candidate; NaN: missing, or the first phase left out a learned value. */
  readonly exposed: Float32Array
}

/** A trained model that scores columns of inputs. Its creator must call `dispose` once. */
export interface PlanScorer {
  readonly version: string
  readonly planHash: string
  readonly heads: readonly string[]
  /** Names of the inputs and of the given nodes that `score` reads. */
  readonly reads: ReadonlySet<string>
  /**
   * `inputs`: the plan's inputs by name; a column of the request's side has one row. Throws a PlanError if one is missing.
   * `factors`: on heads in the utility. Without a first phase, not even the last bit of a candidate's score depends on the other candidates.
   */
  score(inputs: ReadonlyMap<string, Column>, candidates: number, factors?: HeadFactors): PlanScores
  /** Frees the tensors. */
  dispose(): void
}

/** How far apart utilities are that only order the candidates of the first phase, relative to the lowest utility. */
const phaseStep = 1e-4

/**
 * Builds the scorer of a model. With a first phase, only the `keep` candidates with the highest first-phase score go to the
 * model. The others come after them in the order of that score: their utilities go down in small steps from the lowest one of
 * the model, and their predictions are 0. A missing first-phase score is the lowest; equal scores keep the order of the page.
 * `given`: nodes whose columns the caller gives as if they were inputs.
 */
export function createPlanScorer(
  { plan, parameters }: TrainedModel,
  version: string,
  given: ReadonlySet<string> = new Set(),
): PlanScorer {
  const { firstPhase } = plan
  const learned = learnedNodes(plan, transformCatalogue)
  const program = compileTensorProgram(withExposed(plan, learned))
  const predictor = createPredictor(program, parameters.weights)
  const programFor = (results: readonly string[]) =>
    createProgram(plan, parameters.fitted, transformCatalogue, { results, given })
  const fixedExposed = plan.exposed.filter((name) => !learned.has(name))
  const boundary = programFor([...new Set([...program.reads.keys(), ...fixedExposed])])
  const light = firstPhase === null ? null : programFor([firstPhase.score])
  return {
    version,
    planHash: hashOfPlan(plan),
    heads: plan.heads.map(({ name }) => name),
    reads: new Set([boundary, light].flatMap((each) => each?.inputs.map(({ name }) => name) ?? [])),
    score(inputs, candidates, factors) {
      const none = new Float32Array()
      if (candidates === 0) return { utilities: none, predictions: none, kept: null, exposed: none }
      const isCut = firstPhase !== null && candidates > firstPhase.keep
      const order = isCut ? byScore(light!.run(inputs, candidates).get(firstPhase.score)!, candidates) : null
      const rows = order === null ? rowsFrom(0, candidates) : order.subarray(0, firstPhase!.keep)
      const columns = boundary.run(inputs, candidates)
      const values = predictor.predict(columns, rows)
      const page = { values, width: program.results.length, columns, rows, candidates }
      const scores = scoreRows({ plan, parameters }, page, factors)
      if (order !== null) orderRest(scores.utilities, order, rows.length)
      return { ...scores, kept: order === null ? null : rows, exposed: exposedRows(plan, learned, page) }
    },
    dispose: () => predictor.dispose(),
  }
}

/** The plan with its learned exposed values as heads after its own. */
function withExposed(plan: Plan, learned: ReadonlySet<string>): Plan {
  const more = plan.exposed
    .filter((name) => learned.has(name))
    .map((name): PlanHead => ({ name, kind: 'amount', label: name, value: name, lossWeight: 0, calibrate: 'none' }))
  return { ...plan, heads: [...plan.heads, ...more] }
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
  /** Values of the heads and of the learned exposed values: a row of `width` numbers for each of `rows`. */
  readonly values: Float32Array
  readonly width: number
  readonly columns: ReadonlyMap<string, Column>
  readonly rows: Int32Array
  readonly candidates: number
}

function scoreRows(
  { plan, parameters }: TrainedModel,
  { values, width, rows, candidates }: Page,
  factors: HeadFactors | undefined,
): Pick<PlanScores, 'predictions' | 'utilities'> {
  const heads = plan.heads.length
  const predictions = new Float32Array(candidates * heads)
  const utilities = new Float32Array(candidates)
  const byHead = plan.heads.map((head, place) => {
    const own = new Float64Array(rows.length)
    for (let at = 0; at < own.length; at++) own[at] = values[at * width + place]!
    return predictHead(head, parameters.fitted.get(calibrationName(head.name)), own)
  })
  const byRow = utilitiesOf(plan, byHead, factors)
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at]!
    for (let head = 0; head < heads; head++) predictions[head * candidates + row] = byHead[head]![at]!
    utilities[row] = byRow[at]!
  }
  return { predictions, utilities }
}

function exposedRows(plan: Plan, learned: ReadonlySet<string>, page: Page): Float32Array {
  const { values, width, columns, rows, candidates } = page
  const names = plan.exposed
  const out = new Float32Array(candidates * names.length).fill(NaN)
  let learnedPlace = plan.heads.length
  for (const [place, name] of names.entries()) {
    if (learned.has(name)) {
      for (const [at, row] of rows.entries()) out[row * names.length + place] = values[at * width + learnedPlace]!
      learnedPlace++
      continue
    }
    const column = columns.get(name)!
    if (column.kind !== 'numbers') throw new TypeError(`the exposed value ${name} is ${column.kind}, not numbers`)
    for (let row = 0; row < candidates; row++)
      out[row * names.length + place] = column.values[column.rows === 1 ? 0 : row]!
  }
  return out
}

function orderRest(utilities: Float32Array, order: Int32Array, scored: number): void {
  let lowest = Infinity
  for (let at = 0; at < scored; at++) lowest = Math.min(lowest, utilities[order[at]!]!)
  const step = phaseStep * Math.max(1, Math.abs(lowest))
  for (let at = scored; at < order.length; at++) utilities[order[at]!] = lowest - (at - scored + 1) * step
}
