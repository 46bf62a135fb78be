import type { Derivatives } from './histogram.ts'
import type { ForestRows } from './rows.ts'
import type { ForestObjective } from './settings.ts'

/** The loss of training rows by their scores. */
interface Objective {
  /** As the text of the model names it. */
  readonly text: string
  /** The score with which boosting begins. */
  readonly start: number
  /** Writes the first and second derivatives of the loss by the scores. */
  derive(scores: Float64Array, derivatives: Derivatives): void
}

/** The objective of some rows. Throws a RangeError if `lambdarank` has no groups. */
export function createObjective(name: ForestObjective, rows: ForestRows): Objective {
  if (name === 'binary') return logLossOf(rows)
  if (rows.groups === undefined)
    throw new RangeError('an order is learned from rows with groups; these rows have none, so learn a probability')
  return lambdaRankOf(rows, rows.groups)
}

function weightsOf({ weights, labels }: ForestRows): Float32Array | Float64Array {
  return weights ?? new Float32Array(labels.length).fill(1)
}

/** Log loss: w·(p − y) and w·p·(1 − p), from the logit of the mean label. */
function logLossOf(rows: ForestRows): Objective {
  const { labels } = rows
  const weights = weightsOf(rows)
  let [positive, total] = [0, 0]
  for (let row = 0; row < labels.length; row++) {
    positive += weights[row]! * labels[row]!
    total += weights[row]!
  }
  const mean = Math.min(1 - 1e-15, Math.max(1e-15, positive / total))
  return {
    text: 'binary sigmoid:1',
    start: Math.log(mean / (1 - mean)),
    derive(scores, { gradients, hessians }) {
      for (let row = 0; row < scores.length; row++) {
        const p = 1 / (1 + Math.exp(-scores[row]!))
        gradients[row] = weights[row]! * (p - labels[row]!)
        hessians[row] = weights[row]! * p * (1 - p)
      }
    },
  }
}

/** Pairs count of which one row is among the first so many. */
const truncation = 20

/**
 * LambdaRank (Burges 2010) as LightGBM computes it: for each pair of a positive and a negative row of a group, the logistic loss
 * of the difference of their scores, times what swapping the two would change in the group's NDCG, over 0.01 + the difference.
 * A negative with weight w counts as w rows, in the pairs and in the places before the rows after it. Rows in no group, and
 * groups without a positive or a negative row, teach nothing. Equal scores keep the order of the rows.
 */
function lambdaRankOf(rows: ForestRows, groups: Int32Array): Objective {
  const weights = weightsOf(rows)
  const { labels } = rows
  const members = rowsByGroup(groups).filter((group) => {
    const positives = group.filter((row) => labels[row]! > 0).length
    return positives > 0 && positives < group.length
  })
  const discounts = new Float64Array(labels.length)
  return {
    text: 'lambdarank',
    start: 0,
    derive(scores, derivatives) {
      derivatives.gradients.fill(0)
      derivatives.hessians.fill(0)
      for (const group of members) {
        discountPlaces(
          group.toSorted((a, b) => scores[b]! - scores[a]! || a - b),
          weights,
          discounts,
        )
        addPairs(group, { labels, weights, scores, discounts }, derivatives)
      }
    },
  }
}

/** Row numbers of each group, ascending. */
function rowsByGroup(groups: Int32Array): readonly Int32Array[] {
  const byGroup = new Map<number, number[]>()
  for (const [row, group] of groups.entries()) {
    if (group < 0) continue
    const members = byGroup.get(group)
    if (members === undefined) byGroup.set(group, [row])
    else members.push(row)
  }
  return [...byGroup.values()].map((members) => Int32Array.from(members))
}

/** 1 / log2(2 + place) of each row of a group in its order. A row of weight w takes w places. */
function discountPlaces(ordered: Int32Array, weights: Float32Array | Float64Array, discounts: Float64Array): void {
  let place = 0
  for (const row of ordered) {
    discounts[row] = 1 / Math.log2(2 + place)
    place += weights[row]!
  }
}

interface ScoredRows extends Pick<ForestRows, 'labels'> {
  readonly weights: Float32Array | Float64Array
  readonly scores: Float64Array
  readonly discounts: Float64Array
}

const leastDiscount = 1 / Math.log2(2 + truncation)

function addPairs(group: Int32Array, rows: ScoredRows, { gradients, hessians }: Derivatives): void {
  const { labels, weights, scores, discounts } = rows
  const positives = group.filter((row) => labels[row]! > 0)
  const best = positives.reduce((sum, _row, place) => sum + 1 / Math.log2(2 + place), 0)
  let total = 0
  for (const high of positives)
    for (const low of group) {
      if (labels[low]! > 0 || Math.max(discounts[high]!, discounts[low]!) <= leastDiscount) continue
      const difference = scores[high]! - scores[low]!
      const change = Math.abs(discounts[high]! - discounts[low]!) / best / (0.01 + Math.abs(difference))
      const p = 1 / (1 + Math.exp(difference))
      const [slope, curve] = [weights[low]! * change * p, weights[low]! * change * p * (1 - p)]
      gradients[high]! -= slope
      gradients[low]! += slope
      hessians[high]! += curve
      hessians[low]! += curve
      total += 2 * slope
    }
  if (total <= 0) return
  const scale = Math.log2(1 + total) / total
  for (const row of group) {
    gradients[row]! *= scale
    hessians[row]! *= scale
  }
}
