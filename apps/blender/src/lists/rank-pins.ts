import {
  Degradation,
  type LeftOutPin,
  type RankPinsRequest,
  type RankPinsResponse,
} from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { pipeline } from '@freshet/pipeline/pipeline'
import { stageReports, toFeedItems } from '../answer.ts'
import { safetyFilters } from '../filters/safety-filters.ts'
import type { Rungs } from '../get-feed.ts'
import { awaitTokens } from '../hydrators/await-tokens.ts'
import { rememberedUser, type FallbackRequest } from '../hydrators/remembered-user.ts'
import { userState, type UserContext } from '../hydrators/user-state.ts'
import type { Answer } from '../ladder.ts'
import type { StagePorts } from '../ports.ts'
import { rank } from '../scorers/rank.ts'
import { byUtility } from '../selectors/by-utility.ts'
import { givenPins } from './given-pins.ts'
import type { ListRequest } from './list-request.ts'

/** The pipelines that rank a list of the caller: with the user's state and the ranker, else in the order of the caller. */
export function listRungs(ports: StagePorts): Rungs<ListRequest> {
  // The list comes from the caller, so nobody has checked on which boards its pins are.
  const filters = safetyFilters<ListRequest & UserContext>(ports, { boards: 'unchecked' })

  const whole = pipeline<ListRequest>('rank-pins')
    .hydrate(userState(ports))
    .hydrate(awaitTokens(ports))
    .source(givenPins())
    .filter(...filters)
    .score(rank(ports))
    .select(byUtility())

  const callersOrder = pipeline<ListRequest & FallbackRequest>('callers-order')
    .hydrate(rememberedUser(ports))
    .source(givenPins())
    .filter(...filters)

  return { nextPage: () => null, whole: () => whole, lastGood: () => null, popular: callersOrder, refused: () => null }
}

/** The answer to a request to rank a list. */
export function toRankPinsResponse(
  { pinIds }: RankPinsRequest,
  request: ListRequest,
  answer: Answer,
): RankPinsResponse {
  const { degradation, reasons, freshness, ranked } = answer
  return {
    items: toFeedItems(request, answer),
    leftOut: leftOut(pinIds, answer),
    // The last rung is the order of the caller, not popular pins.
    degradation: degradation === Degradation.POPULAR ? Degradation.RETRIEVAL_ORDER : degradation,
    reasons: [...reasons],
    freshness,
    stages: request.explain ? stageReports(answer) : [],
    modelVersion: ranked?.response.modelVersion ?? '',
  }
}

/** The pins that filters removed, and repeated pins, in the order of the request. */
function leftOut(pinIds: readonly string[], { columns, records }: Answer): LeftOutPin[] {
  const fates = records.at(-1)?.fates
  const rowOf = new Map(columns.pinIds.map((pinId, row) => [pinId, row]))
  const named = new Set<string>()
  return pinIds.flatMap((pinId) => {
    if (named.has(pinId)) return [{ pinId, reason: 'duplicate' }]
    named.add(pinId)
    const removal = fates?.removals[(fates.codes[rowOf.get(pinId) ?? -1] ?? 0) - 1]
    return removal === undefined ? [] : [{ pinId, reason: removal.reason }]
  })
}
