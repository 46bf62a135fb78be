import { ContractError, isContractError } from '@freshet/contracts/errors'
import { Degradation, type SearchByImageResponse } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { pipeline } from '@freshet/pipeline/pipeline'
import type { Selector } from '@freshet/pipeline/stage'
import { stageReports, toFeedItems } from '../answer.ts'
import { noCandidates, type CandidateColumns } from '../candidates.ts'
import { safetyFilters } from '../filters/safety-filters.ts'
import type { Rungs } from '../get-feed.ts'
import { awaitTokens } from '../hydrators/await-tokens.ts'
import { rememberedUser, type FallbackRequest } from '../hydrators/remembered-user.ts'
import { userState } from '../hydrators/user-state.ts'
import type { Answer } from '../ladder.ts'
import type { StagePorts } from '../ports.ts'
import type { SearchRequest } from './search-request.ts'
import { similarPins } from './similar-pins.ts'

/** The pipeline of a search by a picture. Without the candidate service, or the state of the user, there is no answer, so their errors go to the caller. */
export function searchRungs(ports: StagePorts): Rungs<SearchRequest> {
  const whole = pipeline<SearchRequest>('search-by-image')
    .hydrate(userState(ports))
    .hydrate(awaitTokens(ports))
    .source(similarPins(ports))
    .filter(...safetyFilters(ports))
    .select(mostSimilar())

  const nothing = pipeline<SearchRequest & FallbackRequest>('nothing')
    .hydrate(rememberedUser(ports))
    .source({ kind: 'source', name: 'nothing', policy: 'required', run: noCandidates })

  return {
    nextPage: () => null,
    whole: () => whole,
    lastGood: () => null,
    popular: nothing,
    refused: (_request, cause) => refused(cause),
  }
}

/** The first pins: the candidate service answers the most similar ones first. */
function mostSimilar(): Selector<Pick<SearchRequest, 'pageSize'>, CandidateColumns> {
  return {
    kind: 'selector',
    name: 'page',
    policy: 'required',
    reasons: ['below-page'],
    run: ({ pageSize }, { rows }) => ({ rows: rows.slice(0, pageSize) }),
  }
}

/** Names of the fields of the candidate service's request, and of this one. */
const ownFields = { image_embedding: 'embedding', image_of_pin_id: 'pin_id' }

function refused(cause: unknown): ContractError {
  if (isContractError(cause, 'CALL_INVALID_ARGUMENT')) {
    const renamed = Object.entries(ownFields).find(([name]) => cause.message.startsWith(`${name} `))
    const text = renamed === undefined ? cause.message : `${renamed[1]}: ${cause.message.slice(renamed[0].length + 1)}`
    return new ContractError('CALL_INVALID_ARGUMENT', text, { cause })
  }
  const why = cause instanceof Error ? cause.message : String(cause)
  return new ContractError(
    'CALL_UNAVAILABLE',
    `a search by a picture needs the candidate service and the state of the user: ${why}`,
    { cause },
  )
}

/** The answer to a search by a picture. */
export function toSearchResponse(request: SearchRequest, answer: Answer): SearchByImageResponse {
  const { degradation, reasons, freshness } = answer
  return {
    items: toFeedItems(request, answer),
    // The last rung has no pins.
    degradation: degradation === Degradation.POPULAR ? Degradation.PARTIAL : degradation,
    reasons: [...reasons],
    freshness,
    stages: request.explain ? stageReports(answer) : [],
  }
}
