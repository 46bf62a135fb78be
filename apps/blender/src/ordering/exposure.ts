import type { Classes } from '@freshet/ordering/classes'
import { topicSlots } from '../facts/pin-columns.ts'
import type { ServedSet } from '../served-set.ts'
import type { OrderingViews } from './candidate-classes.ts'

/** Kinds of classes of which users get tired. */
export type TiredKind = 'creator' | 'topic' | 'cluster'

/** Which served pins count, and how much. */
export interface ExposureOptions {
  readonly atMs: number
  /** A pin that was served this long ago counts half. */
  readonly halfLifeMs: number
  /** Only this many of the last served pins count. */
  readonly maxPins: number
}

/** Served pins, oldest first, and how much each counts. */
export interface WeighedPins {
  readonly highs: Uint32Array
  readonly lows: Uint32Array
  readonly weights: Float64Array
}

/** The served pins that count. */
export function weighedPins(
  { highs, lows, seconds }: Pick<ServedSet, 'highs' | 'lows' | 'seconds'>,
  { atMs, halfLifeMs, maxPins }: ExposureOptions,
): WeighedPins {
  const first = Math.max(0, lows.length - maxPins)
  const weights = new Float64Array(lows.length - first)
  for (let i = 0, second = -1, weight = 0; i < weights.length; i++) {
    // The pins of a page were served in the same second.
    if (seconds[first + i] !== second) {
      second = seconds[first + i]!
      weight = 2 ** (-Math.max(0, atMs - second * 1000) / halfLifeMs)
    }
    weights[i] = weight
  }
  return { highs: highs.subarray(first), lows: lows.subarray(first), weights }
}

/** Sums what was served to the user, by the numbers of the classes of one kind. */
export function exposureOf(
  kind: TiredKind,
  classes: Classes,
  { highs, lows, weights }: WeighedPins,
  { facts, vectors }: OrderingViews,
): Float64Array {
  const exposure = new Float64Array(classes.count)
  const view = kind === 'cluster' ? vectors : facts
  const slots = kind === 'topic' ? topicSlots : 1
  for (let i = 0; i < weights.length; i++) {
    const row = view.rowOf(highs[i]!, lows[i]!)
    for (let slot = 0; row >= 0 && slot < slots; slot++) {
      const key =
        kind === 'topic' ? facts.topicAt(row, slot) : kind === 'creator' ? facts.creatorOf(row) : vectors.clusterOf(row)
      const id = classes.idOf(key)
      exposure[id] = exposure[id]! + weights[i]!
    }
  }
  return exposure
}
