import { pipeline, type Pipeline } from '@freshet/pipeline/pipeline'
import type { ContractError } from '@freshet/contracts/errors'
import type { CandidateColumns } from './candidates.ts'
import { fallbackRungs, type FallbackPipeline } from './fallback-rungs.ts'
import { safetyFilters } from './filters/safety-filters.ts'
import { awaitTokens, type FreshnessContext } from './hydrators/await-tokens.ts'
import { userState, type UserContext } from './hydrators/user-state.ts'
import type { StagePorts } from './ports.ts'
import type { OrderedColumns } from './ordering/pool.ts'
import type { FeedRequest } from './request.ts'
import { explore, type ExplorationColumns } from './scorers/explore.ts'
import { rank, type ScoreColumns } from './scorers/rank.ts'
import { byUtility } from './selectors/by-utility.ts'
import { draw } from './selectors/draw.ts'
import { orderingPool } from './selectors/ordering-pool.ts'
import { orderingSteps } from './selectors/ordering-steps.ts'
import { samePicture } from './selectors/same-picture.ts'
import { page } from './selectors/page.ts'
import { shownBeforeLast } from './selectors/shown-before-last.ts'
import { keepLastGood } from './side-effects/keep-last-good.ts'
import { enoughLeft } from './sessions/enough-left.ts'
import { fromReserve } from './sessions/from-reserve.ts'
import { keepReserve } from './sessions/keep-reserve.ts'
import { rankAgain } from './sessions/rank-again.ts'
import { rankedFirst } from './sessions/ranked-first.ts'
import { continuesSession } from './sessions/session-request.ts'
import { sessionState } from './sessions/session-state.ts'
import { refusedSources, retrieve } from './sources/retrieve.ts'

/** The pipeline of the best answer. It works with or without the ranker. */
export type WholePipeline<Request> = Pipeline<
  Request,
  Request & UserContext & FreshnessContext,
  CandidateColumns & Partial<ScoreColumns & ExplorationColumns & OrderedColumns>
>

/** The rungs of the ladder for a kind of request, from the best answer to the one that always works. */
export interface Rungs<Request extends FeedRequest> {
  /** Makes the next page of a session from its reserve. null: the request is not for such a page. */
  readonly nextPage: (request: Request) => WholePipeline<Request> | null
  readonly whole: (request: Request) => WholePipeline<Request>
  /** null: requests of this kind have no such rung. */
  readonly lastGood: (request: Request) => FallbackPipeline<Request> | null
  readonly popular: FallbackPipeline<Request>
  /** The error to return if the caller caused the failure of the whole pipeline; null: go down the ladder. */
  readonly refused: (request: Request, cause: unknown) => ContractError | null
}

/** The pipelines of a feed. Related pins use the same ones; the request contains the differences. */
export function feedRungs(ports: StagePorts): Rungs<FeedRequest> & { readonly stages: readonly string[] } {
  const filters = safetyFilters<FeedRequest & UserContext>(ports)
  const below = safetyFilters<FeedRequest & UserContext>(ports, { boards: 'unchecked' })

  const whole = pipeline<FeedRequest>('feed')
    .hydrate(userState(ports))
    .hydrate(awaitTokens(ports))
    .source(retrieve(ports))
    .filter(...filters)
    .score(rank(ports))
    .score(explore())
    .select(byUtility())
    .select(samePicture(ports))
    .select(shownBeforeLast())
    .select(orderingPool(ports))
    .select(...orderingSteps(ports))
    .select(draw())
    .sideEffect(keepLastGood(ports))
    .sideEffect(keepReserve(ports))
    .select(page(ports, filters))

  const nextPage = pipeline<FeedRequest>('next-page')
    .hydrate(sessionState(ports))
    .hydrate(awaitTokens(ports))
    .source(fromReserve())
    .filter(...below)
    .score(rankAgain(ports))
    .score(explore())
    .select(rankedFirst(), samePicture(ports), shownBeforeLast())
    .select(orderingPool(ports))
    .select(...orderingSteps(ports))
    .select(draw())
    .select(enoughLeft())
    .select(page(ports, below))

  const { lastGood, popular } = fallbackRungs<FeedRequest>(ports, below)

  return {
    nextPage: (request) => (continuesSession(request) ? nextPage : null),
    whole: () => whole,
    lastGood: ({ surface }) => (surface === 'home' ? lastGood : null),
    popular,
    refused: refusedSources,
    stages: whole.stages.map(({ name }) => name),
  }
}
