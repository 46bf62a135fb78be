/** Actions whose rates are features, in the order in which counts hold them. */
export const ratedActions = ['closeup', 'click', 'save', 'hide'] as const

/** Share of impressions that lead to each action, until there is evidence; in [0, 1]. */
export const ratePriors: readonly number[] = [0.05, 0.02, 0.01, 0.002]

/**
 * Share of impressions that led to an action: the mean of a Beta distribution whose prior has the mean `prior` and weighs
 * `strength` impressions, `(acted + strength·prior) / (shown + strength)`; in [0, 1]. More actions than impressions count as impressions.
 */
export function smoothedRate(acted: number, shown: number, prior: number, strength: number): number {
  return (acted + strength * prior) / (Math.max(acted, shown) + strength)
}

/** Standard deviation of that Beta distribution, from its mean and the number of its impressions: `√(p(1 − p) / (n + k + 1))`. */
export function rateDeviation(rate: number, shown: number, strength: number): number {
  return Math.sqrt((rate * (1 - rate)) / (shown + strength + 1))
}

/**
 * How uncertain something is after `shown` impressions, as a share of its standard deviation before any: `1 / √(1 + n / k)`, where k impressions
 * weigh as much as the prior. In (0, 1].
 */
export function remainingDeviation(shown: number, strength: number): number {
  return 1 / Math.sqrt(1 + shown / strength)
}
