import { copyCounters, count, counted, halfLifeNames, type Counters } from '../decay.ts'
import { actions, type Action, type Act } from '../engagement.ts'
import { scalar, type Feature } from './feature.ts'

/** Counts engagements by action. Order-free up to rounding. */
export function foldActions(
  counters: Counters,
  engagements: readonly Pick<Act, 'action' | 'occurredAtMs'>[],
): Counters {
  const counts = copyCounters(counters)
  for (const { action, occurredAtMs } of engagements) count(counts, actions.indexOf(action), occurredAtMs)
  return counts
}

/** How often an action was taken, decayed, as of a time. */
export function countOf(
  counters: Counters,
  action: Action,
  halfLife: (typeof halfLifeNames)[number],
  atMs: number,
): number {
  return counted(counters, actions.indexOf(action), halfLife, atMs)
}

/** Smoothed share of impressions that led to an action: `(actions + prior·strength) / (impressions + strength)`, 30-day half-life; in [0, 1]. */
export function rateOf(counters: Counters, action: Action, prior: number, atMs: number): number {
  const acted = countOf(counters, action, '30d', atMs)
  const shown = Math.max(acted, countOf(counters, 'impression', '30d', atMs))
  return (acted + prior * rateStrength) / (shown + rateStrength)
}

/** Impressions that the prior of a rate is worth. */
export const rateStrength = 20

const countedActions = ['impression', 'closeup', 'click', 'save', 'hide'] as const
const decayingHalfLives = ['30m', '1d', '30d'] as const
const ratePriors = { closeup: 0.05, click: 0.02, save: 0.01, hide: 0.002 } as const
const ratedActions = ['closeup', 'click', 'save', 'hide'] as const

/** Counts by user and by pin, `user_click_1d` and `pin_click_1d`, and rates per impression, `pin_click_rate`. */
export const actionCountFeatures: readonly Feature[] = [
  ...countedActions.flatMap((action) =>
    decayingHalfLives.map((halfLife) =>
      scalar({
        name: `user_${action}_${halfLife}`,
        unit: 'decayed count',
        missing: 0,
        needs: ['user'],
        value: ({ user, atMs }) => countOf(user.counters, action, halfLife, atMs),
      }),
    ),
  ),
  ...countedActions.flatMap((action) =>
    decayingHalfLives.map((halfLife) =>
      scalar({
        name: `pin_${action}_${halfLife}`,
        unit: 'decayed count',
        missing: 0,
        needs: ['pin'],
        value: ({ pin, atMs }) => countOf(pin.counters, action, halfLife, atMs),
      }),
    ),
  ),
  ...ratedActions.map((action) =>
    scalar({
      name: `user_${action}_rate`,
      unit: 'probability',
      missing: ratePriors[action],
      needs: ['user'],
      value: ({ user, atMs }) => rateOf(user.counters, action, ratePriors[action], atMs),
    }),
  ),
  ...ratedActions.map((action) =>
    scalar({
      name: `pin_${action}_rate`,
      unit: 'probability',
      missing: ratePriors[action],
      needs: ['pin'],
      value: ({ pin, atMs }) => rateOf(pin.counters, action, ratePriors[action], atMs),
    }),
  ),
]
