import { ndcgOfGroups } from '../metrics/grouped.ts'
import type { Plan } from '../plan/plan.ts'

/** How two orders of the same feeds compare. */
export interface OrderComparison {
  /** Feeds in which somebody did something of worth. */
  readonly feeds: number
  /** Mean NDCG of the model's order, and of the order of retrieval. */
  readonly ndcg: number
  readonly retrievalNdcg: number
  /** Standard error of the mean of the feeds' differences. */
  readonly differenceError: number
}

/** Rows in the order of their feeds, and what orders them. */
export interface OrderedRows {
  readonly utilities: Float64Array
  /** NaN: not recorded. A feed with such a row is left out. */
  readonly retrievalScores: Float64Array
  /** By label. */
  readonly labels: ReadonlyMap<string, Float32Array>
  /** Rows of each feed; their sum is the number of rows. */
  readonly feedSizes: readonly number[]
}

/**
 * Compares the model's order of feeds with that of retrieval by NDCG, whose gain is the worth of what the user did:
 * Σ weight · label over the probabilities of positive weight in the utility. null: no feed can be compared.
 */
export function compareOrders({ heads, utility }: Plan, rows: OrderedRows): OrderComparison | null {
  const { utilities, retrievalScores, labels, feedSizes } = rows
  const gains = new Float64Array(utilities.length)
  for (const { head, weight } of utility) {
    const found = heads.find(({ name, kind }) => name === head && kind === 'probability')
    const column = found === undefined ? undefined : labels.get(found.label)
    if (column === undefined || !(weight > 0)) continue
    for (const [row, label] of column.entries()) if (label > 0) gains[row]! += weight * label
  }
  const model = ndcgOfGroups({ scores: utilities, labels: gains, groupSizes: feedSizes }, Infinity)
  const retrieval = ndcgOfGroups({ scores: retrievalScores, labels: gains, groupSizes: feedSizes }, Infinity)
  const pairs: { readonly own: number; readonly other: number }[] = []
  let start = 0
  for (const [feed, size] of feedSizes.entries()) {
    const isRecorded = !retrievalScores.subarray(start, start + size).some(Number.isNaN)
    start += size
    const [own, other] = [model[feed]!, retrieval[feed]!]
    if (isRecorded && !Number.isNaN(own)) pairs.push({ own, other })
  }
  return pairs.length === 0 ? null : summary(pairs)
}

function summary(pairs: readonly { readonly own: number; readonly other: number }[]): OrderComparison {
  const feeds = pairs.length
  const ndcg = pairs.reduce((sum, { own }) => sum + own, 0) / feeds
  const retrievalNdcg = pairs.reduce((sum, { other }) => sum + other, 0) / feeds
  const squares = pairs.reduce((sum, { own, other }) => sum + (own - other - (ndcg - retrievalNdcg)) ** 2, 0)
  return { feeds, ndcg, retrievalNdcg, differenceError: Math.sqrt(squares) / feeds }
}
