import { float32Column, uint32Column } from '@freshet/contracts/bytes/columns'
import { Surface } from '@freshet/contracts/gen/freshet/engagement/v1/engagement'
import type { FeedServed } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import { parseRetrieval } from '@freshet/ranker/rank-retrieval'
import type { RankingPage } from '@freshet/ranking/serving/page'

/** The page of the pins of a feed, as far as the feed records it: without the state of the user. Throws if columns do not fit. */
export function pageOfRecord(served: FeedServed): RankingPage {
  const { userId, surface, sources, foundBy, pinIds, retrievalScores, atMs, context } = served
  return {
    pinIds,
    retrievalScores: float32Column(retrievalScores),
    retrieval: parseRetrieval(served),
    user: null,
    atMs,
    request: {
      userId,
      surface: surface === Surface.RELATED ? 'related' : 'home',
      locale: context?.locale ?? '',
      sources,
      foundBy: uint32Column(foundBy),
    },
  }
}
