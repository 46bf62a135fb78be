import { halfLifeNames, halfLivesMs, type Counters } from '../decay.ts'
import { actions, positiveActions } from '../engagement.ts'
import type { PinState } from '../pin-state.ts'
import { bucketOf, buckets } from './positions.ts'
import { ratedActions } from './rates.ts'

/**
 * Where a pin's totals hold its impressions by bucket of positions, its positive actions by bucket, its rated actions, and those
 * of them that an impression preceded.
 */
export const totalsAt = {
  impressions: 0,
  positives: buckets,
  acted: 2 * buckets,
  actedAfterShown: 2 * buckets + ratedActions.length,
} as const

/** How many totals a pin has. */
export const totalsWidth = 2 * buckets + 2 * ratedActions.length

/** The row of each rated action in a pin's counters. */
export const ratedRows: readonly number[] = ratedActions.map((action) => actions.indexOf(action))

/** The numbers of a pin's actions and impressions since it exists, at the places of `totalsAt`. They are whole numbers, so sums of them are exact. */
export function totalsOf(state: PinState): Float64Array {
  const totals = new Float64Array(totalsWidth)
  for (let bucket = 0; bucket < buckets; bucket++) {
    totals[totalsAt.impressions + bucket] = totalOf(state.impressionsByPosition, bucket)
    totals[totalsAt.positives + bucket] = totalOf(state.positivesByPosition, bucket)
  }
  for (let at = 0; at < ratedRows.length; at++) totals[totalsAt.acted + at] = totalOf(state.counters, ratedRows[at]!)
  addActedAfterShown(totals)
  return totals
}

/**
 * Adds to a pin's other totals the positive actions that impressions can explain, and all hides. An action on a pin that was found elsewhere,
 * for example by a search, says nothing about how often users act on it where it is shown. An impression explains at most one
 * action of each kind, and an action without a position is explained only by impressions without one.
 */
export function addActedAfterShown(totals: Float64Array): void {
  let [positives, shown] = [0, 0]
  for (let bucket = 0; bucket < buckets; bucket++) {
    positives += totals[totalsAt.positives + bucket]!
    shown += totals[totalsAt.impressions + bucket]!
  }
  const unplaced = bucketOf(null)
  const placeless = totals[totalsAt.positives + unplaced]!
  const most = positiveActions.length
  const explained =
    Math.min(positives - placeless, most * shown) + Math.min(placeless, most * totals[totalsAt.impressions + unplaced]!)
  for (const [at, action] of ratedActions.entries()) {
    const acted = totals[totalsAt.acted + at]!
    const isWhole = positives === explained || !positiveActions.includes(action)
    totals[totalsAt.actedAfterShown + at] = isWhole ? acted : Math.round((acted * explained) / positives)
  }
}

const total = halfLifeNames.indexOf('total')

/** A row's plain total. */
export function totalOf({ values }: Counters, row: number): number {
  return values[row * halfLivesMs.length + total] ?? 0
}
