import { hashOfPlan, type Plan } from '@freshet/ranking/plan/plan'
import { nodeValues, type NodeValues } from '@freshet/ranking/model/node-values'
import { predictTable } from '@freshet/ranking/model/predict-table'
import type { Parameters } from '@freshet/ranking/model/trained-model'
import { utilitiesOf } from '@freshet/ranking/model/utility'
import { valueAt, type CellValue } from '@freshet/ranking/plan/column-value'
import type { RowTable } from '@freshet/ranking/plan/column'

/** What a plan computes for some rows. */
export interface Evaluation {
  readonly spec: string
  readonly planHash: string
  /** Version of the model; null: there is none. */
  readonly model: string | null
  /** Named nodes without a value, because there is no model. */
  readonly needModel: NodeValues['needModel']
  readonly rows: readonly EvaluatedRow[]
}

/** One row. Missing values are null. */
export interface EvaluatedRow {
  /** The place among the rows that were read, from 1. */
  readonly row: number
  /** Inputs that were asked for, and named nodes. */
  readonly values: Readonly<Record<string, CellValue>>
  /** By head: probabilities, or amounts in the unit of the label; null: they need a model. */
  readonly predictions: Readonly<Record<string, number>> | null
  readonly utility: number | null
}

/** What to evaluate with. */
export interface EvaluationModel {
  readonly version: string
  readonly parameters: Parameters
}

/** Evaluates a plan as the ranker does, row by row; `inputs`: those whose values the answer repeats. */
export function evaluateRows(
  plan: Plan,
  model: EvaluationModel | null,
  table: RowTable,
  inputs: readonly string[],
): Evaluation {
  const serving = withoutTrainingOnly(plan, table)
  const { columns, needModel } = nodeValues(plan, model?.parameters ?? null, serving)
  const heads = new Set(plan.heads.map(({ name }) => name))
  const shown = [
    ...inputs.map((name) => [name, table.inputs.get(name)!] as const),
    ...[...columns].filter(([name]) => !heads.has(name)),
  ]
  const parameters = model?.parameters ?? parametersWithout(plan, needModel)
  const predictions = parameters === null ? null : predictTable({ plan, parameters }, serving)
  const utilities = predictions === null ? null : utilitiesOf(plan, predictions)
  return {
    spec: plan.spec,
    planHash: hashOfPlan(plan),
    model: model?.version ?? null,
    needModel,
    rows: Array.from({ length: table.rows }, (_, row): EvaluatedRow => {
      return {
        row: row + 1,
        values: Object.fromEntries(shown.map(([name, column]) => [name, valueAt(column, row)])),
        predictions:
          predictions && Object.fromEntries(plan.heads.map(({ name }, at) => [name, predictions[at]![row]!])),
        utility: utilities && utilities[row]!,
      }
    }),
  }
}

/** Training-only inputs have the value of serving, because a request does not know them. */
function withoutTrainingOnly(plan: Plan, table: RowTable): RowTable {
  const hidden = new Set(plan.trainingOnly.map(({ input }) => input))
  return { ...table, inputs: new Map([...table.inputs].filter(([name]) => !hidden.has(name))) }
}

/** The parameters of a plan whose heads nothing has to learn; null: they need a model. */
function parametersWithout(plan: Plan, needModel: NodeValues['needModel']): Parameters | null {
  if (needModel.length > 0 || plan.heads.some(({ calibrate }) => calibrate !== 'none')) return null
  return { weights: new Map(), fitted: new Map() }
}
