import { countedOverall } from '../decay.ts'
import type { PinState } from '../pin-state.ts'
import { scalarOver, type Feature } from './feature.ts'
import { totalsAt } from './pin-totals.ts'
import { buckets } from './positions.ts'

/** Share of impressions that lead to a closeup, click or save, by bucket of positions. */
export type PositionRates = Float64Array

/** Smoothing: actions that a pin starts with. A larger value makes the boost react more slowly. */
const boostPrior = 5

/** The default curve until there are enough impressions: 0.1 / log2(2 + position), at the middle of each bucket. */
export const defaultPositionRates: PositionRates = Float64Array.from(
  [0, 1, 2, 3, 4.5, 7, 10.5, 16.5, 30.5, 60, 10],
  (position) => 0.1 / Math.log2(2 + position),
)

/** Learns the rates from the totals of all pins (`totalsOf`) as they change. */
export interface PositionRatesView {
  /** Replaces a pin's totals; `before` is null for a new pin. */
  replace(before: Float64Array | null, after: Float64Array | null): void
  /** The rates, each smoothed towards the default curve with the weight of a thousand impressions. */
  rates(): PositionRates
}

/** Creates an empty view of the rates. It keeps totals, so the order of replacements does not matter. */
export function createPositionRates(): PositionRatesView {
  const impressions = new Float64Array(buckets)
  const positives = new Float64Array(buckets)
  const add = (totals: Float64Array | null, sign: number) => {
    if (totals === null) return
    for (let bucket = 0; bucket < buckets; bucket++) {
      impressions[bucket] = (impressions[bucket] ?? 0) + sign * totals[totalsAt.impressions + bucket]!
      positives[bucket] = (positives[bucket] ?? 0) + sign * totals[totalsAt.positives + bucket]!
    }
  }
  const prior = 1000
  return {
    replace(before, after) {
      add(before, -1)
      add(after, 1)
    },
    rates: () =>
      defaultPositionRates.map(
        (rate, bucket) => ((positives[bucket] ?? 0) + prior * rate) / ((impressions[bucket] ?? 0) + prior),
      ),
  }
}

/** The number of positive actions that an average pin would have received from this pin's impressions at their positions. */
export function expectedActions(pin: PinState, rates: PositionRates, atMs: number): number {
  return countedOverall(pin.impressionsByPosition, '30d', atMs, rates)
}

/** The number of positive actions on this pin, at all positions. */
export function actedOverall(pin: PinState, atMs: number): number {
  return countedOverall(pin.positivesByPosition, '30d', atMs, null)
}

/** Memboost (Pinterest's Related Pins, Liu et al. 2017): `ln((actions + α) / (expected actions + α))`, past performance without position bias. */
export function memboost(acted: number, expected: number): number {
  return Math.log((acted + boostPrior) / (expected + boostPrior))
}

/** What these features read of a page. */
interface MemboostPage {
  readonly pins: readonly ({ acted(atMs: number): number; expected(atMs: number): number } | null)[]
  readonly atMs: number
}

const scalar = scalarOver<MemboostPage>()

/** How much better the pin performed than expected from its positions. */
export const memboostFeatures: readonly Feature<MemboostPage>[] = [
  scalar({
    name: 'pin_memboost',
    unit: 'natural logarithm of a ratio',
    missing: 0,
    needs: ['pin'],
    column: ({ pins, atMs }, out) => {
      for (let row = 0; row < pins.length; row++) {
        const pin = pins[row]!
        out[row] = pin === null ? NaN : memboost(pin.acted(atMs), pin.expected(atMs))
      }
    },
  }),
]
