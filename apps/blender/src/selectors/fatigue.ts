import { applyFactors, fatigueFactors } from '@freshet/ordering/fatigue'
import type { UserContext } from '../hydrators/user-state.ts'
import type { OrderingViews } from '../ordering/candidate-classes.ts'
import { exposuresOf } from '../ordering/exposure.ts'
import { orderingStep } from '../ordering/ordering-step.ts'
import type { FeedRequest } from '../request.ts'

/**
 * Lowers pins of creators, topics and clusters of which the user was shown much lately. The blender writes what it serves before it
 * answers, so the next request knows of it, on any blender.
 */
export function fatigue(views: OrderingViews) {
  return orderingStep<FeedRequest & UserContext>('fatigue', ({ params, served, atMs }, { pool, placement }) => {
    const { floor, halfLifeMs, maxPins, ...decays } = params.ordering.fatigue
    const { creatorDecay, topicDecay, clusterDecay } = decays
    if (floor === 1 || served.size === 0 || Math.min(creatorDecay, topicDecay, clusterDecay) === 1) return null
    const classes = {
      creator: pool.classes('creator'),
      topic: pool.classes('topic'),
      cluster: pool.classes('cluster'),
    }
    const exposures = exposuresOf(served, classes, { ...views, atMs, halfLifeMs, maxPins })
    const kinds = [
      { classes: classes.creator, exposure: exposures.creator, decay: creatorDecay },
      { classes: classes.topic, exposure: exposures.topic, decay: topicDecay },
      { classes: classes.cluster, exposure: exposures.cluster, decay: clusterDecay },
    ]
    return applyFactors(placement, fatigueFactors(kinds, placement.order.length, floor))
  })
}
