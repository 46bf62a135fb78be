import type { MessageHeaders } from '../headers.ts'
import type {
  ExplainFeedRequest,
  ExplainFeedResponse,
  GetCapabilitiesRequest,
  GetCapabilitiesResponse,
  GetFeedRequest,
  GetFeedResponse,
  GetPinsRequest,
  GetPinsResponse,
  GetRelatedPinsRequest,
  GetRelatedPinsResponse,
  RankPinsRequest,
  RankPinsResponse,
  SearchByImageRequest,
  SearchByImageResponse,
} from '../gen/freshet/blending/v1/blending.ts'
import type {
  AttributeRequest,
  AttributeResponse,
  RankRequest,
  RankResponse,
} from '../gen/freshet/ranking/v1/ranking.ts'
import type {
  GatherTrailsRequest,
  GatherTrailsResponse,
  RetrieveRequest,
  RetrieveResponse,
} from '../gen/freshet/retrieval/v1/retrieval.ts'

/** The timeout, the signal and the headers of a call. */
export interface CallOptions {
  /** Milliseconds from the start of the call. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal
  /** Sent to the called service; absent: none. The call rejects with HEADERS_TOO_LARGE when they exceed the limit. */
  readonly headers?: MessageHeaders
}

/** The options of a call for a user to a blender. */
export interface UserCallOptions extends CallOptions {
  /** The id under which the user creates pins, where the request has a pseudonym; absent: the id in the request. It stays in this process. */
  readonly ownCreatorId?: string
}

/** Which few hundred pins? Errors are `ContractError`s: CALL_DEADLINE_EXCEEDED, CALL_CANCELLED, CALL_UNAVAILABLE, CALL_INVALID_ARGUMENT, CALL_INTERNAL. */
export interface CandidateService {
  retrieve(request: RetrieveRequest, options: CallOptions): Promise<RetrieveResponse>
}

/** Which trails and sessions of its users does an instance hold? Errors as for `CandidateService`. */
export interface TrailShard {
  gatherTrails(request: GatherTrailsRequest, options: CallOptions): Promise<GatherTrailsResponse>
}

/** The options of a call to a ranker. */
export interface RankOptions extends CallOptions {
  /** The caller is in the same process and knows `readRows`, so an answer may leave out what nobody may ask for. */
  readonly readsRows?: boolean
}

/** The answer of a ranker. */
export interface RankAnswer extends RankResponse {
  /**
   * Gives `features` and `facts` of the candidates at these places, in this order. Only answers to calls with `readsRows` have it; their
   * columns of features and facts are empty. A feed records the few pins of its page, and a page has hundreds of candidates.
   */
  readonly readRows?: (places: Int32Array) => Pick<RankResponse, 'features' | 'facts'>
}

/** How likely is each action for each candidate? Errors as for `CandidateService`. */
export interface Ranker {
  rank(request: RankRequest, options: RankOptions): Promise<RankAnswer>
}

/** What did each feature contribute to the scores of a served feed? Errors as for `CandidateService`. */
export interface Attribution {
  attribute(request: AttributeRequest, options: CallOptions): Promise<AttributeResponse>
}

/** The calls of the blender that serve feeds. */
export interface Feeds {
  getFeed(request: GetFeedRequest, options: UserCallOptions): Promise<GetFeedResponse>
  getRelatedPins(request: GetRelatedPinsRequest, options: UserCallOptions): Promise<GetRelatedPinsResponse>
}

/**
 * What is shown, and why? The public API; errors as for `CandidateService`. A valid request within its time does not fail, except
 * that `searchByImage` needs the candidate service, and `explainFeed` the log (FEED_MISSING, USER_ERASED).
 */
export interface Blender extends Feeds {
  rankPins(request: RankPinsRequest, options: UserCallOptions): Promise<RankPinsResponse>
  getPins(request: GetPinsRequest, options: CallOptions): Promise<GetPinsResponse>
  searchByImage(request: SearchByImageRequest, options: UserCallOptions): Promise<SearchByImageResponse>
  explainFeed(request: ExplainFeedRequest, options: CallOptions): Promise<ExplainFeedResponse>
  getCapabilities(request: GetCapabilitiesRequest, options: CallOptions): Promise<GetCapabilitiesResponse>
}
