import { actionOfNumber } from '@freshet/contracts/codecs/engagement'
import { bytesOf, float64Column, uint32Column } from '@freshet/contracts/bytes/columns'
import { ContractError, isContractError } from '@freshet/contracts/errors'
import { Surface } from '@freshet/contracts/gen/freshet/engagement/v1/engagement'
import {
  SourceStatus,
  type PinFilter as PinFilterMessage,
  type RetrieveRequest,
  type RetrieveResponse,
  type ShownPins as ShownPinsMessage,
} from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import { riceColumn } from '@freshet/contracts/bytes/rice'
import {
  asId,
  idProblem,
  nameProblem,
  type Branded,
  type BoardId,
  type CreatorId,
  type PinId,
  type SessionId,
  type TopicId,
  type UserId,
} from '@freshet/domain/ids'
import { parseLocale } from '@freshet/domain/locale'
import { catalogueSweep } from '@freshet/domain/source-names'
import type { EmbeddingModel } from '@freshet/retrieval/embeddings/embedding-models'
import type {
  PinFilter,
  RecentAction,
  RetrievedCandidates,
  RetrieveQuery,
  ShownPins,
} from '@freshet/retrieval/question'

import { parseImage } from './image-question.ts'

/** The most candidates a request may ask for. */
const maxLimit = 2000
/** The most entries in one column of shown pins. */
const maxShown = 65_536

/** Converts a request message to a query of the retrieval. Throws CALL_INVALID_ARGUMENT, naming the field. */
export function parseQuery(request: RetrieveRequest, sourceNames: readonly string[]): RetrieveQuery {
  if (request.limit < 1 || request.limit > maxLimit) throw invalid('limit', `is ${request.limit}; give 1–${maxLimit}`)
  if (!Number.isSafeInteger(request.atMs) || request.atMs <= 0) throw invalid('at_ms', `is ${request.atMs}, no time`)
  if (request.fillTo > maxLimit) throw invalid('fill_to', `is ${request.fillTo}; give 0–${maxLimit}`)
  return {
    surface: request.surface === Surface.RELATED ? 'related' : 'home',
    atMs: request.atMs,
    userId: optionalId<UserId>('user_id', request.userId),
    sessionId: parseSessionId(request),
    pinId: optionalId<PinId>('related_to_pin_id', request.relatedToPinId),
    recent: parseRecent(request),
    exclude: ids<PinId>('exclude_pin_ids', request.excludePinIds),
    excludeHashes: parseHashes(request.excludePinHashes),
    excludeCreatorHashes: column('blocked_creator_hashes', request.blockedCreatorHashes),
    excludeTopicHashes: column('blocked_topic_hashes', request.blockedTopicHashes),
    excludeCreators: names<CreatorId>('blocks.creator_ids', request.blocks?.creatorIds ?? []),
    excludeTopics: names<TopicId>('blocks.topic_ids', request.blocks?.topicIds ?? []),
    shown: request.shown === undefined ? null : parseShown(request.shown),
    fillTo: request.fillTo,
    sweptTo: request.sweptTo,
    among: request.amongPinIds.length === 0 ? null : ids<PinId>('among_pin_ids', request.amongPinIds),
    locale: parseLocaleTag(request.locale),
    followedCreators: names<CreatorId>('follows.creator_ids', request.follows?.creatorIds ?? []),
    followedTopics: names<TopicId>('follows.topic_ids', request.follows?.topicIds ?? []),
    followedBoards: names<BoardId>('follows.board_ids', request.follows?.boardIds ?? []),
    limit: request.limit,
    filter: parseFilter(request.filter),
    sources: parseSources(request, sourceNames),
    image: parseImage(request),
  }
}

/** The sources to query, by name; null: all. The sweep counts as one of them. */
function parseSources(
  { sources, withoutSources }: RetrieveRequest,
  names: readonly string[],
): readonly string[] | null {
  const known = [...names, catalogueSweep]
  for (const [field, given] of [['sources', sources] as const, ['without_sources', withoutSources] as const]) {
    const unknown = given.find((source) => !known.includes(source))
    if (unknown !== undefined) throw invalid(field, `names ${JSON.stringify(unknown)}; there are ${known.join(', ')}`)
  }
  if (withoutSources.length === 0) return sources.length === 0 ? null : sources
  const wanted = sources.length === 0 ? known : sources
  const left = wanted.filter((source) => !withoutSources.includes(source))
  if (left.length === 0) throw invalid('without_sources', 'leaves no source; leave one')
  return left
}

function parseFilter(filter: PinFilterMessage | undefined): PinFilter | null {
  if (filter === undefined) return null
  const { createdFromMs } = filter
  if (createdFromMs !== undefined && !Number.isSafeInteger(createdFromMs))
    throw invalid('filter.created_from_ms', `is ${createdFromMs}, no time`)
  return {
    topics: names<TopicId>('filter.topic_ids', filter.topicIds),
    creators: names<CreatorId>('filter.creator_ids', filter.creatorIds),
    boards: names<BoardId>('filter.board_ids', filter.boardIds),
    createdFromMs: createdFromMs ?? null,
  }
}

function parseLocaleTag(text: string): string | null {
  if (text !== '' && parseLocale(text) === null)
    throw invalid('locale', `is ${JSON.stringify(text)}, which is not BCP 47`)
  return text === '' ? null : text
}

/** What the answer says beside the candidates. */
export interface ResponseFacts {
  readonly fresh: boolean
  /** Whether the views are still being brought up to date. */
  readonly catchingUp: boolean
  /** The models of the embeddings that were searched. */
  readonly embeddings: readonly EmbeddingModel[]
  /** A hash of the last board of each candidate; null: not asked for, or not known. */
  readonly boards: Uint32Array | null
}

/** Converts an answer to its message. */
export function toResponse(
  found: RetrievedCandidates,
  { fresh, catchingUp, embeddings, boards }: ResponseFacts,
): RetrieveResponse {
  const none = new Uint8Array()
  return {
    pinIds: [...found.pinIds],
    scores: bytesOf(found.scores),
    sources: [
      ...found.sources.map(({ name, candidates, scores }) => ({
        source: name,
        candidateIndices: bytesOf(new Uint16Array(candidates)),
        scores: bytesOf(scores),
        status: sourceStatus(candidates.length, name, found),
        seeds: bytesOf(found.seeds.get(name) ?? noSeeds),
      })),
      ...found.skipped.map((source) => ({
        source,
        candidateIndices: none,
        scores: none,
        status: SourceStatus.TIMED_OUT,
        seeds: none,
      })),
    ],
    fresh,
    sweptTo: found.sweptTo,
    // Incomplete views can't know that no pin is left.
    exhausted: found.exhausted && !catchingUp,
    shownBefore: found.shownBefore,
    catchingUp,
    embeddings: embeddings.map(({ space, version }) => ({ modelId: space, version })),
    boards: boards === null ? none : bytesOf(boards),
  }
}

const noSeeds = new Uint16Array(0)

function sourceStatus(
  candidates: number,
  name: string,
  { interrupted, incomplete }: RetrievedCandidates,
): SourceStatus {
  if (interrupted.includes(name)) return SourceStatus.TIMED_OUT
  if (incomplete.includes(name)) return SourceStatus.FAILED
  return candidates === 0 ? SourceStatus.EMPTY : SourceStatus.ANSWERED
}

/** The session of the request if the user's actions have session ids; else null, and the gap rule separates sessions. */
function parseSessionId(request: RetrieveRequest): SessionId | null {
  const bySession = request.recent?.sessionIds.some((session) => session !== '') ?? false
  return bySession ? optionalId<SessionId>('session_id', request.sessionId) : null
}

function parseHashes(bytes: Uint8Array): Uint32Array {
  try {
    return riceColumn(bytes)
  } catch (error) {
    if (!isContractError(error, 'CODEC_INVALID')) throw error
    throw invalid('exclude_pin_hashes', error.message)
  }
}

/** Stands for a time that is not known, because 0 is one. */
const dwellNotKnown = 0xffffffff

function parseRecent(request: RetrieveRequest): RecentAction[] {
  const recent = request.recent
  if (recent === undefined) return []
  const { pinIds, actions, sessionIds, boardIds } = recent
  const times = float64Column(recent.occurredAtMs)
  if (actions.length !== pinIds.length || times.length !== pinIds.length)
    throw invalid('recent', 'has columns of different lengths')
  if (sessionIds.length !== 0 && sessionIds.length !== pinIds.length)
    throw invalid('recent.session_ids', 'has another length than recent.pin_ids')
  if (boardIds.length !== 0 && boardIds.length !== pinIds.length)
    throw invalid('recent.board_ids', 'has another length than recent.pin_ids')
  const dwells = column('recent.dwell_ms', recent.dwellMs)
  if (dwells.length !== 0 && dwells.length !== pinIds.length)
    throw invalid('recent.dwell_ms', 'has another length than recent.pin_ids')
  return pinIds.map((pinId, at) => {
    const action = actionOfNumber(actions[at]!)
    if (action === null) throw invalid('recent.actions', `holds the unknown number ${actions[at]}`)
    return {
      pinId: id<PinId>('recent.pin_ids', pinId),
      action,
      occurredAtMs: times[at]!,
      sessionId: optionalId<SessionId>('recent.session_ids', sessionIds[at] ?? ''),
      boardId: optionalName('recent.board_ids', boardIds[at] ?? ''),
      dwellMs: (dwells[at] ?? dwellNotKnown) === dwellNotKnown ? null : dwells[at]!,
    }
  })
}

function parseShown({ seen, seenAtSeconds, seenBefore, served, servedAtSeconds }: ShownPinsMessage): ShownPins {
  const shown = {
    seen: column('shown.seen', seen),
    seenAtSeconds: column('shown.seen_at_seconds', seenAtSeconds),
    seenBefore: seenBefore.map((generation) => column('shown.seen_before', generation)),
    served: column('shown.served', served),
    servedAtSeconds: column('shown.served_at_seconds', servedAtSeconds),
  }
  if (shown.seen.length !== shown.seenAtSeconds.length || shown.served.length !== shown.servedAtSeconds.length)
    throw invalid('shown', 'has columns of different lengths')
  return shown
}

function column(field: string, bytes: Uint8Array): Uint32Array {
  if (bytes.byteLength % 4 !== 0) throw invalid(field, `has ${bytes.byteLength} bytes, no multiple of 4`)
  if (bytes.byteLength > 4 * maxShown)
    throw invalid(field, `holds ${bytes.byteLength / 4} numbers; at most ${maxShown}`)
  return uint32Column(bytes)
}

function ids<Id extends Branded<string>>(field: string, values: readonly string[]): Id[] {
  return values.map((value) => id<Id>(field, value))
}

function id<Id extends Branded<string>>(field: string, value: string): Id {
  const problem = idProblem(value)
  if (problem !== null) throw invalid(field, problem)
  return asId<Id>(value)
}

function names<Name extends Branded<string>>(field: string, values: readonly string[]): Name[] {
  return values.map((value) => name<Name>(field, value))
}

function name<Name extends Branded<string>>(field: string, value: string): Name {
  const problem = nameProblem(value)
  if (problem !== null) throw invalid(field, problem)
  return asId<Name>(value)
}

function optionalName(field: string, value: string): BoardId | null {
  return value === '' ? null : name<BoardId>(field, value)
}

function optionalId<Id extends Branded<string>>(field: string, value: string): Id | null {
  return value === '' ? null : id<Id>(field, value)
}

function invalid(field: string, problem: string): ContractError {
  return new ContractError('CALL_INVALID_ARGUMENT', `${field} ${problem}`)
}
