import type { Redrawn } from '@freshet/experiments/off-policy/redraw'
import type { Slate } from '@freshet/experiments/off-policy/slate'
import type { DrawnFeed, RewardedFeed } from './drawn-feeds.ts'

/** What the doubly robust estimator expects of the positions of a feed; null: the head was not predicted. */
type RewardModel = (feed: DrawnFeed, redrawn: Redrawn) => Slate['model']

/** Utilities are divided into so many classes of equal size. */
const classes = 32

/**
 * A model of the rewards from the logged predictions of a head: the prediction times what a unit of it earns at the position. If candidates could be
 * drawn that are not on the page, their predictions may not be known. Then the mean prediction of pins of about the same utility stands
 * for the prediction, for the pins on the page too: the estimator is without bias only if both are the same function.
 */
export function rewardModelOf(feeds: readonly RewardedFeed[], head: string): RewardModel {
  const levels = levelsOf(feeds, head)
  const typical = predictionByUtility(feeds, head)
  return ({ draw, predictions, restPredictions }, { steps, restShare, probabilityAt, meanOfRest }) => {
    const own = predictions.get(head)
    if (own === undefined) return null
    const ofRest = restPredictions.get(head)
    const known = restShare === 0 || ofRest !== undefined ? own : draw.values.map((value) => typical(value))
    const predictedOfRest = (value: number, at: number): number => ofRest?.[at] ?? typical(value)
    const expected = steps.map((_, place) => {
      let [sum, probability] = [0, 0]
      for (let other = place; other < steps.length; other++) {
        const each = probabilityAt(place, other)
        sum += each * known[other]!
        probability += each
      }
      return levels[place]! * (sum + Math.max(0, 1 - probability) * meanOfRest(place, predictedOfRest))
    })
    return { predicted: known.map((each, place) => each * levels[place]!), expected }
  }
}

/** By position: the reward for each unit of prediction. */
function levelsOf(feeds: readonly RewardedFeed[], head: string): number[] {
  const sums: { reward: number; predicted: number }[] = []
  for (const { feed, rewards } of feeds) {
    const predictions = feed.predictions.get(head)
    for (const [place, reward] of predictions === undefined ? [] : rewards.entries()) {
      const sum = (sums[place] ??= { reward: 0, predicted: 0 })
      sum.reward += reward
      sum.predicted += predictions![place]!
    }
  }
  return sums.map(({ reward, predicted }) => (predicted > 0 ? reward / predicted : 0))
}

/** The mean prediction of pins of about the same utility. */
function predictionByUtility(feeds: readonly RewardedFeed[], head: string): (value: number) => number {
  const pairs = feeds.flatMap(({ feed: { draw, predictions } }) => {
    const own = predictions.get(head)
    return own === undefined ? [] : [...own].map((prediction, place) => ({ value: draw.values[place]!, prediction }))
  })
  pairs.sort((a, b) => a.value - b.value)
  const size = Math.max(1, Math.ceil(pairs.length / classes))
  const ends: number[] = []
  const means: number[] = []
  for (let from = 0; from < pairs.length; from += size) {
    const part = pairs.slice(from, from + size)
    ends.push(part.at(-1).value)
    means.push(part.reduce((sum, { prediction }) => sum + prediction, 0) / part.length)
  }
  return (value) => {
    const at = ends.findIndex((end) => value <= end)
    return means[at < 0 ? means.length - 1 : at] ?? 0
  }
}
