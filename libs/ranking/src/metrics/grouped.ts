/** Rows that were ranked against each other, group after group. */
export interface GroupedScores {
  readonly scores: Float32Array | Float64Array
  /** Gain of each row, at least 0; above 0 is relevant. */
  readonly labels: Float32Array | Float64Array
  /** Rows of each group; their sum is the number of rows. */
  readonly groupSizes: ArrayLike<number>
}

/** Means over the groups that have a relevant row. */
export interface RankingMetrics {
  readonly ndcg: number
  readonly mrr: number
  readonly groups: number
}

/**
 * NDCG@k and MRR@k. NDCG: Σ gain / log2(1 + rank) over the best possible sum; the gain is the label, and rows of equal
 * scores share their places' discounts (McSherry & Najork 2008, as scikit-learn's `ndcg_score`). MRR: 1 / the rank of
 * the first relevant row, 0 beyond k; rows of equal scores count against it. Null if no group has a relevant row.
 */
export function rankingMetrics(sample: GroupedScores, k: number): RankingMetrics | null {
  const { scores, labels, groupSizes } = sample
  let [start, groups, ndcg, mrr] = [0, 0, 0, 0]
  for (let group = 0; group < groupSizes.length; group++) {
    const end = start + groupSizes[group]!
    const groupScores = scores.subarray(start, end)
    const groupLabels = labels.subarray(start, end)
    start = end
    if (!groupLabels.some((label) => label > 0)) continue
    groups++
    ndcg += discountedGain(groupScores, groupLabels, k) / discountedGain(groupLabels, groupLabels, k)
    mrr += reciprocalRank(groupScores, groupLabels, k)
  }
  return groups === 0 ? null : { ndcg: ndcg / groups, mrr: mrr / groups, groups }
}

type Numbers = Float32Array | Float64Array

function discountedGain(scores: Numbers, labels: Numbers, k: number): number {
  const order = Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]!)
  let sum = 0
  for (let from = 0; from < Math.min(k, order.length);) {
    const score = scores[order[from]!]!
    let [gain, discount, place] = [0, 0, from]
    for (; place < order.length && scores[order[place]!] === score; place++) {
      gain += labels[order[place]!]!
      if (place < k) discount += 1 / Math.log2(place + 2)
    }
    sum += (gain / (place - from)) * discount
    from = place
  }
  return sum
}

function reciprocalRank(scores: Numbers, labels: Numbers, k: number): number {
  let best = -Infinity
  for (let row = 0; row < scores.length; row++) if (labels[row]! > 0) best = Math.max(best, scores[row]!)
  let rank = 1
  for (let row = 0; row < scores.length; row++) if (labels[row]! <= 0 && scores[row]! >= best) rank++
  return rank <= k ? 1 / rank : 0
}
