import type { EnabledSource } from '../query/enabled-sources.ts'
import { grownInt32, nextCapacity } from '@freshet/columns/growth'
import type { Catalogue } from '../views/catalogue.ts'
import { rateHalfLivesMs, type Rates } from '../views/rates.ts'
import type { ScoreBoard } from '@freshet/columns/score-board'
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
  rowAt(candidate: number): number
  /** The candidate of a row; -1 if the row is not a candidate. */
  candidateOf(row: number): number
}

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
  const rankFeatures = Float64Array.from({ length: 10_000 }, (_, rank) => Math.max(0, Math.log(ranks / (rank + 1))))
  // By row: its candidate, valid if the row's stamp is that of the last fill.
  let places = new Int32Array(0)
  let stamps = new Int32Array(0)
  let stamp = 0
  let count = 0

  const candidateOf = (row: number): number => (stamps[row] === stamp ? (places[row] ?? -1) : -1)

  return {
    width,
    features,
    base,
    get count() {
      return count
    },
    rowAt: (candidate) => rows[candidate] ?? -1,
    candidateOf,
    fill(answers, recentCount) {
      const length = Math.log2(1 + recentCount) / 3 - 0.7
      stamp++
      if (places.length < catalogue.size) {
        places = grownInt32(places, nextCapacity(places.length, catalogue.size))
        stamps = grownInt32(stamps, places.length)
      }
      count = Math.min(board.touched, most)
      features.fill(0, 0, count * width)
      for (let i = 0; i < count; i++) {
        const row = board.touchedRow(i)
        rows[i] = row
        places[row] = i
        stamps[row] = stamp
        base[i] = Math.log(Math.max(board.get(row), 1e-30))
        const at = i * width + perSource * enabled.length
        features[at + rateHalfLivesMs.length] = Math.max(leastBase, base[i]!)
        rates.counters.forEach((counter, n) => {
          const share = counter.shareOf(row)
          features[at + n] = Math.log(Math.max(share, leastShare) / leastShare)
        })
      }
      for (const [n, entry] of enabled.entries()) {
        if (!answers.includes(entry)) continue
        const { hits, scale } = entry
        const best = Math.log(hits.scores[0] ?? 1)
        for (let i = 0; i < hits.count; i++) {
          const candidate = candidateOf(hits.rows[i] ?? -1)
          if (candidate < 0) continue
          const at = candidate * width + perSource * n
          const log = Math.log(hits.scores[i]!)
          features[at] = rankFeatures[i]!
          features[at + 1] =
            scale === 'probability'
              ? Math.max(0, log - Math.log(leastShare))
              : leastPart + Math.max(-leastPart, log - best)
          features[at + 2] = length * features[at]
          features[at + 3] = length * features[at + 1]!
        }
      }
    },
  }
}
