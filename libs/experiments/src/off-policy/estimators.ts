import type { Slate } from './slate.ts'

/** What an estimator adds up for a slate: for each position pairs of a weighted reward and its weight. */
interface Estimator {
  readonly name: string
  /** Number of pairs for each position. */
  readonly parts: number
  /** Whether the weights are divided by their mean. */
  readonly selfNormalised: boolean
  /** Writes `parts` pairs for each position to `into`, position by position. false: the slate lacks what the estimator needs. */
  add(slate: Slate, into: Float64Array): boolean
}

function ips(slate: Slate, into: Float64Array): boolean {
  let weight = 1
  for (const [place, step] of slate.steps.entries()) weight *= slate.targetSteps[place]! / step
  for (const [place, reward] of slate.rewards.entries()) write(into, place, weight * reward, weight)
  return true
}

function independent({ rewards, places }: Slate, into: Float64Array): boolean {
  if (places === null) return false
  for (const [place, reward] of rewards.entries()) {
    const weight = places.target[place]! / places.logged[place]!
    write(into, place, weight * reward, weight)
  }
  return true
}

function rewardInteraction({ rewards, steps, targetSteps }: Slate, into: Float64Array): boolean {
  let weight = 1
  for (const [place, reward] of rewards.entries()) {
    weight *= targetSteps[place]! / steps[place]!
    write(into, place, weight * reward, weight)
  }
  return true
}

function doublyRobust({ rewards, steps, targetSteps, model }: Slate, into: Float64Array): boolean {
  if (model === null) return false
  let above = 1
  for (const [place, reward] of rewards.entries()) {
    const weight = (above * targetSteps[place]!) / steps[place]!
    write(into, 2 * place, weight * (reward - model.predicted[place]!), weight)
    write(into, 2 * place + 1, above * model.expected[place]!, above)
    above = weight
  }
  return true
}

function write(into: Float64Array, pair: number, weighted: number, weight: number): void {
  into[2 * pair] = weighted
  into[2 * pair + 1] = weight
}

/**
 * The estimators of the value of a policy from slates of another: inverse propensity scores of the whole slate (standard; no assumption), of
 * each position alone (independent; the reward at a position does not depend on other positions), of a position and those above it
 * (reward interaction; McInerney et al. 2020, the user looks from top to bottom), and the last one with a model of the rewards as
 * control variate (cascade doubly robust; Kiyohara et al. 2022). Each also with weights divided by their mean (self-normalised).
 */
export const estimators: readonly Estimator[] = [
  { name: 'standard IPS', parts: 1, selfNormalised: false, add: ips },
  { name: 'standard IPS, self-normalised', parts: 1, selfNormalised: true, add: ips },
  { name: 'independent IPS', parts: 1, selfNormalised: false, add: independent },
  { name: 'independent IPS, self-normalised', parts: 1, selfNormalised: true, add: independent },
  { name: 'reward-interaction IPS', parts: 1, selfNormalised: false, add: rewardInteraction },
  { name: 'reward-interaction IPS, self-normalised', parts: 1, selfNormalised: true, add: rewardInteraction },
  { name: 'doubly robust', parts: 2, selfNormalised: false, add: doublyRobust },
  { name: 'doubly robust, self-normalised', parts: 2, selfNormalised: true, add: doublyRobust },
]
