import { placeStrictly } from '@freshet/ordering/place-strictly'
import type { UserContext } from '../hydrators/user-state.ts'
import { orderingStep } from '../ordering/ordering-step.ts'
import { brokenRules } from '../ordering/notes.ts'
import { cappedClasses, capsBelow, mixingFor } from '../ordering/rules.ts'
import type { FeedRequest } from '../request.ts'

/** Gives groups of sources their shares of the page. Those that know the user least well have a larger share while little is known about the user. */
export function mixing() {
  return orderingStep<FeedRequest & UserContext>('mixing', (request, { pool, placement }, columns) => {
    const rule = mixingFor(request, pool, columns)
    if (rule === null) return null
    const caps = capsBelow(cappedClasses(request, pool), pool)
    const placed = placeStrictly(placement, pool.places, [caps, rule])
    return { ...placed, notes: brokenRules(placed, ['caps', 'mixing']) }
  })
}
