import { decodedUserState } from '@freshet/contracts/codecs/decoded-user-state'
import { bytesOf } from '@freshet/contracts/columns'
import type { RecentActions, Relations } from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import type { RelationKind } from '@freshet/domain/features/relations'
import { hasSeen } from '@freshet/domain/features/seen'
import { hash32 } from '@freshet/domain/hash'
import { newUserState, type UserState } from '@freshet/domain/user-state'

/** A user as the stages need to know one: the state, read once. */
export interface KnownUser {
  /** As stored; empty: a user without state. */
  readonly bytes: Uint8Array
  readonly recent: RecentActions | undefined
  readonly follows: Relations
  readonly blocks: Relations
  readonly hidden: ReadonlySet<string>
  readonly reported: ReadonlySet<string>
  /** `hash32` of what is blocked. */
  readonly blockedCreators: ReadonlySet<number>
  readonly blockedTopics: ReadonlySet<number>
  hasSeen(pinId: string): boolean
}

/** A user of whom nothing is known, because there is nothing. */
export const nobody: KnownUser = knownUser(new Uint8Array(0), newUserState)

/** A user from stored bytes. Throws CODEC_INVALID. */
export function userFromBytes(bytes: Uint8Array | null): KnownUser {
  return bytes === null || bytes.byteLength === 0 ? nobody : knownUser(bytes, decodedUserState(bytes))
}

function knownUser(bytes: Uint8Array, state: UserState): KnownUser {
  const ids: Record<RelationKind, string[]> = {
    'follow-board': [],
    'follow-creator': [],
    'follow-topic': [],
    'block-board': [],
    'block-creator': [],
    'block-topic': [],
    'hide-pin': [],
    'report-pin': [],
  }
  for (const { kind, id, stands } of state.relations.values()) if (stands) ids[kind].push(id)
  return {
    bytes,
    recent: recentOf(state),
    follows: { creatorIds: ids['follow-creator'], boardIds: ids['follow-board'], topicIds: ids['follow-topic'] },
    blocks: { creatorIds: ids['block-creator'], boardIds: ids['block-board'], topicIds: ids['block-topic'] },
    hidden: new Set(ids['hide-pin']),
    reported: new Set(ids['report-pin']),
    blockedCreators: new Set(ids['block-creator'].map((id) => hash32(id))),
    blockedTopics: new Set(ids['block-topic'].map((id) => hash32(id))),
    hasSeen: (pinId) => hasSeen(state.seen, pinId),
  }
}

function recentOf({ recent }: UserState): RecentActions | undefined {
  if (recent.pinIds.length === 0) return undefined
  return {
    pinIds: [...recent.pinIds],
    // On the wire an action's number is its index plus one: zero is "not given".
    actions: recent.actions.map((index) => index + 1),
    occurredAtMs: bytesOf(recent.atMs),
    sessionIds: [...recent.sessionIds],
    boardIds: [...recent.boardIds],
  }
}
