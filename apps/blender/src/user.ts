import { decodedUserState } from '@freshet/contracts/codecs/decoded-user-state'
import { bytesOf } from '@freshet/contracts/bytes/columns'
import type { RecentActions, Relations, ShownPins } from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import { userFoldVersionIn } from '@freshet/contracts/codecs/user-tail'
import { riceOf } from '@freshet/contracts/bytes/rice'
import { standingHashes } from '@freshet/domain/features/older-relations'
import type { RelationKind } from '@freshet/domain/features/relation-kinds'
import { hasRelation, olderOf } from '@freshet/domain/features/relations'
import { hasSeenHash } from '@freshet/domain/features/seen'
import { standingRows } from '@freshet/domain/features/standing'
import { actions, positiveActions, type Action } from '@freshet/domain/engagement'
import { hash32, hash32Within } from '@freshet/domain/hash'
import { addHash, createHashBits, mayContain, type HashBits } from './hash-bits.ts'
import { actedMark } from './sessions/acted-mark.ts'
import { normalWord } from '@freshet/domain/text-words'
import { newUserState, type UserState } from '@freshet/domain/user-state'

/** What the stages need to know about a user, derived once from the user's state. */
export interface KnownUser {
  /** The stored bytes; empty: a user without state. */
  readonly bytes: Uint8Array
  /** Version of the fold that made the state; 0: a user without state. */
  readonly foldVersion: number
  readonly recent: RecentActions | undefined
  /** `actedMark` of the state. */
  readonly acted: number
  readonly follows: Relations
  readonly blocks: Relations
  readonly hidden: NeverShown
  readonly reported: NeverShown
  /** Hashes of pins hidden or reported too long ago to be kept by id, encoded for `RetrieveRequest.exclude_pin_hashes`. */
  readonly hiddenLongAgo: Uint8Array
  /** The pins with a save among the recent actions that the user has not taken back. */
  readonly saved: ReadonlySet<string>
  /** `hash32` of the blocked creators and topics. */
  readonly blockedCreators: ReadonlySet<number>
  readonly blockedTopics: ReadonlySet<number>
  /** `hash32` of the blocked words as texts are compared with them, see `wordHashesOf`. */
  readonly blockedWords: Uint32Array
  /** The blocked creators and topics that `blocks` does not contain. */
  readonly olderBlocks: { readonly creators: Uint32Array; readonly topics: Uint32Array }
  /** Whether the user saw the pin, or acted on it recently. `hash`: `hash32` of the pin id. */
  hasSeen(pinId: string, hash?: number): boolean
  /** The same as hashes, for searches. It does not include served pins. */
  readonly seen: Pick<ShownPins, 'seen' | 'seenAtSeconds' | 'seenBefore'>
  /** Pins whose last action was a dismissal. They must not appear even as repeats. */
  readonly dismissed: readonly string[]
}

/** Pins that the user asked not to see again. */
export interface NeverShown {
  readonly isEmpty: boolean
  /** The most recent ones, by id. */
  readonly ids: readonly string[]
  /** `hash32` of the older ones, ascending. */
  readonly olderHashes: Uint32Array
  has(pinId: string): boolean
}

const noHashes = new Uint32Array(0)

/** A user without state. */
export const unknownUser: KnownUser = knownUser(new Uint8Array(0), newUserState)

/** Decodes a user from stored bytes. Throws CODEC_INVALID. */
export function userFromBytes(bytes: Uint8Array | null): KnownUser {
  return bytes === null || bytes.byteLength === 0 ? unknownUser : knownUser(bytes, decodedUserState(bytes))
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
    'block-word': [],
  }
  let seen: KnownUser['seen'] | null = null
  let sight: HashBits | null = null
  let saved: ReadonlySet<string> | null = null
  let dismissed: readonly string[] | null = null
  let mark: number | null = null
  let hiddenLongAgo: Uint8Array | null = null
  let acted: ReadonlySet<string> | null = null
  for (const { kind, id, stands } of state.relations.newest.values()) if (stands) ids[kind].push(id)
  const hidden = neverShown(state, 'hide-pin', ids['hide-pin'])
  const reported = neverShown(state, 'report-pin', ids['report-pin'])
  return {
    bytes,
    foldVersion: bytes.length === 0 ? 0 : userFoldVersionIn(bytes),
    recent: toRecentActions(
      state,
      (pinId) => (!hidden.isEmpty && hidden.has(pinId)) || (!reported.isEmpty && reported.has(pinId)),
    ),
    get acted() {
      return (mark ??= actedMark(state))
    },
    follows: { creatorIds: ids['follow-creator'], boardIds: ids['follow-board'], topicIds: ids['follow-topic'] },
    blocks: { creatorIds: ids['block-creator'], boardIds: ids['block-board'], topicIds: ids['block-topic'] },
    hidden,
    reported,
    get hiddenLongAgo() {
      return (hiddenLongAgo ??= encodeHiddenHashes(hidden, reported))
    },
    olderBlocks: {
      creators: olderHash32s(state.relations, 'block-creator'),
      topics: olderHash32s(state.relations, 'block-topic'),
    },
    blockedCreators: blocked(state, 'block-creator', ids['block-creator']),
    blockedTopics: blocked(state, 'block-topic', ids['block-topic']),
    get saved() {
      return (saved ??= savedPins(state))
    },
    blockedWords: blockedWords(state, ids['block-word']),
    hasSeen(pinId, hash = hash32(pinId)) {
      sight ??= sightOf(state)
      if (!mayContain(sight, hash)) return false
      acted ??= new Set(state.recent.pinIds)
      return acted.has(pinId) || hasSeenHash(state.seen, hash)
    },
    get seen() {
      return (seen ??= toSeenColumns(state))
    },
    get dismissed() {
      return (dismissed ??= dismissedPins(state))
    },
  }
}

/** The pins that a user saw or acted on. Of most pins it says at once that the user did not. */
function sightOf({ seen, recent }: UserState): HashBits {
  const older = seen.older.reduce((sum, { fingerprints }) => sum + fingerprints.length, 0)
  const bits = createHashBits(recent.pinIds.length + seen.pins.length + older)
  for (const pinId of recent.pinIds) addHash(bits, hash32(pinId))
  for (const hash of seen.pins) addHash(bits, hash)
  // The older ones are the lower bits of hashes, and so are the places of bits.
  for (const { fingerprints } of seen.older) for (const fingerprint of fingerprints) addHash(bits, fingerprint)
  return bits
}

/** The pins whose last action was a dismissal. */
function dismissedPins({ recent: { pinIds, actions: acted } }: UserState): readonly string[] {
  if (!acted.includes(dismiss)) return []
  const last = new Map(pinIds.map((pinId, row) => [pinId, row]))
  return [...last].flatMap(([pinId, row]) => (acted[row] === dismiss ? [pinId] : []))
}

function savedPins({ recent: { pinIds, actions: acted, boardIds } }: UserState): ReadonlySet<string> {
  if (!acted.includes(save)) return none
  const standing = standingRows({
    count: pinIds.length,
    action: (row) => actions[acted[row] as number] as Action,
    pinId: (row) => pinIds[row] as string,
    boardId: (row) => boardIds[row] as string,
  })
  return new Set(pinIds.filter((_, row) => acted[row] === save && standing[row] === 1))
}

const none: ReadonlySet<string> = new Set()
const save = actions.indexOf('save')
const dismiss = actions.indexOf('dismiss')

/** The state keeps few recently seen pins, so this adds the pins that the user acted on, which may go further back. */
function toSeenColumns({ seen, recent }: UserState): KnownUser['seen'] {
  const { length } = seen.pins
  const pins = new Uint32Array(length + recent.pinIds.length)
  const atSeconds = new Uint32Array(pins.length)
  pins.set(seen.pins)
  recent.pinIds.forEach((pinId, row) => (pins[length + row] = hash32(pinId)))
  seen.atMs.forEach((atMs, at) => (atSeconds[at] = atMs / 1000))
  recent.atMs.forEach((atMs, row) => (atSeconds[length + row] = atMs / 1000))
  return {
    seen: bytesOf(pins),
    seenAtSeconds: bytesOf(atSeconds),
    seenBefore: seen.older.map(({ fingerprints }) => bytesOf(fingerprints)),
  }
}

/** The recent actions without likes of hidden or reported pins. The hide itself may no longer be among the recent actions. */
function toRecentActions({ recent }: UserState, isRefused: (pinId: string) => boolean): RecentActions | undefined {
  const most = recent.pinIds.length
  const pinIds: string[] = []
  const sessionIds: string[] = []
  const boardIds: string[] = []
  const actionNumbers = new Uint8Array(most)
  const occurredAtMs = new Float64Array(most)
  const dwellMs = new Uint32Array(most)
  for (let row = 0; row < most; row++) {
    const pinId = recent.pinIds[row] as string
    if (likes.has(recent.actions[row] as number) && isRefused(pinId)) continue
    const at = pinIds.push(pinId) - 1
    sessionIds.push(recent.sessionIds[row] as string)
    boardIds.push(recent.boardIds[row] as string)
    // On the wire, an action's number is its index plus one, because zero means "not given".
    actionNumbers[at] = (recent.actions[row] as number) + 1
    occurredAtMs[at] = recent.atMs[row] as number
    dwellMs[at] = recent.dwellMs[row] || dwellNotKnown
  }
  const count = pinIds.length
  if (count === 0) return undefined
  return {
    pinIds,
    actions: actionNumbers.subarray(0, count),
    occurredAtMs: bytesOf(occurredAtMs.subarray(0, count)),
    sessionIds,
    boardIds,
    dwellMs: bytesOf(dwellMs.subarray(0, count)),
  }
}

/** On the wire; in the state 0 stands for it. */
const dwellNotKnown = 0xffffffff

const likes = new Set(positiveActions.map((action) => actions.indexOf(action)))

function neverShown({ relations }: UserState, kind: RelationKind, ids: readonly string[]): NeverShown {
  const olderHashes = olderHash32s(relations, kind)
  return {
    isEmpty: ids.length === 0 && olderHashes.length === 0,
    ids,
    olderHashes,
    has: (pinId) => hasRelation(relations, kind, pinId),
  }
}

function blocked({ relations }: UserState, kind: RelationKind, ids: readonly string[]): ReadonlySet<number> {
  return new Set([...ids.map((id) => hash32(id)), ...olderHash32s(relations, kind)])
}

/** Of words older than the newest ones only the hash is kept. Ingest keeps words in their normal form, so they are compared like the others. */
function blockedWords({ relations }: UserState, words: readonly string[]): Uint32Array {
  return Uint32Array.from([...words.map((word) => hash32(normalWord(word))), ...olderHash32s(relations, 'block-word')])
}

function olderHash32s(relations: UserState['relations'], kind: RelationKind): Uint32Array {
  const older = olderOf(relations, kind)
  return older === null ? noHashes : Uint32Array.from(standingHashes(older), hash32Within)
}

/** With many hides this takes milliseconds, so it runs once per state. */
function encodeHiddenHashes(hidden: NeverShown, reported: NeverShown): Uint8Array {
  const hashes = new Uint32Array(hidden.olderHashes.length + reported.olderHashes.length)
  hashes.set(hidden.olderHashes)
  hashes.set(reported.olderHashes, hidden.olderHashes.length)
  hashes.sort()
  return riceOf(hashes.filter((hash, at) => at === 0 || hash !== hashes[at - 1]))
}
