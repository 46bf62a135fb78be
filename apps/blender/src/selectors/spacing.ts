import { placeSoftly } from '@freshet/ordering/place-softly'
import { spacingPenalty } from '@freshet/ordering/spacing'
import type { UserContext } from '../hydrators/user-state.ts'
import type { FeedRequest } from '../request.ts'
import { kindsFor } from '../ordering/kinds.ts'
import { orderingStep } from '../ordering/ordering-step.ts'

/** Puts distance between pins of one creator, topic, cluster, board or source, as long as their utilities do not differ much. */
export function spacing() {
  return orderingStep<FeedRequest & UserContext>('spacing', ({ params, surface }, { pool, placement }) => {
    const { lookAhead, spacing: settings } = params.ordering
    const spaced = kindsFor(surface, ['creator', 'topic', 'cluster', 'board', 'source'])
      .filter((kind) => settings[kind].weight > 0)
      .map((kind) => ({
        classes: pool.classes(kind),
        weight: settings[kind].weight * pool.spread,
        window: settings[kind].window,
      }))
    if (spaced.length === 0) return null
    const penalty = spacingPenalty(spaced)
    for (const pin of pool.above) penalty.place(pin)
    return placeSoftly(placement, { places: pool.places, lookAhead }, penalty)
  })
}
