import { pipeline, type Pipeline } from '@freshet/pipeline/pipeline'
import type { ContractError } from '@freshet/contracts/errors'
import type { CandidateColumns } from './candidates.ts'
import { safetyFilters } from './filters/safety-filters.ts'
import { awaitTokens, type FreshnessContext } from './hydrators/await-tokens.ts'
import { rememberedUser, type FallbackRequest, type Remembered } from './hydrators/remembered-user.ts'
import { userState, type UserContext } from './hydrators/user-state.ts'
import type { StagePorts } from './ports.ts'
import type { FeedRequest } from './request.ts'
import { rank, type ScoreColumns } from './scorers/rank.ts'
import { byUtility } from './selectors/by-utility.ts'
import { page } from './selectors/page.ts'
import { shownBeforeLast } from './selectors/shown-before-last.ts'
import { keepLastGood } from './side-effects/keep-last-good.ts'
import { recordServed } from './side-effects/record-served.ts'
import { lastGoodFeed } from './sources/last-good-feed.ts'
import { popularFeed } from './sources/popular-feed.ts'
import { retrieve } from './sources/retrieve.ts'

/** A whole answer: candidates that are ranked, or not. */
export type WholePipeline<Request> = Pipeline<
  Request,
  Request & UserContext & FreshnessContext,
  CandidateColumns & Partial<ScoreColumns>
>

/** An answer from what is at hand. */
export type FallbackPipeline<Request> = Pipeline<
  Request & FallbackRequest,
  Request & FallbackRequest & UserContext & Remembered,
  CandidateColumns
>

/** The rungs of the ladder for a kind of request, from the best answer to the one that always comes. */
export interface Rungs<Request extends FeedRequest> {
  readonly whole: (request: Request) => WholePipeline<Request>
  /** null: such a request has none. */
  readonly lastGood: (request: Request) => FallbackPipeline<Request> | null
  readonly popular: FallbackPipeline<Request>
  /** The error to answer where the caller is to blame for what ended the whole pipeline; null: go down the ladder. */
  readonly refused: (request: Request, cause: unknown) => ContractError | null
}

/** How a feed is made. Related pins take the same way: what differs is in the request. */
export function feedRungs(ports: StagePorts): Rungs<FeedRequest> {
  const whole = pipeline<FeedRequest>('feed')
    .hydrate(userState(ports))
    .hydrate(awaitTokens(ports))
    .source(retrieve(ports))
    .filter(...safetyFilters(ports))
    .score(rank(ports))
    .select(byUtility())
    .select(shownBeforeLast())
    .sideEffect(keepLastGood(ports))
    .select(page(ports))
    .sideEffect(recordServed(ports))

  const lastGood = pipeline<FallbackRequest>('last-good')
    .hydrate(rememberedUser(ports))
    .source(lastGoodFeed(ports))
    .filter(...safetyFilters(ports))
    .select(page(ports))
    .sideEffect(recordServed(ports))

  const popular = pipeline<FallbackRequest>('popular')
    .hydrate(rememberedUser(ports))
    .source(popularFeed(ports))
    .filter(...safetyFilters(ports))
    .select(page(ports))
    .sideEffect(recordServed(ports))

  return {
    whole: () => whole,
    lastGood: ({ surface }) => (surface === 'home' ? lastGood : null),
    popular,
    refused: () => null,
  }
}
