import type { EnabledSource } from '../query/enabled-sources.ts'
import { grownInt32, nextCapacity } from '@freshet/columns/growth'
import type { Catalogue } from '../views/catalogue.ts'
import { rateHalfLivesMs, type Rates } from '../views/rates.ts'
import type { Hits, ScoreBoard } from '@freshet/columns/score-board'
import type { FeatureRows } from './stack.ts'

const perSource = 4
const ranks = 301
const leastShare = 1e-6
const leastPart = 6
const leastBase = -14

/** How many features a candidate has beside `sources` sources. */
const widthOf = (sources: number): number => perSource * sources + rateHalfLivesMs.length + 1

/**
 * The features of each candidate: for each source whether it found the candidate, its rank and its score (natural
 * logarithms from 0); and the logarithm of the pin's share of all actions at each half-life.
 */
export interface Features extends FeatureRows {
  /** Takes the candidates from the board, in its order; their sums there are the base. */
  fill(answers: readonly EnabledSource[], recentCount: number): void
  /**
   * Takes the candidates as `fill` does and scores them as `Stack.score` does, to the last bit, without writing their
   * features: most are 0, because a source finds few of the candidates.
   */
  score(answers: readonly EnabledSource[], into: ScoredFeatures): void
  /** The rows of the candidates; the first `count` entries are valid until the next fill. */
  readonly rows: Int32Array
  /** The candidate of a row; -1 if the row is not a candidate. */
  candidateOf(row: number): number
}

/** The weights of a stack, and where the scores of the candidates go. */
export interface ScoredFeatures {
  /** The number of the user's recent pins. */
  readonly recentCount: number
  readonly weights: Float64Array
  readonly scores: Float64Array
}

/** Features of the candidates on a board, as the enabled sources found them. */
export function createFeatures(context: {
  readonly enabled: readonly EnabledSource[]
  readonly catalogue: Catalogue
  readonly board: ScoreBoard
  readonly rates: Rates
}): Features {
  const { enabled, catalogue, board, rates } = context
  const width = widthOf(enabled.length)
  const most = enabled.reduce((sum, { hits }) => sum + hits.rows.length, 0)
  const features = new Float64Array(most * width)
  const base = new Float64Array(most)
  const rows = new Int32Array(most)
  const column = new Float64Array(most)
  const rankFeatures = Float64Array.from({ length: 10_000 }, (_, rank) => Math.max(0, Math.log(ranks / (rank + 1))))
  // By row: its candidate, valid if the row's stamp is that of the last fill.
  let places = new Int32Array(0)
  let stamps = new Int32Array(0)
  let stamp = 0
  let count = 0

  const candidateOf = (row: number): number => (stamps[row] === stamp ? (places[row] ?? -1) : -1)

  /** Takes the candidates from the board, and their sums there as the base. */
  function take(): void {
    stamp++
    if (places.length < catalogue.size) {
      places = grownInt32(places, nextCapacity(places.length, catalogue.size))
      stamps = grownInt32(stamps, places.length)
    }
    count = Math.min(board.touched, most)
    for (let i = 0; i < count; i++) {
      const row = board.touchedRow(i)
      rows[i] = row
      places[row] = i
      stamps[row] = stamp
      base[i] = Math.log(Math.max(board.get(row), 1e-30))
    }
  }

  return {
    width,
    features,
    base,
    get count() {
      return count
    },
    rows,
    candidateOf,
    fill(answers, recentCount) {
      take()
      const length = lengthFeature(recentCount)
      features.fill(0, 0, count * width)
      for (const [n, counter] of rates.counters.entries()) {
        counter.readShares(rows, count, column)
        const at = perSource * enabled.length + n
        for (let i = 0; i < count; i++) features[i * width + at] = shareFeature(column[i]!)
      }
      for (let i = 0; i < count; i++) features[(i + 1) * width - 1] = Math.max(leastBase, base[i]!)
      for (const [n, entry] of enabled.entries()) {
        if (!answers.includes(entry)) continue
        const { hits, scale } = entry
        const first = firstLogarithm(hits, scale)
        for (let i = 0; i < hits.count; i++) {
          const candidate = candidateOf(hits.rows[i]!)
          if (candidate < 0) continue
          const at = candidate * width + perSource * n
          const rank = rankFeatures[i]!
          const score = scoreFeature(hits.scores[i]!, scale, first)
          features[at] = rank
          features[at + 1] = score
          features[at + 2] = length * rank
          features[at + 3] = length * score
        }
      }
    },
    score(answers, { recentCount, weights, scores }) {
      take()
      const length = lengthFeature(recentCount)
      for (let i = 0; i < count; i++) scores[i] = base[i]!
      for (const [n, entry] of enabled.entries()) {
        if (!answers.includes(entry)) continue
        const { hits, scale } = entry
        const first = firstLogarithm(hits, scale)
        const at = perSource * n
        const [w0, w1, w2, w3] = [weights[at]!, weights[at + 1]!, weights[at + 2]!, weights[at + 3]!]
        for (let i = 0; i < hits.count; i++) {
          const candidate = candidateOf(hits.rows[i]!)
          if (candidate < 0) continue
          const rank = rankFeatures[i]!
          const score = scoreFeature(hits.scores[i]!, scale, first)
          // In the order of the features, so that the sum is that of `Stack.score` to the last bit.
          scores[candidate] = scores[candidate]! + w0 * rank + w1 * score + w2 * (length * rank) + w3 * (length * score)
        }
      }
      for (const [n, counter] of rates.counters.entries()) {
        const weight = weights[perSource * enabled.length + n]!
        counter.readShares(rows, count, column)
        for (let i = 0; i < count; i++)
          if (column[i]! > leastShare) scores[i] = scores[i]! + weight * shareFeature(column[i]!)
      }
      const weight = weights[width - 1]!
      for (let i = 0; i < count; i++) scores[i] = scores[i]! + weight * Math.max(leastBase, base[i]!)
    },
  }
}

/** How long the user's history is, from −0.7. */
function lengthFeature(recentCount: number): number {
  return Math.log2(1 + recentCount) / 3 - 0.7
}

function shareFeature(share: number): number {
  return share > leastShare ? Math.log(share / leastShare) : 0
}

/** The logarithm of the score with which the feature of a source's scores is compared. */
function firstLogarithm({ scores }: Hits, scale: EnabledSource['scale']): number {
  return Math.log(scale === 'probability' ? leastShare : (scores[0] ?? 1))
}

function scoreFeature(score: number, scale: EnabledSource['scale'], first: number): number {
  const above = Math.log(score) - first
  return scale === 'probability' ? Math.max(0, above) : leastPart + Math.max(-leastPart, above)
}
