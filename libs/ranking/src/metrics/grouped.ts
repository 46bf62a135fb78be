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
  const ndcgs = ndcgOfGroups(sample, k)
  const mrrs = ofGroups(sample, (scores, labels) => reciprocalRank(scores, labels, k))
  const groups = ndcgs.filter((ndcg) => !Number.isNaN(ndcg)).length
  const mean = (values: Float64Array): number =>
    values.reduce((sum, value) => sum + (Number.isNaN(value) ? 0 : value), 0) / groups
  return groups === 0 ? null : { ndcg: mean(ndcgs), mrr: mean(mrrs), groups }
}

/** NDCG@k of each group; NaN: the group has no relevant row. */
export function ndcgOfGroups(sample: GroupedScores, k: number): Float64Array {
  return ofGroups(sample, (scores, labels) => discountedGain(scores, labels, k) / discountedGain(labels, labels, k))
}

/** A figure of each group; NaN: the group has no relevant row. */
function ofGroups(
  { scores, labels, groupSizes }: GroupedScores,
  figure: (scores: Numbers, labels: Numbers) => number,
): Float64Array {
  let start = 0
  return Float64Array.from({ length: groupSizes.length }, (_, group) => {
    const end = start + groupSizes[group]!
    const [groupScores, groupLabels] = [scores.subarray(start, end), labels.subarray(start, end)]
    start = end
    return groupLabels.some((label) => label > 0) ? figure(groupScores, groupLabels) : NaN
  })
}

type Numbers = Float32Array | Float64Array

function discountedGain(scores: Numbers, labels: Numbers, k: number): number {
  const order = Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]!)
  let sum = 0
  for (let from = 0; from < Math.min(k, order.length);) {
    const score = scores[order[from]!]!
    let [gain, discount, place] = [0, 0, from]
    // NaN equals nothing, not even itself.
    for (; place < order.length && (place === from || scores[order[place]!] === score); place++) {
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
