import type { CallRule } from '@freshet/access/rules'
import { anonymousCharacters, anonymousPrefix, isAnonymousId } from '@freshet/domain/ids'
import type {
  MergeUsersRequest,
  PostBoardsRequest,
  PostCreatorsRequest,
  PostEngagementsRequest,
  PostPinsRequest,
} from '@freshet/contracts/gen/freshet/ingest/v1/ingest'

/** Why callers that are not trusted may not merge a user. */
export const mergeOfKnownUser = `fromUserId: is not an anonymous id, which begins with ${anonymousPrefix} and has at least ${anonymousCharacters} more characters; send one as the SDK makes it, or merge from a server by a signed request of a server key`

/** The access rule of every call of event-ingest. HTTP JSON, Connect and gRPC use this table. */
export const ingestRules = {
  postEngagements: { rule: 'write' } satisfies CallRule<PostEngagementsRequest>,
  streamEngagements: { rule: 'write' } satisfies CallRule,
  postPins: { rule: 'admin' } satisfies CallRule<PostPinsRequest>,
  streamPins: { rule: 'admin' } satisfies CallRule,
  streamCreators: { rule: 'admin' } satisfies CallRule,
  streamBoards: { rule: 'admin' } satisfies CallRule,
  postCreators: { rule: 'admin' } satisfies CallRule<PostCreatorsRequest>,
  postBoards: { rule: 'admin' } satisfies CallRule<PostBoardsRequest>,
  // Who merges an anonymous user into a known one must be the known one. The other must be nobody's known id: a merge would take what that user did.
  mergeUsers: {
    rule: 'write',
    user: ({ intoUserId }) => (typeof intoUserId === 'string' ? intoUserId : ''),
    denied: ({ fromUserId }) => (isAnonymousId(fromUserId) ? null : mergeOfKnownUser),
  } satisfies CallRule<Pick<MergeUsersRequest, 'fromUserId' | 'intoUserId'>>,
  eraseUser: { rule: 'admin' } satisfies CallRule,
} as const
