import { pipeline, type Pipeline } from '@freshet/pipeline/pipeline'
import type { CandidateColumns } from './candidates.ts'
import { catalogueFilter } from './filters/catalogue.ts'
import { excludedFilter } from './filters/excluded.ts'
import { hiddenFilter } from './filters/hidden.ts'
import { previouslyServedFilter } from './filters/previously-served.ts'
import { seenFilter } from './filters/seen.ts'
import type { StagePorts } from './ports.ts'
import type { FeedRequest } from './request.ts'
import { awaitTokens, type FreshnessContext } from './hydrators/await-tokens.ts'
import { lastGoodFeed } from './sources/last-good-feed.ts'
import { popularFeed } from './sources/popular-feed.ts'
import { keepLastGood } from './side-effects/keep-last-good.ts'
import { byUtility } from './selectors/by-utility.ts'
import { page } from './selectors/page.ts'
import { rank, type ScoreColumns } from './scorers/rank.ts'
import { shownBeforeLast } from './selectors/shown-before-last.ts'
import { recordServed } from './side-effects/record-served.ts'
import { retrieve } from './sources/retrieve.ts'
import { rememberedUser, type FallbackRequest, type Remembered } from './hydrators/remembered-user.ts'
import { userState, type UserContext } from './hydrators/user-state.ts'

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
      .select(byUtility())
      .select(shownBeforeLast())
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
