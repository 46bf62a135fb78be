import type { Plan } from '@freshet/ranking/plan/plan'
import type { CellValue } from '@freshet/ranking/plan/column-value'
import type { EvaluatedRow, Evaluation } from './evaluation.ts'

/** Numbers of a vector that a table shows. */
const shownNumbers = 3

/** An evaluation as a table: values, a column for each head (`P(save)`, `E[dwell]`), and the utility. */
export function evaluationLines(evaluation: Evaluation, plan: Plan): readonly string[] {
  const { spec, planHash, model, needModel, rows } = evaluation
  const title = `${spec}: plan ${planHash}, ${model === null ? 'no model' : `model ${model}`}`
  return [title, ...tableOf(rows, plan), ...needLines(needModel)]
}

function tableOf(rows: readonly EvaluatedRow[], plan: Plan): readonly string[] {
  const names = Object.keys(rows[0]?.values ?? {})
  const heads = rows[0]?.predictions === null ? [] : plan.heads
  const hasUtility = rows[0]?.utility !== null
  const table = [
    [
      'row',
      ...names,
      ...heads.map(({ name, kind }) => (kind === 'probability' ? `P(${name})` : `E[${name}]`)),
      ...(hasUtility ? ['utility'] : []),
    ],
    ...rows.map(({ row, values, predictions, utility }) => [
      `${row}`,
      ...names.map((name) => cellText(values[name]!)),
      ...heads.map(({ name }) => numberText(predictions![name]!)),
      ...(utility === null ? [] : [numberText(utility)]),
    ]),
  ]
  const widths = table[0]!.map((_, at) => Math.max(...table.map((cells) => cells[at]!.length)))
  return table.map((cells) => cells.map((cell, at) => cell.padStart(widths[at]!)).join('  '))
}

function needLines(needModel: Evaluation['needModel']): readonly string[] {
  const names = (because: 'fitted' | 'learned'): string =>
    needModel
      .filter((node) => node.because === because)
      .map(({ name }) => name)
      .join(', ')
  const [fitted, learned] = [names('fitted'), names('learned')]
  return [
    ...(fitted === '' ? [] : [`need a model, because they are fitted to training rows: ${fitted}`]),
    ...(learned === '' ? [] : [`need a model, because their weights are learned: ${learned}`]),
    ...(needModel.length === 0 ? [] : ['give --model with a trained model of this spec']),
  ]
}

function cellText(value: CellValue): string {
  if (value === null) return '–'
  if (typeof value === 'number') return numberText(value)
  if (typeof value === 'string') return value
  const parts = value.slice(0, shownNumbers).map(cellText)
  return `[${parts.join(' ')}${value.length > shownNumbers ? ` … ${value.length}` : ''}]`
}

function numberText(value: number): string {
  return Number.isInteger(value) ? `${value}` : `${Number(value.toPrecision(5))}`
}
