import { halfLifeNames, halfLivesMs, type Counters } from '../decay.ts'
import { actions } from '../engagement.ts'
import type { PinState } from '../pin-state.ts'
import { buckets } from './positions.ts'
import { ratedActions } from './rates.ts'

/** Where a pin's totals hold its impressions by bucket of positions, its positive actions by bucket, and its rated actions. */
export const totalsAt = { impressions: 0, positives: buckets, acted: 2 * buckets } as const

/** How many totals a pin has. */
export const totalsWidth = 2 * buckets + ratedActions.length

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
  return totals
}

const total = halfLifeNames.indexOf('total')

/** A row's plain total. */
export function totalOf({ values }: Counters, row: number): number {
  return values[row * halfLivesMs.length + total] ?? 0
}
