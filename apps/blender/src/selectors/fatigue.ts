import { applyFactors, fatigueFactors } from '@freshet/ordering/fatigue'
import type { UserContext } from '../hydrators/user-state.ts'
import type { OrderingViews } from '../ordering/candidate-classes.ts'
import { exposureOf, weighedPins } from '../ordering/exposure.ts'
import { orderingStep } from '../ordering/ordering-step.ts'
import type { FeedRequest } from '../request.ts'

/**
 * Lowers pins of creators, topics and clusters of which the user was shown much lately. The blender writes what it serves before it
 * answers, so the next request knows of it, on any blender.
 */
export function fatigue(views: OrderingViews) {
  return orderingStep<FeedRequest & UserContext>('fatigue', ({ params, served, atMs }, { pool, placement }) => {
    const { floor, halfLifeMs, maxPins, creatorDecay, topicDecay, clusterDecay } = params.ordering.fatigue
    const decays = [
      { kind: 'creator', decay: creatorDecay },
      { kind: 'topic', decay: topicDecay },
      { kind: 'cluster', decay: clusterDecay },
    ] as const
    const tiring = decays.filter(({ decay }) => decay < 1)
    if (floor === 1 || served.size === 0 || tiring.length === 0) return null
    const pins = weighedPins(served, { atMs, halfLifeMs, maxPins })
    const kinds = tiring.map(({ kind, decay }) => {
      const classes = pool.classes(kind)
      return { classes, exposure: exposureOf(kind, classes, pins, views), decay }
    })
    return applyFactors(placement, fatigueFactors(kinds, placement.order.length, floor))
  })
}
