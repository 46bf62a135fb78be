import { bytesOf } from '@freshet/contracts/bytes/columns'
import { encodeEngagement } from '@freshet/contracts/codecs/engagement'
import { Surface } from '@freshet/contracts/gen/freshet/engagement/v1/engagement'
import { FeedServed } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import type { NewRecord } from '@freshet/contracts/ports/event-log'
import type { Action } from '@freshet/domain/engagement'
import { asId, type EventId, type FeedId, type UserId } from '@freshet/domain/ids'
import { anEngagement, aPin } from '@freshet/domain/testing'
import { hash32 } from '@freshet/domain/hash'

/** A served feed of tests. */
export interface SlateFixture {
  readonly feedId: string
  readonly userId: string
  readonly atMs: number
  readonly pinIds: readonly string[]
  readonly unshownIds?: readonly string[]
  /** What the ranker read of each pin, by name of the fact. */
  readonly facts?: Readonly<Record<string, readonly (readonly string[])[]>>
  readonly locale?: string
}

/** The number that a feature of a pin has in a feed. */
export function featureOf(feedId: string, pinId: string, feature: number): number {
  return Math.fround(hash32(`${feedId} ${pinId} ${feature}`) / 2 ** 32)
}

/** A record of `feeds-served.v1` with two features and one source. */
export function feedRecord({
  feedId,
  userId,
  atMs,
  pinIds,
  unshownIds = [],
  facts = {},
  locale = '',
}: SlateFixture): NewRecord {
  const everyPin = (of: (pinId: string, at: number) => number[]): Float32Array =>
    Float32Array.from(pinIds.flatMap((pinId, at) => of(pinId, at)))
  const feed = FeedServed.fromPartial({
    feedId,
    userId,
    atMs,
    surface: Surface.HOME,
    firstPosition: 10,
    pinIds: [...pinIds],
    utilities: bytesOf(everyPin(() => [0.5])),
    sources: ['fresh', 'popular'],
    foundBy: bytesOf(Uint32Array.from(pinIds, () => 2)),
    featureNames: ['age', 'clicks'],
    features: bytesOf(everyPin((pinId) => [featureOf(feedId, pinId, 0), featureOf(feedId, pinId, 1)])),
    modelVersion: 'home-1',
    sourceRanks: bytesOf(Uint16Array.from(pinIds, (_, at) => at)),
    sourceScores: bytesOf(everyPin((_, at) => [1 / (at + 1)])),
    retrievalRanks: bytesOf(Uint16Array.from(pinIds, (_, at) => at + 3)),
    retrievalScores: bytesOf(everyPin(() => [0.25])),
    propensities: bytesOf(everyPin((_, at) => [1 / (at + 1)])),
    versions: { rankingPlan: 'plan-7' },
    context: { locale },
    facts: Object.entries(facts).map(([name, lists]) => ({
      name,
      texts: lists.flat(),
      counts: bytesOf(Uint16Array.from(lists, ({ length }) => length)),
    })),
    unshown: {
      reasons: [{ stage: 'page', reason: 'below-page', candidates: 4 * unshownIds.length, sampled: unshownIds.length }],
      pinIds: [...unshownIds],
      reasonIndices: new Uint8Array(unshownIds.length),
    },
  })
  return { key: userId, value: FeedServed.encode(feed).finish(), partition: null }
}

/** An engagement of tests. */
export interface ActFixture {
  readonly userId: string
  readonly pinId: string
  readonly action: Action
  readonly atMs: number
  /** Absent: the engagement names no feed. */
  readonly feedId?: string
  readonly dwellMs?: number
}

/** A record of `engagements.v1`. */
export function actRecord({ userId, pinId, action, atMs, feedId, dwellMs }: ActFixture): NewRecord {
  const engagement = anEngagement({
    eventId: asId<EventId>(`${userId}-${pinId}-${action}-${atMs}`),
    userId: asId<UserId>(userId),
    action,
    subject: aPin(pinId),
    occurredAtMs: atMs,
    shown: { feedId: feedId === undefined ? null : asId<FeedId>(feedId), position: null, surface: null },
    dwellMs: dwellMs ?? null,
  })
  return { key: userId, value: encodeEngagement(engagement, atMs), partition: null }
}
