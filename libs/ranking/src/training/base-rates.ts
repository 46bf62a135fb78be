import type { Weights } from '../model/trained-model.ts'
import type { RowTable } from '../plan/column.ts'
import type { Plan, PlanHead } from '../plan/plan.ts'

/**
 * Sets each `linear` head to predict the mean of its labels: its bias is the logit of the share of positive rows, or the mean of
 * ln(1 + amount), and the weights of its numbers are 0. So a rare action need not be learned from a probability of one half. Other
 * heads stay.
 */
export function startAtBaseRates({ heads, nodes }: Plan, table: RowTable, weights: ReadonlyMap<string, Weights>): void {
  for (const head of heads) {
    const node = nodes.find(({ id }) => id === head.value)
    if (node?.transform !== 'linear') continue
    const bias = weights.get(`${node.id}/numbers_bias`) ?? weights.get(`${node.id}/bias`)
    const column = table.labels.get(head.label)
    if (bias?.values.length !== 1 || column === undefined) continue
    bias.values[0] = baseValue(head, column, table.weights)
    weights.get(`${node.id}/numbers_kernel`)?.values.fill(0)
  }
}

function baseValue({ kind }: PlanHead, labels: Float32Array, weights: Float32Array | null): number {
  const isAmount = kind === 'amount'
  // Half an observation of each class keeps the logit finite.
  let [sum, all] = isAmount ? [0, 1e-9] : [0.5, 1]
  for (const [row, label] of labels.entries()) {
    if (Number.isNaN(label)) continue
    const weight = weights === null ? 1 : weights[row]!
    sum += weight * (isAmount ? Math.log1p(Math.max(0, label)) : label)
    all += weight
  }
  return isAmount ? sum / all : Math.log(sum / (all - sum))
}
