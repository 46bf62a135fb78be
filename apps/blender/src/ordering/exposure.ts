import type { Classes } from '@freshet/ordering/classes'
import { topicSlots } from '../facts/pin-columns.ts'
import type { ServedSet } from '../served-set.ts'
import type { OrderingViews } from './candidate-classes.ts'

/** Classes of a pool by kind. */
export type TiredClasses = Readonly<Record<'creator' | 'topic' | 'cluster', Classes>>

/** How much the user was shown of each class, by class number. */
export type Exposures = Readonly<Record<keyof TiredClasses, Float64Array>>

/** Which served pins count, and how much. */
export interface ExposureOptions {
  readonly atMs: number
  /** A pin that was served this long ago counts half. */
  readonly halfLifeMs: number
  /** Only this many of the last served pins count. */
  readonly maxPins: number
}

/** Sums what was served to the user, newest first, by the classes of the pool. */
export function exposuresOf(
  { highs, lows, seconds }: Pick<ServedSet, 'highs' | 'lows' | 'seconds'>,
  classes: TiredClasses,
  { facts, vectors, atMs, halfLifeMs, maxPins }: ExposureOptions & OrderingViews,
): Exposures {
  const { creator, topic, cluster } = classes
  const exposures = {
    creator: new Float64Array(creator.count),
    topic: new Float64Array(topic.count),
    cluster: new Float64Array(cluster.count),
  }
  const add = (exposure: Float64Array, id: number, weight: number): void => {
    exposure[id] = exposure[id]! + weight
  }
  for (let at = Math.max(0, lows.length - maxPins); at < lows.length; at++) {
    const [high, low] = [highs[at]!, lows[at]!]
    const weight = 2 ** (-Math.max(0, atMs - seconds[at]! * 1000) / halfLifeMs)
    const [fact, vector] = [facts.rowOf(high, low), vectors.rowOf(high, low)]
    if (fact >= 0) {
      add(exposures.creator, creator.idOf(facts.creatorOf(fact)), weight)
      for (let slot = 0; slot < topicSlots; slot++) add(exposures.topic, topic.idOf(facts.topicAt(fact, slot)), weight)
    }
    if (vector >= 0) add(exposures.cluster, cluster.idOf(vectors.clusterOf(vector)), weight)
  }
  return exposures
}
