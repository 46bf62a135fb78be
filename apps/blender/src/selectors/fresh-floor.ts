import { freshFloorRule, type Newcomers } from '@freshet/ordering/fresh-floor'
import { placeStrictly, type StrictlyPlaced } from '@freshet/ordering/place-strictly'
import type { UserContext } from '../hydrators/user-state.ts'
import type { OrderingViews } from '../ordering/candidate-classes.ts'
import { drawsOfNew, newcomersOf } from '../ordering/newcomers.ts'
import { brokenRules, type Notes } from '../ordering/notes.ts'
import { orderingStep } from '../ordering/ordering-step.ts'
import { cappedClasses, capsBelow, mixingFor } from '../ordering/rules.ts'
import type { FeedRequest } from '../request.ts'

/**
 * Gives new pins a share of the page, if the pool has such pins. Which of them come first is drawn by Thompson sampling. New pins of
 * creators that are held out are never lifted; the record of the feed says which pins belong to which arm.
 */
export function freshFloor({ facts }: Pick<OrderingViews, 'facts'>) {
  return orderingStep<FeedRequest & UserContext>('fresh-floor', (request, { pool, placement }, columns) => {
    const { params, surface, pageSize } = request
    const { share } = params.ordering.freshFloor
    if (share === 0 || surface !== 'home') return null
    const newcomers = newcomersOf(request, pool, facts)
    if (!newcomers.isNew.includes(1)) return null
    const draws = drawsOfNew(request, pool, newcomers)
    const floor = freshFloorRule({ ...newcomers, pageSize, share, draws, places: pool.places })
    const mixing = mixingFor(request, pool, columns)
    const caps = capsBelow(cappedClasses(request, pool), pool)
    const placed = placeStrictly(placement, pool.places, mixing === null ? [caps, floor] : [caps, mixing, floor])
    const names = mixing === null ? ['caps', 'fresh-floor'] : ['caps', 'mixing', 'fresh-floor']
    return { ...placed, notes: armsOf(newcomers, placed, names) }
  })
}

/** Notes the arm of each new pin, and for others whether a rule was broken. */
function armsOf({ isNew, mayRise }: Newcomers, placed: StrictlyPlaced, rules: readonly string[]): Notes {
  const { names, noted } = brokenRules(placed, rules)
  const [lifted, heldOut] = [names.length + 1, names.length + 2]
  isNew.forEach((flag, candidate) => {
    if (flag === 1) noted[candidate] = mayRise[candidate] === 1 ? lifted : heldOut
  })
  return { names: [...names, 'new', 'new-held-out'], noted }
}
