import { ContractError, isContractError } from '@freshet/contracts/errors'
import { bytesOf } from '@freshet/contracts/bytes/columns'
import { Surface } from '@freshet/contracts/gen/freshet/engagement/v1/engagement'
import type { PinFilter, RetrieveRequest, ShownPins } from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import { hash32 } from '@freshet/domain/hash'
import { catalogueSweep, sourceNames } from '@freshet/domain/source-names'
import type { Source } from '@freshet/pipeline/stage'
import { candidatesFrom, type CandidateColumns } from '../candidates.ts'
import { usesBoards } from '../ordering/rules.ts'
import type { StagePorts } from '../ports.ts'
import type { SourceChoice } from '../experiments/request-experiments.ts'
import type { FeedRequest } from '../request.ts'
import { isNarrow, type RequestFilter } from '../request-filter.ts'
import { nothingServed, type ServedSet } from '../served-set.ts'
import type { FreshnessContext } from '../hydrators/await-tokens.ts'
import type { UserContext } from '../hydrators/user-state.ts'

const mostCandidates = 2_000

/** The parts that all sources that ask the candidate service share. */
export const retrieveStage = {
  kind: 'source',
  name: 'retrieve',
  policy: 'required',
  budget: ({ params }: Pick<FeedRequest, 'params'>) => ({ ms: params.retrieveBudgetMs, share: 0.6 }),
} as const

/** Asks the candidate service for a few hundred pins. */
export function retrieve({
  candidates,
  memory,
  config,
}: Pick<StagePorts, 'candidates' | 'memory' | 'config'>): Source<
  FeedRequest & UserContext & FreshnessContext,
  CandidateColumns
> {
  return {
    ...retrieveStage,
    run: async (request, { timeoutMs, signal }) => {
      const { userId, atMs } = request
      const mine = memory.served(userId, { atMs, windowMs: config.servedWindowMs })
      const asked = retrieveRequest(request, mine ?? nothingServed)
      const response = await candidates.retrieve(asked, { timeoutMs, signal, headers: request.trace })
      return candidatesFrom(response, [], asked)
    },
  }
}

/** The error to return if the candidate service rejected the sources that the request names; null: another failure. */
export function refusedSources(
  { onlySources, withoutSources }: Pick<FeedRequest, 'onlySources' | 'withoutSources'>,
  cause: unknown,
): ContractError | null {
  if (onlySources.length + withoutSources.length === 0 || !isContractError(cause, 'CALL_INVALID_ARGUMENT')) return null
  const text = cause.message.replace(/^sources /, 'only_sources: ').replace(/^without_sources /, 'without_sources: ')
  return new ContractError('CALL_INVALID_ARGUMENT', text, { cause })
}

/** The request to the candidate service for a feed. */
export function retrieveRequest(
  request: FeedRequest & UserContext & FreshnessContext,
  servedHere: ServedSet,
): RetrieveRequest {
  const { minCandidates } = request.params
  const maxCandidates = maxCandidatesOf(request)
  const { user, surface, page, pageSize, served } = request
  const sources = sourcesOf(request, request.experiments.sources())
  // Pages that are not recorded come from one order, so this page needs all pins before it too.
  const needed = pageSize + (page.recorded ? 0 : page.firstPosition)
  const least = Math.min(minCandidates, maxCandidates)
  const fillTo = least === 0 || !wantsSweep(request) ? 0 : Math.min(mostCandidates, Math.max(least, needed))
  return {
    userId: request.userId,
    sessionId: request.sessionId,
    surface: surface === 'home' ? Surface.HOME : Surface.RELATED,
    atMs: request.atMs,
    recent: user.recent,
    relatedToPinId: request.relatedToPinId,
    excludePinIds: excludedPins(request),
    blockedCreatorHashes: bytesOf(user.olderBlocks.creators),
    blockedTopicHashes: bytesOf(user.olderBlocks.topics),
    excludePinHashes: user.hiddenLongAgo,
    follows: user.follows,
    blocks: user.blocks,
    limit: Math.max(maxCandidates, fillTo),
    sources: [...sources.only],
    locale: request.locale,
    amongPinIds: [],
    await: [...request.candidatesAwait],
    shown: surface === 'home' ? toShownPins(request, servedHere) : undefined,
    fillTo,
    sweptTo: served.sweptTo,
    filter: toPinFilter(request.filter),
    withoutSources: [...sources.without],
    imageEmbedding: new Uint8Array(0),
    imageOfPinId: '',
    withBoards: usesBoards(request),
  }
}

/**
 * Related pins are ranked from few candidates: what a model learned of the home feed would else prefer what the user likes to what
 * is like the pin.
 */
function maxCandidatesOf({ surface, pageSize, params }: FeedRequest): number {
  const { maxCandidates, relatedCandidates } = params
  return surface === 'related' ? Math.min(maxCandidates, Math.max(relatedCandidates, 2 * pageSize)) : maxCandidates
}

/** Sources that do not start from the open pin. Related pins ask them only by name. */
const notOfThePin = ['fresh-followed', 'long-term-walk', 'popularity', 'revisit', 'saved-boards', 'trending']

/** The sources that both the request and its experiments allow; those of the request, if they allow none together. */
function sourcesOf({ surface, onlySources, withoutSources }: FeedRequest, tried: SourceChoice): SourceChoice {
  const isTried = (source: string) => tried.only.length === 0 || tried.only.includes(source)
  const only = onlySources.length === 0 ? tried.only : onlySources.filter(isTried)
  const unasked = surface === 'related' && only.length === 0 ? notOfThePin : []
  const without = [...new Set([...withoutSources, ...tried.without, ...unasked])]
  const named = onlySources.length === 0 && only.length === 0 ? [...sourceNames, catalogueSweep] : only
  const isAnyLeft = named.some((source) => !without.includes(source))
  return isAnyLeft ? { only, without } : { only: onlySources, without: withoutSources }
}

function wantsSweep({ onlySources }: FeedRequest): boolean {
  return onlySources.length === 0 || onlySources.includes(catalogueSweep)
}

function toPinFilter(filter: RequestFilter): PinFilter | undefined {
  if (!isNarrow(filter)) return undefined
  const { topicIds, creatorIds, boardIds, createdFromMs } = filter
  return {
    topicIds: [...topicIds],
    creatorIds: [...creatorIds],
    boardIds: [...boardIds],
    createdFromMs: createdFromMs ?? undefined,
  }
}

/** Pins that the search skips, so that filters remove less. The filters check again. */
function toShownPins({ user, served, filter, atMs }: FeedRequest & UserContext, servedHere: ServedSet): ShownPins {
  const { seen, seenAtSeconds, seenBefore } = user.seen
  const elsewhere = Uint32Array.from(filter.seen, (pinId) => hash32(pinId))
  return {
    seen: joinedBytes(seen, elsewhere),
    seenAtSeconds: joinedBytes(seenAtSeconds, new Uint32Array(elsewhere.length).fill(Math.floor(atMs / 1000))),
    seenBefore,
    served: bytesOf(joined(served.lows, servedHere.lows)),
    servedAtSeconds: bytesOf(joined(served.seconds, servedHere.seconds)),
  }
}

function joinedBytes(first: Uint8Array, second: Uint32Array): Uint8Array {
  return second.length === 0 ? first : Buffer.concat([first, bytesOf(second)])
}

function joined(first: Uint32Array, second: Uint32Array): Uint32Array {
  if (second.length === 0) return first
  const both = new Uint32Array(first.length + second.length)
  both.set(first)
  both.set(second, first.length)
  return both
}

/** Pins that the candidate service must not return even as repeats. The filters check again. */
function excludedPins({ user, surface, filter }: FeedRequest & UserContext): string[] {
  const ofSurface = surface === 'home' ? [...user.dismissed, ...user.saved] : filter.seen
  return [...new Set([...user.hidden.ids, ...user.reported.ids, ...filter.exclude, ...ofSurface])]
}
