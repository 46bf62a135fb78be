import type { CallRule } from '@freshet/access/rules'
import type {
  MergeUsersRequest,
  PostEngagementsRequest,
  PostPinsRequest,
} from '@freshet/contracts/gen/freshet/ingest/v1/ingest'

/** The access rule of every call of event-ingest. HTTP JSON, Connect and gRPC use this table. */
export const ingestRules = {
  postEngagements: { rule: 'write' } satisfies CallRule<PostEngagementsRequest>,
  streamEngagements: { rule: 'write' } satisfies CallRule,
  postPins: { rule: 'admin' } satisfies CallRule<PostPinsRequest>,
  streamPins: { rule: 'admin' } satisfies CallRule,
  // Who merges an anonymous user into a known one must be the known one.
  mergeUsers: {
    rule: 'write',
    user: ({ intoUserId }) => (typeof intoUserId === 'string' ? intoUserId : ''),
  } satisfies CallRule<Pick<MergeUsersRequest, 'intoUserId'>>,
  eraseUser: { rule: 'admin' } satisfies CallRule,
} as const
