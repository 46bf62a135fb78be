import { ContractError } from '@freshet/contracts/errors'
import {
  Consistency,
  Depth,
  type ClientContext,
  type Evaluation,
  type GetFeedRequest,
  type GetRelatedPinsRequest,
} from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { noHeaders, type MessageHeaders } from '@freshet/contracts/headers'
import type { LogPosition } from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import { unitFault } from '@freshet/contracts/json/time'
import { parseToken, type TokenTopic } from '@freshet/contracts/tokens'
import { idProblem } from '@freshet/domain/ids'
import { parseLocale } from '@freshet/domain/locale'
import type { EvaluationTerms } from './evaluation/evaluation-terms.ts'
import { noExperiments, type RequestExperiments } from './experiments/request-experiments.ts'
import { checkFilter, type RequestFilter } from './request-filter.ts'
import { withoutBudgets, type FeedParams } from './params.ts'
import type { PageSession, PageTokens } from './page-token.ts'

/** A checked request, as the stages read it. */
export interface FeedRequest {
  /** `list`: not a feed. The pins need not be new to the user, and nothing is recorded. */
  readonly surface: 'home' | 'related' | 'list'
  readonly feedId: string
  /** Empty: no user. */
  readonly userId: string
  /** The id under which the user creates pins: catalogues have no pseudonyms. Empty: no user. */
  readonly ownCreatorId: string
  /** Empty on the home feed. */
  readonly relatedToPinId: string
  readonly pageSize: number
  readonly page: PageSession
  readonly sessionId: string
  /** In canonical case; empty: all locales. */
  readonly locale: string
  /** What the client says about itself; undefined: nothing. */
  readonly client: ClientContext | undefined
  readonly atMs: number
  readonly explain: boolean
  readonly params: FeedParams
  /** The experiments that the request is in. */
  readonly experiments: RequestExperiments
  /** What the request restricts its pins to. */
  readonly filter: RequestFilter
  /** Names of the only sources to query; empty: all enabled sources. */
  readonly onlySources: readonly string[]
  /** Names of sources that must not be queried. */
  readonly withoutSources: readonly string[]
  /** For each partition, the answer must reflect all engagements before this position. */
  readonly engagementsAwaited: readonly LogPosition[]
  /** The positions of the tokens' events. The state must contain each of them. */
  readonly eventsAwaited: readonly LogPosition[]
  /** Whether a token is that of a merge: the user's partition must also take in what the other one's hands over. */
  readonly mergeAwaited: boolean
  readonly pinsAwaited: readonly LogPosition[]
  /** Changes of creators, and of boards, which only some services read. */
  readonly creatorsAwaited: readonly LogPosition[]
  readonly boardsAwaited: readonly LogPosition[]
  /** Short names of the logs of the awaited positions, if the tokens contain them. */
  readonly logsAwaited: { readonly engagements: readonly string[]; readonly pins: readonly string[] }
  /** Whether the answer has to wait for events. */
  readonly awaitsEvents: boolean
  /** Whether the blender remembers and records the feed; false: a dry run. */
  readonly recorded: boolean
  /** null: not an evaluation. */
  readonly evaluation: EvaluationTerms | null
  /** Trace context for calls to other services and for the record of the feed. */
  readonly trace: MessageHeaders
}

/** Number of pins on a page: default and maximum. */
export const defaultPageSize = 25
export const maxPageSize = 100
export const maxTokens = 1_024
const maxPinsNamed = 10_000
const maxSourcesNamed = 64
const maxClientChars = 64
const maxUtcOffsetMinutes = 1_440
/** In 2106: the largest time that fits the 32 bits of a served entry. */
const latestAtMs = 0xffffffff * 1000

/** Inputs for checking a request. */
export interface RequestBounds {
  readonly nowMs: number
  readonly feedId: string
  readonly partitions: number
  readonly pageSessionTtlMs: number
  readonly pageTokens: PageTokens
  /** Parameters of requests that set no values. */
  readonly params: FeedParams
  /** Trace context of the call; absent: none. */
  readonly trace?: MessageHeaders
  /** As in `UserCallOptions`. */
  readonly ownCreatorId?: string | undefined
}

/** Checks a home feed request. Throws CALL_INVALID_ARGUMENT, naming the field. */
export function homeFeedRequest(request: GetFeedRequest, bounds: RequestBounds): FeedRequest {
  checkId('user_id', request.userId)
  const common = checkCommon(request, bounds)
  return { ...common, surface: 'home', relatedToPinId: '', page: readPage(request, common, bounds) }
}

/** Checks a request for related pins. Throws CALL_INVALID_ARGUMENT, naming the field. */
export function relatedPinsRequest(request: GetRelatedPinsRequest, bounds: RequestBounds): FeedRequest {
  checkId('pin_id', request.pinId)
  if (request.userId !== '') checkId('user_id', request.userId)
  const common = checkCommon(request, bounds)
  const page = { firstPosition: 0, startedAtMs: common.atMs, recorded: true }
  return { ...common, surface: 'related', relatedToPinId: request.pinId, page }
}

/** The fields that requests for pins have in common. */
type UnservedMessage = Omit<GetFeedRequest, 'pageToken' | 'prefetch' | 'pageSize' | 'evaluation' | SourceSwitches> & {
  readonly pageSize?: number
}

type SourceSwitches = 'onlySources' | 'withoutSources'

/** Checks a request for pins that are not a feed: the user may be absent, and nothing is recorded. Throws CALL_INVALID_ARGUMENT, naming the field. */
export function unservedRequest(message: UnservedMessage, bounds: RequestBounds): FeedRequest {
  if (message.userId !== '') checkId('user_id', message.userId)
  const rest = { pageSize: 0, evaluation: undefined, onlySources: [], withoutSources: [] }
  const common = checkCommon({ ...rest, ...message }, bounds)
  const page = { firstPosition: 0, startedAtMs: common.atMs, recorded: false }
  return { ...common, surface: 'list', relatedToPinId: '', recorded: false, page }
}

type Common = Omit<FeedRequest, 'surface' | 'relatedToPinId' | 'page'>

function checkCommon(request: Omit<GetFeedRequest, 'pageToken' | 'prefetch'>, bounds: RequestBounds): Common {
  const { nowMs, feedId, partitions } = bounds
  const { pageSize, sessionId } = request
  if (!Number.isInteger(pageSize) || pageSize < 0 || pageSize > maxPageSize)
    throw invalid('page_size', `is ${pageSize}; give 1–${maxPageSize}, or 0 for ${defaultPageSize}`)
  if (sessionId !== '') checkId('session_id', sessionId)
  const locale = request.locale === '' ? '' : parseLocale(request.locale)?.tag
  if (locale === undefined)
    throw invalid('locale', `is ${quoted(request.locale)}, which is not BCP 47; give a locale such as de-AT, or none`)
  const atMs = checkTime(request.atMs, nowMs)
  const evaluation = checkEvaluation(request.evaluation)
  const isCollective = evaluation?.collective === true
  checkIds('only_sources', request.onlySources, maxSourcesNamed)
  checkIds('without_sources', request.withoutSources, maxSourcesNamed)
  const awaited = readTokens(request.after, partitions)
  return {
    feedId,
    userId: request.userId,
    ownCreatorId: bounds.ownCreatorId ?? request.userId,
    pageSize: pageSize === 0 ? defaultPageSize : pageSize,
    sessionId,
    locale,
    client: checkClient(request.client),
    atMs,
    explain: request.explain,
    trace: bounds.trace ?? noHeaders,
    ...awaited,
    awaitsEvents: isCollective || request.after.length > 0,
    recorded: request.evaluation?.dryRun !== true && evaluation?.candidatesOnly !== true,
    evaluation,
    experiments: noExperiments,
    filter: checkFilter(request.filter, atMs),
    onlySources: [...new Set(request.onlySources)],
    withoutSources: [...new Set(request.withoutSources)],
    params: isCollective ? withoutBudgets(bounds.params) : bounds.params,
  }
}

/** The time of a request; absent: now. Throws CALL_INVALID_ARGUMENT. */
export function checkTime(given: number | undefined, nowMs: number): number {
  const atMs = given ?? nowMs
  const unit = given === undefined ? null : unitFault(atMs)
  if (unit !== null) throw invalid('at_ms', unit.text)
  if (!Number.isSafeInteger(atMs) || atMs <= 0 || atMs > latestAtMs)
    throw invalid('at_ms', `is ${atMs}; give milliseconds since the epoch, before 2106`)
  return atMs
}

function checkClient(client: ClientContext | undefined): ClientContext | undefined {
  if (client === undefined) return undefined
  const { platform, appVersion, deviceClass, country, utcOffsetMinutes = 0 } = client
  const texts = { platform, app_version: appVersion, device_class: deviceClass, country }
  for (const [field, text] of Object.entries(texts)) {
    if (text.length > maxClientChars)
      throw invalid(`client.${field}`, `has ${text.length} characters; at most ${maxClientChars} are allowed`)
  }
  if (!Number.isInteger(utcOffsetMinutes) || Math.abs(utcOffsetMinutes) > maxUtcOffsetMinutes)
    throw invalid('client.utc_offset_minutes', `is ${utcOffsetMinutes}; give −1440 to 1440, or none`)
  return client
}

/** Checks the options of an evaluation; null: none, or only a dry run. */
function checkEvaluation(evaluation: Evaluation | undefined): EvaluationTerms | null {
  if (evaluation === undefined) return null
  const { consistency, depth, amongPinIds, excludePinIds, sources } = evaluation
  if (consistency !== Consistency.UNSPECIFIED && consistency !== Consistency.COLLECTIVE)
    throw invalid('evaluation.consistency', `has the unknown number ${consistency}`)
  if (depth !== Depth.UNSPECIFIED && depth !== Depth.CANDIDATES)
    throw invalid('evaluation.depth', `has the unknown number ${depth}`)
  checkIds('evaluation.among_pin_ids', amongPinIds, maxPinsNamed)
  checkIds('evaluation.exclude_pin_ids', excludePinIds, maxPinsNamed)
  checkIds('evaluation.sources', sources, maxSourcesNamed)
  const terms = {
    collective: consistency === Consistency.COLLECTIVE,
    candidatesOnly: depth === Depth.CANDIDATES,
    allowRepeats: evaluation.allowRepeats,
    among: [...new Set(amongPinIds)],
    exclude: new Set(excludePinIds),
    sources: [...new Set(sources)],
  }
  const { collective, candidatesOnly, allowRepeats } = terms
  const isPlain = !collective && !candidatesOnly && !allowRepeats
  return isPlain && amongPinIds.length + excludePinIds.length + sources.length === 0 ? null : terms
}

function readTokens(after: readonly string[], partitions: number) {
  if (after.length > maxTokens) throw invalid('after', `holds ${after.length} tokens; at most ${maxTokens} are allowed`)
  const latest = {
    'engagements.v1': new Map<number, LogPosition>(),
    'pins.v1': new Map<number, LogPosition>(),
    'creators.v1': new Map<number, LogPosition>(),
    'boards.v1': new Map<number, LogPosition>(),
  } as const satisfies Readonly<Record<TokenTopic, unknown>>
  const events: LogPosition[] = []
  const logs = { engagements: new Set<string>(), pins: new Set<string>() }
  let mergeAwaited = false
  for (const [at, text] of after.entries()) {
    const token = parseToken(text)
    if (token === null) throw invalid(`after[${at}]`, `is ${quoted(text)}, which is not a token of event-ingest`)
    const { topic, partition } = token
    mergeAwaited ||= token.isMerge
    if (partition >= partitions) throw invalid(`after[${at}]`, `names partition ${partition}; there are ${partitions}`)
    if (token.log !== '') logs[topic === 'engagements.v1' ? 'engagements' : 'pins'].add(token.log)
    const position = token.position + 1
    if (topic === 'engagements.v1') events.push({ topic, partition, position: token.position })
    if ((latest[topic].get(partition)?.position ?? 0) < position)
      latest[topic].set(partition, { topic, partition, position })
  }
  const logsAwaited = { engagements: [...logs.engagements], pins: [...logs.pins] }
  return {
    engagementsAwaited: [...latest['engagements.v1'].values()],
    pinsAwaited: [...latest['pins.v1'].values()],
    creatorsAwaited: [...latest['creators.v1'].values()],
    boardsAwaited: [...latest['boards.v1'].values()],
    eventsAwaited: events,
    mergeAwaited,
    logsAwaited,
  }
}

function readPage(
  request: GetFeedRequest,
  { userId, atMs }: Common,
  { pageSessionTtlMs, pageTokens }: RequestBounds,
): PageSession {
  if (request.pageToken === '') return { firstPosition: 0, startedAtMs: atMs, recorded: true }
  const session = pageTokens.parse(request.pageToken, { userId, surface: 'home' })
  if (Math.abs(atMs - session.startedAtMs) > pageSessionTtlMs)
    throw invalid(
      'page_token',
      `it has expired: the session is older than ${pageSessionTtlMs} ms; ask for the first page`,
    )
  return session
}

function checkIds(field: string, values: readonly string[], max: number): void {
  if (values.length > max) throw invalid(field, `holds ${values.length} entries; at most ${max} are allowed`)
  for (const [at, value] of values.entries()) checkId(`${field}[${at}]`, value)
}

function checkId(field: string, value: string): void {
  const problem = idProblem(value)
  if (problem !== null) throw invalid(field, problem)
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text)
}

function invalid(field: string, problem: string): ContractError {
  return new ContractError('CALL_INVALID_ARGUMENT', `${field}: ${problem}`)
}
