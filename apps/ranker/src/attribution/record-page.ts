import { float32Column, uint16Column, uint32Column } from '@freshet/contracts/bytes/columns'
import { Surface } from '@freshet/contracts/gen/freshet/engagement/v1/engagement'
import type { FeedServed } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import { asId, type CreatorId, type PinId, type TopicId } from '@freshet/domain/ids'
import { unrestrictedPin, type Pin } from '@freshet/domain/pin'
import { parseHeadFactors } from '../head-factors.ts'
import { parseRetrieval } from '../rank-retrieval.ts'
import type { RankingPage } from '@freshet/ranking/serving/page'

/** The page of the pins of a feed, as far as the feed records it: without the state of the user. Throws if columns do not fit. */
export function pageOfRecord(served: FeedServed): RankingPage {
  const { userId, surface, sources, foundBy, pinIds, retrievalScores, atMs, context } = served
  return {
    pinIds,
    retrievalScores: float32Column(retrievalScores),
    retrieval: parseRetrieval(served),
    user: null,
    headFactors: parseHeadFactors(served),
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

/** The catalogue's entries of the pins with the facts that the feed records, and nothing else. */
export function pinsOfRecord(served: FeedServed): readonly Pin[] {
  const creators = textsOf(served, 'pin.creator')
  const topics = textsOf(served, 'pin.topics')
  return served.pinIds.map((pinId, row) => {
    const creator = creators[row]?.[0]
    return {
      pinId: asId<PinId>(pinId),
      title: '',
      description: '',
      topics: (topics[row] ?? []).map((topic) => asId<TopicId>(topic)),
      creatorId: creator === undefined ? null : asId<CreatorId>(creator),
      createdAtMs: null,
      locale: null,
      imageUrl: null,
      visualEmbedding: null,
      ...unrestrictedPin,
    }
  })
}

/** The texts of a fact for each pin; empty if the feed does not record the fact. */
function textsOf({ facts }: FeedServed, name: string): readonly (readonly string[])[] {
  const fact = facts.find((each) => each.name === name)
  if (fact === undefined) return []
  let next = 0
  return [...uint16Column(fact.counts)].map((count) => fact.texts.slice(next, (next += count)))
}
