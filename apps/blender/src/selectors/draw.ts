import { hash32 } from '@freshet/domain/hash'
import { mulberry32 } from '@freshet/domain/mulberry32'
import { cannotBreak } from '@freshet/ordering/caps'
import { drawOrder } from '@freshet/ordering/plackett-luce'
import type { UserContext } from '../hydrators/user-state.ts'
import { orderingStep } from '../ordering/ordering-step.ts'
import { cappedClasses, capsBelow } from '../ordering/rules.ts'
import type { FeedRequest } from '../request.ts'

/**
 * Draws the order of a small share of the feeds at random, near the order of the steps before it, and records its probabilities. So
 * another ordering can be judged from logged feeds. Whether it is drawn depends on the seed, the user and the start of the page session only,
 * the order also on the position of the page: with the same noise for all pages, a page would follow from the one before.
 */
export function draw() {
  return orderingStep<FeedRequest & UserContext>('draw', (request, { pool, placement }) => {
    const { params, surface, recorded } = request
    const { share, temperature: spreads } = params.ordering.draw
    if (surface === 'related' || !recorded || !isDrawn(request, share) || placement.order.length === 0) return null
    const temperature = spreads * pool.spread
    const capped = cappedClasses(request, pool)
    const drawn = drawOrder(placement, {
      places: pool.places,
      temperature,
      rule: capsBelow(capped, pool),
      random: mulberry32(seedOf(request, `order/${request.page.firstPosition}`)),
    })
    const { propensities, keptOutFrom, steadyPlaces } = drawn
    const { values } = placement
    const isFree = cannotBreak(capped)
    return { ...drawn, draw: { propensities, keptOutFrom, steadyPlaces, values, temperature, isFree } }
  })
}

function isDrawn(request: FeedRequest, share: number): boolean {
  return share > 0 && seedOf(request, 'share') / 2 ** 32 < share
}

function seedOf({ params, userId, page }: FeedRequest, what: string): number {
  return hash32(`${userId}/${page.startedAtMs}/${what}`, params.seed)
}
