import { pipeline, type Pipeline } from '@freshet/pipeline/pipeline'
import type { CandidateColumns } from './candidates.ts'
import { catalogueFilter } from './filters/catalogue.ts'
import { excludedFilter } from './filters/excluded.ts'
import { hiddenFilter } from './filters/hidden.ts'
import { previouslyServedFilter } from './filters/previously-served.ts'
import { seenFilter } from './filters/seen.ts'
import type { StagePorts } from './ports.ts'
import type { FeedRequest } from './request.ts'
import { awaitTokens, type FreshnessContext } from './stages/await-tokens.ts'
import { lastGoodFeed, popularFeed } from './stages/fallback-sources.ts'
import { keepLastGood } from './stages/keep-last-good.ts'
import { byUtility } from './stages/order.ts'
import { page } from './stages/page.ts'
import { rank, type ScoreColumns } from './stages/rank.ts'
import { recordServed } from './stages/record-served.ts'
import { retrieve } from './stages/retrieve.ts'
import {
  rememberedUser,
  userState,
  type FallbackRequest,
  type Remembered,
  type UserContext,
} from './stages/user-state.ts'

/** The pipelines of both surfaces: the whole one and, below it, the rungs of the ladder. */
export interface FeedPipelines {
  readonly feed: Pipeline<FeedRequest, FeedRequest & UserContext & FreshnessContext, CandidateColumns & ScoreColumns>
  readonly candidates: Pipeline<FeedRequest, FeedRequest & UserContext & FreshnessContext, CandidateColumns>
  readonly lastGood: Pipeline<FallbackRequest, FallbackRequest & UserContext & Remembered, CandidateColumns>
  readonly popular: Pipeline<FallbackRequest, FallbackRequest & UserContext & Remembered, CandidateColumns>
}

/** How a feed is made. Related pins take the same way: what differs is in the request. */
export function feedPipelines(ports: StagePorts): FeedPipelines {
  return {
    feed: pipeline<FeedRequest>('feed')
      .hydrate(userState(ports))
      .hydrate(awaitTokens(ports))
      .source(retrieve(ports))
      .filter(excludedFilter())
      .filter(hiddenFilter())
      .filter(catalogueFilter(ports))
      .filter(previouslyServedFilter())
      .filter(seenFilter())
      .score(rank(ports))
      .select(byUtility(ports.config.seed))
      .sideEffect(keepLastGood(ports))
      .select(page(ports))
      .sideEffect(recordServed(ports)),

    candidates: pipeline<FeedRequest>('candidates')
      .hydrate(userState(ports))
      .hydrate(awaitTokens(ports))
      .source(retrieve(ports))
      .filter(excludedFilter())
      .select(page(ports)),

    lastGood: pipeline<FallbackRequest>('last-good')
      .hydrate(rememberedUser(ports))
      .source(lastGoodFeed(ports))
      .filter(excludedFilter())
      .filter(hiddenFilter())
      .filter(catalogueFilter(ports))
      .filter(previouslyServedFilter())
      .filter(seenFilter())
      .select(page(ports))
      .sideEffect(recordServed(ports)),

    popular: pipeline<FallbackRequest>('popular')
      .hydrate(rememberedUser(ports))
      .source(popularFeed(ports))
      .filter(excludedFilter())
      .filter(hiddenFilter())
      .filter(catalogueFilter(ports))
      .filter(previouslyServedFilter())
      .filter(seenFilter())
      .select(page(ports))
      .sideEffect(recordServed(ports)),
  }
}
