import { mulberry32 } from '@freshet/domain/mulberry32'
import { emptyColumn, numbersBy, textsBy, type RowBatch } from '@freshet/ranking/rows/row-batch'

/** Feeds of tests. */
export interface FeedsFixture {
  readonly feeds: number
  readonly seed: number
  /** When the first feed was served; the others come a second apart. */
  readonly fromMs?: number
}

const pinsPerFeed = 10

/**
 * A batch for each feed of ten pins. A pin's `pin_smoothed_save_rate` says who saves, its `retrieval_score` says nothing. Pins at
 * lower places are saved less often. Nobody clicks the first pins of a feed, and nobody hides anything.
 */
export function feedBatches({ feeds, seed, fromMs = 1_000_000 }: FeedsFixture): readonly RowBatch[] {
  const random = mulberry32(seed)
  return Array.from({ length: feeds }, (_, feed) => {
    const rates = Float32Array.from({ length: pinsPerFeed }, () => random())
    const saves = Uint8Array.from(rates, (rate, place) => {
      const logit = 6 * (rate - 0.5) - 0.1 * place
      return random() < 1 / (1 + Math.exp(-logit)) ? 1 : 0
    })
    return aFeedBatch({ feedId: `f${seed}-${feed}`, atMs: fromMs + 1000 * feed, rates, saves, random })
  })
}

function aFeedBatch(given: {
  readonly feedId: string
  readonly atMs: number
  readonly rates: Float32Array
  readonly saves: Uint8Array
  readonly random: () => number
}): RowBatch {
  const { feedId, atMs, rates, saves, random } = given
  const rows = rates.length
  const scores = Float32Array.from(rates, () => 0.01 + random())
    .sort()
    .reverse()
  const places = Array.from({ length: rows }, (_, place) => place)
  return {
    rows,
    featureNames: ['retrieval_score', 'pin_smoothed_save_rate'],
    features: Float32Array.from(places.flatMap((place) => [scores[place]!, rates[place]!])),
    sourceNames: ['trending'],
    sourceRanks: Float32Array.from(places),
    sourceScores: scores,
    labels: {
      impression: new Uint8Array(rows).fill(1),
      save: saves,
      click: Uint8Array.from(saves, (saved, place) => (place < 3 ? 0 : saved)),
      hide: new Uint8Array(rows),
      dwellSeconds: Float32Array.from(saves, (saved, place) => (saved === 1 ? 5 + 30 * rates[place]! : NaN)),
    },
    ...numbersBy((name) => emptyColumn(name, rows)),
    ...textsBy(() => places.map(() => '')),
    atMs: new Float64Array(rows).fill(atMs),
    position: Uint16Array.from(places),
    shown: new Uint8Array(rows).fill(1),
    weight: new Float32Array(rows).fill(1),
    propensity: new Float32Array(rows).fill(1),
    retrievalScore: scores,
    retrievalRank: Float32Array.from(places),
    feedIds: places.map(() => feedId),
    userIds: places.map(() => `user of ${feedId}`),
    pinIds: places.map((place) => `${feedId}-p${place}`),
    surfaces: places.map(() => 'home'),
    topics: places.map(() => []),
  }
}
