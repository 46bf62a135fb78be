import { counted, countedOverall } from '../decay.ts'
import type { PinState } from '../pin-state.ts'
import { scalarOver, type Feature } from './feature.ts'
import { buckets } from './positions.ts'

/** Share of impressions that lead to a closeup, click or save, by bucket of positions. */
export type PositionRates = Float64Array

/** Actions a pin is given before it has any: how slowly evidence moves the boost. */
const boostPrior = 5

/** The curve used until there are enough impressions: 1 / log2(2 + position) of a tenth, at the middle of each bucket. */
export const defaultPositionRates: PositionRates = Float64Array.from(
  [0, 1, 2, 3, 4.5, 7, 10.5, 16.5, 30.5, 60, 10],
  (position) => 0.1 / Math.log2(2 + position),
)

/** Learns the rates from all pins' states as they change. */
export interface PositionRatesView {
  /** A pin's state was replaced; `before` is null where it is new. */
  replace(before: PinState | null, after: PinState | null): void
  /** The rates, each drawn towards the default curve as by a thousand impressions. */
  rates(): PositionRates
}

/** A view of the rates, empty at first. Totals, so that the order of replacements does not matter. */
export function createPositionRates(): PositionRatesView {
  const impressions = new Float64Array(buckets)
  const positives = new Float64Array(buckets)
  const add = (state: PinState | null, sign: number) => {
    if (state === null) return
    for (let bucket = 0; bucket < buckets; bucket++) {
      impressions[bucket] = (impressions[bucket] ?? 0) + sign * counted(state.impressionsByPosition, bucket, 'total', 0)
      positives[bucket] = (positives[bucket] ?? 0) + sign * counted(state.positivesByPosition, bucket, 'total', 0)
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

/** Positive actions that a pin of average merit would have had from the impressions this one had, at their positions. */
export function expectedActions(pin: PinState, rates: PositionRates, atMs: number): number {
  return countedOverall(pin.impressionsByPosition, '30d', atMs, rates)
}

/** Positive actions that this one had, wherever it was shown. */
export function actedOverall(pin: PinState, atMs: number): number {
  return countedOverall(pin.positivesByPosition, '30d', atMs, null)
}

/** Memboost (Pinterest's Related Pins, Liu et al. 2017): `ln((actions + α) / (expected actions + α))`, what worked before, free of position bias. */
export function memboost(acted: number, expected: number): number {
  return Math.log((acted + boostPrior) / (expected + boostPrior))
}

/** What these features look at. */
interface MemboostContext {
  readonly pin: { readonly state: PinState; acted(atMs: number): number; expected(atMs: number): number } | null
  /** How often pins are acted on by position, over all pins; null: the default curve. */
  readonly positionRates: PositionRates | null
  readonly atMs: number
}

const scalar = scalarOver<MemboostContext>()

/** How much better the pin did than its positions let expect. */
export const memboostFeatures: readonly Feature<MemboostContext>[] = [
  scalar({
    name: 'pin_memboost',
    unit: 'natural logarithm of a ratio',
    missing: 0,
    needs: ['pin'],
    value: ({ pin, positionRates, atMs }) =>
      memboost(
        pin.acted(atMs),
        positionRates === null ? pin.expected(atMs) : expectedActions(pin.state, positionRates, atMs),
      ),
  }),
]
