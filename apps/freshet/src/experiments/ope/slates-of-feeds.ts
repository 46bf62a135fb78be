import { redraw } from '@freshet/experiments/off-policy/redraw'
import type { Slate } from '@freshet/experiments/off-policy/slate'
import { positionPropensities } from '@freshet/ordering/position-propensities'
import type { DrawnFeed, RewardedFeed } from './drawn-feeds.ts'
import { rewardModelOf } from './reward-model.ts'

/** Another policy: how it draws, and what it adds to the utility. */
export interface TargetPolicy {
  /** The temperature as a multiple of that of each feed. */
  readonly temperatureTimes: number
  /** What is added to the utility for each unit of a prediction, by head. */
  readonly addedWeights: ReadonlyMap<string, number>
}

/** Slates under a target policy. */
export interface TargetSlates {
  /** Feeds that could be judged, and their slates. */
  readonly feeds: readonly RewardedFeed[]
  readonly slates: readonly Slate[]
  /** Feeds whose probabilities do not fit their utilities, or that lack a prediction. */
  readonly misfits: number
  /** Mean share of the first position that the target gives to candidates that are not on the page and not exactly known. */
  readonly restShare: number
  /** The same, of feeds that know nothing of these candidates: their change is a guess. */
  readonly guessedShare: number
}

/** The most candidates below a page for which probabilities of places are computed: they take milliseconds for each feed. */
const maxRest = 200

/** Computes what a target policy would have done on logged feeds. `head`: the prediction that models the reward. */
export function slatesOf(feeds: readonly RewardedFeed[], target: TargetPolicy, head: string): TargetSlates {
  const model = rewardModelOf(feeds, head)
  const used: RewardedFeed[] = []
  const slates: Slate[] = []
  let [misfits, restShare, guessedShare] = [0, 0, 0]
  for (const each of feeds) {
    const { feed, rewards } = each
    const added = addedOf(feed.predictions, feed.draw.values.length, target)
    const restAdded = addedOf(feed.restPredictions, feed.draw.rest.values.length, target)
    const { temperatureTimes } = target
    const redrawn = added === null ? null : redraw(feed.draw, { temperatureTimes, added, restAdded })
    if (redrawn === null) {
      misfits++
      continue
    }
    if (feed.draw.rest.keptOutFrom === null) restShare += redrawn.restShare
    if (feed.draw.rest.values.length === 0) guessedShare += redrawn.restShare
    used.push(each)
    slates.push({
      userId: feed.userId,
      rewards,
      steps: feed.draw.steps,
      targetSteps: redrawn.steps,
      places: placesOf(feed, redrawn.worths),
      model: model(feed, redrawn),
    })
  }
  const count = Math.max(1, slates.length)
  return { feeds: used, slates, misfits, restShare: restShare / count, guessedShare: guessedShare / count }
}

/** null: the record does not have the probabilities of places, or there are too many candidates. */
function placesOf({ places, draw }: DrawnFeed, worths: Float64Array): Slate['places'] {
  if (places === null || draw.restCount > maxRest) return null
  return { logged: places, target: positionPropensities(worths, Uint16Array.from(places.keys())) }
}

/** null: a prediction is missing. */
function addedOf(
  predictions: DrawnFeed['predictions'],
  count: number,
  { addedWeights }: TargetPolicy,
): Float64Array | null {
  const added = new Float64Array(count)
  for (const [head, weight] of addedWeights) {
    const own = predictions.get(head)
    if (own === undefined) return null
    for (let at = 0; at < count; at++) added[at]! += weight * own[at]!
  }
  return added
}
