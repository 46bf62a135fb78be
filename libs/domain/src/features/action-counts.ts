import { copyCounters, count, counted, halfLifeNames, type Counters } from '../decay.ts'
import { actions, amountOf, type Action, type Act } from '../engagement.ts'
import { scalarOver, type Feature } from './feature.ts'
import { ratedActions, ratePriors } from './rates.ts'

/** Counts engagements by action, each by its weight. Order-free up to rounding. */
export function foldActions(
  counters: Counters,
  engagements: readonly Pick<Act, 'action' | 'occurredAtMs' | 'weightThousandths'>[],
): Counters {
  const counts = copyCounters(counters)
  for (const engagement of engagements)
    count(counts, actions.indexOf(engagement.action), engagement.occurredAtMs, amountOf(engagement))
  return counts
}

/** The decayed count of an action as of a time. */
function countOf(counters: Counters, action: Action, halfLife: (typeof halfLifeNames)[number], atMs: number): number {
  return counted(counters, actions.indexOf(action), halfLife, atMs)
}

/** Smoothed share of impressions that led to an action: `(actions + prior·strength) / (impressions + strength)`; in [0, 1]. */
function rateOf(acted: number, impressions: number, prior: number): number {
  return (acted + prior * rateStrength) / (Math.max(acted, impressions) + rateStrength)
}

/** Strength of a rate's prior, in impressions. */
const rateStrength = 20

const countedActions = ['impression', 'closeup', 'click', 'save', 'hide'] as const
const decayingHalfLives = ['30m', '1d', '30d'] as const
const impression = actions.indexOf('impression')
const month = halfLifeNames.indexOf('30d')

/** What these features read of a page. */
interface ActionCountPage {
  readonly user: { readonly counters: Counters } | null
  /** `count`: the decayed count of an action (its index) under a half-life (its index) as of a time. */
  readonly pins: readonly ({ count(action: number, halfLife: number, atMs: number): number } | null)[]
  readonly atMs: number
}

const scalar = scalarOver<ActionCountPage>()

/** Counts by user and by pin, `user_click_1d` and `pin_click_1d`, and rates per impression, `pin_click_rate`. */
export const actionCountFeatures: readonly Feature<ActionCountPage>[] = [
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
    decayingHalfLives.map((halfLife) => {
      const row = actions.indexOf(action)
      const column = halfLifeNames.indexOf(halfLife)
      return scalar({
        name: `pin_${action}_${halfLife}`,
        unit: 'decayed count',
        missing: 0,
        needs: ['pin'],
        column: ({ pins, atMs }, out) => {
          for (let at = 0; at < pins.length; at++) out[at] = pins[at]?.count(row, column, atMs) ?? NaN
        },
      })
    }),
  ),
  ...ratedActions.map((action, at) =>
    scalar({
      name: `user_${action}_rate`,
      unit: 'probability',
      missing: ratePriors[at]!,
      needs: ['user'],
      value: ({ user: { counters }, atMs }) =>
        rateOf(countOf(counters, action, '30d', atMs), countOf(counters, 'impression', '30d', atMs), ratePriors[at]!),
    }),
  ),
  ...ratedActions.map((action, at) => {
    const row = actions.indexOf(action)
    const prior = ratePriors[at]!
    return scalar({
      name: `pin_${action}_rate`,
      unit: 'probability',
      missing: prior,
      needs: ['pin'],
      column: ({ pins, atMs }, out) => {
        for (let at = 0; at < pins.length; at++) {
          const pin = pins[at]!
          out[at] = pin === null ? NaN : rateOf(pin.count(row, month, atMs), pin.count(impression, month, atMs), prior)
        }
      },
    })
  }),
]
