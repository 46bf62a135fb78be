import type { SourceSeeds } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { namedSeeds } from '@freshet/contracts/inspection/feed-seeds'
import { stageReports, toFeedItems } from './answer.ts'
import type { Answer } from './ladder.ts'
import type { PageTokens } from './page-token.ts'
import type { FeedRequest } from './request.ts'

/** What every answer with pins of the feed has. */
export function commonAnswer(request: FeedRequest, answer: Answer) {
  return {
    feedId: request.feedId,
    items: toFeedItems(request, answer),
    degradation: answer.degradation,
    reasons: [...answer.reasons],
    freshness: answer.freshness,
    stages: request.explain ? stageReports(answer) : [],
  }
}

/** What an answer of the home feed has. */
export function homeAnswer(request: FeedRequest, answer: Answer, pageTokens: PageTokens) {
  return {
    ...commonAnswer(request, answer),
    nextPageToken: nextPageToken(request, answer, pageTokens),
    seeds: seedsOf(request, answer),
  }
}

/** A full page has a next page. So does a short page if the sweep has not reached the end of the catalogue. */
function nextPageToken(
  { page, pageSize, recorded, userId }: FeedRequest,
  { rows, columns, isLast }: Answer,
  pageTokens: PageTokens,
): string {
  const sweepContinues = columns.sweep.unfinished && page.recorded
  if ((rows.length < pageSize && !sweepContinues) || (isLast && page.recorded)) return ''
  const firstPosition = page.firstPosition + rows.length
  return pageTokens.format({ ...page, firstPosition, recorded }, { userId, surface: 'home' })
}

/** The user's own actions that sources started from, if the request wants to know. */
function seedsOf({ explain }: FeedRequest, { columns }: Answer): SourceSeeds[] {
  return explain ? namedSeeds(columns.sourceNames, columns.seeds) : []
}
