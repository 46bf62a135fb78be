import { noCounters } from '@freshet/domain/decay'
import { actions } from '@freshet/domain/engagement'
import type { BoardAffinity } from '@freshet/domain/features/board-affinity'
import { dwellResolutionMs, type RecentActions } from '@freshet/domain/features/recent-actions'
import { noMerges, type Merges } from '@freshet/domain/features/merges'
import type { OlderRelations } from '@freshet/domain/features/older-relations'
import { relationKinds, type Relation } from '@freshet/domain/features/relation-kinds'
import { mapOf, type Relations } from '@freshet/domain/features/relations'
import { seenResolutionMs, type Seen } from '@freshet/domain/features/seen'
import type { Sessions } from '@freshet/domain/features/sessions'
import { defaultUserLimits, foldUser, type UserLimits, type UserState } from '@freshet/domain/user-state'
import { bytesOf, float64Column, uint32Column } from '../bytes/columns.ts'
import { ContractError } from '../errors.ts'
import {
  OlderRelations as OlderRelationsMessage,
  UserState as UserStateMessage,
} from '../gen/freshet/state/v1/state.ts'
import { packIds } from '../bytes/packed-ids.ts'
import { riceColumn, riceOf } from '../bytes/rice.ts'
import { fewColumn, fewOf, sparseColumn, sparseOf } from '../bytes/sparse.ts'
import { unpackIds } from '../bytes/unpacked-ids.ts'
import { ascendingColumn, varintColumn, varintsOf } from '../bytes/varints.ts'
import { encodeFields, type FieldWriter } from '../bytes/wire.ts'
import { fromCountersMessage, writeCounters } from './counters.ts'
import { decodeOrThrow } from './engagement.ts'
import { refuseNewer } from './newer.ts'
import {
  fromTailEngagement,
  fullTailBytes,
  userFoldVersion,
  userLimitsOf,
  userStateVersion,
  weightsVersion,
  wordsVersion,
  writeFoldVersion,
  writeTailMark,
  writeUserLimits,
} from './user-tail.ts'

const withdrawn = 0x80
/** The first byte of a column of actions in layout 3. No action has this index. */
const packedMark = Uint8Array.of(0x1f)

/**
 * Encodes a user's state for storage, without a tail. The same state and limits always have the same bytes. `limits`: the
 * limits for what will be appended. `foldVersion`: only tests pass another version than this code's.
 */
export function encodeUserState(
  state: UserState,
  limits: UserLimits = defaultUserLimits,
  foldVersion = userFoldVersion,
): Uint8Array {
  const ids = createDictionary()
  const { recent, boards, seen, sessions } = state
  const relations = [...state.relations.newest.values()]
  const sessionTimes = new Float64Array(sessions.startMs.length * 2)
  sessions.startMs.forEach((start, i) => {
    sessionTimes[2 * i] = start
    sessionTimes[2 * i + 1] = sessions.endMs[i] ?? start
  })
  // Boards and sessions occur most often, so they get the small indices.
  const recentBoards = recent.boardIds.some((id) => id !== '')
    ? recent.boardIds.map((id) => (id === '' ? 0 : ids.indexOf(id) + 1))
    : []
  const firstWithSession = recent.sessionIds.findIndex((id) => id !== '')
  const recentSessions =
    firstWithSession < 0
      ? []
      : recent.sessionIds.slice(firstWithSession).map((id) => (id === '' ? 0 : ids.indexOf(id) + 1))
  const firstPin = ids.size()
  const pins = recent.pinIds.map(ids.reference)
  const relationIds = relations.map(({ id }) => ids.indexOf(id))
  const boardIds = boards.boardIds.map(ids.indexOf)
  const packedIds = packIds(ids.all())
  const words = hasWords(state)
  return encodeFields((to) => {
    to.uint(1, words ? wordsVersion : userStateVersion)
    to.varints(3, [state.firstAtMs, state.lastAtMs])
    if (pins.length > 0) {
      to.bytes(4, joined(varintsOf([firstPin]), sparseOf(pins)))
      const kinds = recent.actions.map((action, row) => action | ((recent.surfaces[row] ?? 0) << 5))
      to.bytes(5, joined(packedMark, fewOf(kinds)))
    }
    to.gaps(6, recent.atMs)
    if (recentBoards.length > 0) to.bytes(7, sparseOf(recentBoards))
    if (recent.dwellMs.some((dwell) => dwell > 0)) {
      to.bytes(8, sparseOf(Array.from(recent.dwellMs, (dwell) => dwell / dwellResolutionMs)))
    }
    writeCounters(to, 9, state.counters)
    to.bytes(
      10,
      Uint8Array.from(relations, ({ kind, stands }) => relationKinds.indexOf(kind) | (stands ? 0 : withdrawn)),
    )
    to.varints(11, relationIds)
    to.gaps(
      12,
      relations.map(({ atMs }) => atMs),
    )
    to.varints(13, boardIds)
    to.varints(14, boards.atMs)
    to.bytes(15, bytesOf(boards.weights))
    to.bytes(16, bytesOf(seen.pins))
    to.gaps(
      17,
      seen.atMs.map((atMs) => atMs / seenResolutionMs),
    )
    for (const { generation, fingerprints } of seen.older) {
      to.message(18, () => {
        to.uint(1, generation)
        to.bytes(2, riceOf(fingerprints))
      })
    }
    to.uint(19, sessions.closed)
    to.gaps(20, sessionTimes)
    to.varints(21, recentSessions)
    writeUserLimits(to, limits)
    to.bytes(24, packedIds)
    for (const older of state.relations.older) {
      to.message(26, () => {
        writeOlder(to, older)
      })
    }
    const { into, from } = state.merges
    if (into !== null) {
      to.text(28, into.userId)
      to.uint(29, into.atMs)
    }
    for (const userId of from) to.text(30, userId)
    writeFoldVersion(to, foldVersion)
    writeTailMark(to, into === null && !words ? 0 : fullTailBytes, foldVersion)
  })
}

/** Decodes a user's state from stored bytes: reads the whole value and folds the tail on top. Throws CODEC_INVALID for invalid bytes, CODEC_NEWER for a newer layout or fold. */
export function decodeUserState(bytes: Uint8Array): UserState {
  const message = decodeOrThrow('freshet.state.v1.UserState', () => UserStateMessage.decode(bytes))
  if (message.version < 1) throw invalid(`has layout ${message.version}; this version reads 1 to ${weightsVersion}`)
  refuseNewer('freshet.state.v1.UserState', 'layout', message.version, weightsVersion)
  refuseNewer('freshet.state.v1.UserState', 'fold', message.foldVersion, userFoldVersion)
  const base = baseOf(message)
  if (message.tail.length === 0) return base
  return foldUser(base, message.tail.map(fromTailEngagement), userLimitsOf(message.limits))
}

/** Encodes the same state without a tail. Two stores with the same state have the same bytes. */
export function withoutTail(bytes: Uint8Array): Uint8Array {
  return encodeUserState(decodeUserState(bytes))
}

function baseOf(message: UserStateMessage): UserState {
  const ids = message.ids === '' ? unpackIds(message.packedIds) : message.ids.split('\n')
  const idAt = (index: number): string => ids[index] ?? refuse('names an id that it does not hold')
  const [firstAtMs = 0, lastAtMs = 0] = varintColumn(message.firstLastAtMs)
  return {
    firstAtMs,
    lastAtMs,
    recent: recentOf(message, idAt),
    counters: fromCountersMessage(message.counters, noCounters(actions.length)),
    relations: relationsOf(message, idAt),
    boards: boardsOf(message, idAt),
    seen: seenOf(message),
    sessions: sessionsOf(message),
    merges: mergesOf(message),
  }
}

function recentOf(message: UserStateMessage, idAt: (index: number) => string): RecentActions {
  const { kinds, firstPin, pins, boards, dwell } = recentColumns(message)
  const rows = pins.length
  const sessions = varintColumn(message.recentSessions)
  const atMs = ascendingColumn(message.recentAtMs)
  sameLength('recent', rows, kinds.length, atMs.length)
  if (boards.length > 0) sameLength('recent_boards', rows, boards.length)
  if (dwell.length > 0) sameLength('recent_dwell_deciseconds', rows, dwell.length)
  const boardIds = new Array<string>(rows).fill('')
  boards.forEach((index, row) => {
    if (index > 0) boardIds[row] = idAt(index - 1)
  })
  const older = rows - sessions.length
  if (older < 0) throw invalid('recent_sessions has more rows than there are recent actions')
  const sessionIds = new Array<string>(rows).fill('')
  sessions.forEach((index, row) => {
    if (index > 0) sessionIds[older + row] = idAt(index - 1)
  })
  const dwellMs = new Uint32Array(rows)
  const actionsOf = new Uint8Array(rows)
  const surfaces = new Uint8Array(rows)
  for (let row = 0; row < rows; row++) {
    const kind = kinds[row] ?? 0
    actionsOf[row] = kind & 0x1f
    surfaces[row] = kind >>> 5
    dwellMs[row] = (dwell[row] ?? 0) * dwellResolutionMs
  }
  return {
    pinIds: dereference(pins, firstPin, idAt),
    actions: actionsOf,
    atMs,
    boardIds,
    surfaces,
    dwellMs,
    sessionIds,
  }
}

interface RecentColumns {
  readonly kinds: Uint8Array
  readonly firstPin: number
  readonly pins: Float64Array
  /** Empty: no action has one. The same holds for `dwell`. */
  readonly boards: Float64Array
  readonly dwell: Float64Array
}

/** The columns that layout 3 changed. Each shows its own layout, since an appended part overrides the version of the value. */
function recentColumns(message: UserStateMessage): RecentColumns {
  const { recentPins, recentActions, recentBoards, recentDwellDeciseconds } = message
  if (recentActions[0] !== packedMark[0]) {
    const column = varintColumn(recentPins)
    return {
      kinds: recentActions,
      firstPin: column[0] ?? 0,
      pins: column.subarray(1),
      boards: varintColumn(recentBoards),
      dwell: varintColumn(recentDwellDeciseconds),
    }
  }
  const kinds = fewColumn(recentActions.subarray(1))
  const rows = kinds.length
  const firstBytes = recentPins.findIndex((byte) => byte < 0x80) + 1
  const optional = (bytes: Uint8Array) => (bytes.length === 0 ? new Float64Array(0) : sparseColumn(bytes, rows))
  return {
    kinds,
    firstPin: varintColumn(recentPins.subarray(0, firstBytes))[0] ?? 0,
    pins: sparseColumn(recentPins.subarray(firstBytes), rows),
    boards: optional(recentBoards),
    dwell: optional(recentDwellDeciseconds),
  }
}

/** Whether a state needs the layout with words. */
export function hasWords({ relations: { newest, older } }: UserState): boolean {
  for (const { kind } of newest.values()) if (kind === 'block-word') return true
  return older.some(({ kind }) => kind === 'block-word')
}

function relationsOf(message: UserStateMessage, idAt: (index: number) => string): Relations {
  const ids = varintColumn(message.relationIds)
  const atMs = ascendingColumn(message.relationAtMs)
  sameLength('relation', message.relationKinds.length, ids.length, atMs.length)
  const newest = mapOf(
    Array.from(message.relationKinds, (byte, row): Relation => {
      const kind = relationKinds[byte & ~withdrawn] ?? refuse('names a kind of relation that is not known')
      return { kind, id: idAt(ids[row] ?? 0), atMs: atMs[row] ?? 0, stands: (byte & withdrawn) === 0 }
    }),
  )
  return { newest, older: message.olderRelations.map(olderOf) }
}

function writeOlder(to: FieldWriter, { kind, hashes, atMs, stands }: OlderRelations): void {
  const newestAtMs = atMs.reduce((newest, at) => Math.max(newest, at), 0)
  to.uint(1, relationKinds.indexOf(kind) + 1)
  to.gaps(2, hashes)
  to.uint(3, newestAtMs)
  to.varints(
    4,
    atMs.map((at, row) => 2 * (newestAtMs - at) + (stands[row] === 1 ? 0 : 1)),
  )
}

function olderOf({ kind: number, hashes: gaps, newestAtMs, changes: column }: OlderRelationsMessage): OlderRelations {
  const kind = relationKinds[number - 1] ?? refuse('names a kind of relation that is not known')
  const hashes = ascendingColumn(gaps)
  const changes = varintColumn(column)
  sameLength('older_relations', hashes.length, changes.length)
  return {
    kind,
    hashes,
    atMs: changes.map((change) => newestAtMs - Math.floor(change / 2)),
    stands: Uint8Array.from(changes, (change) => 1 - (change % 2)),
  }
}

function boardsOf(message: UserStateMessage, idAt: (index: number) => string): BoardAffinity {
  const boards = varintColumn(message.boards)
  const weights = float64Column(message.boardWeights).slice()
  const atMs = varintColumn(message.boardAtMs)
  sameLength('board', boards.length, weights.length, atMs.length)
  if (!weights.every(Number.isFinite)) throw invalid('board_weights holds NaN or infinity')
  return { boardIds: Array.from(boards, idAt), weights, atMs }
}

function seenOf(message: UserStateMessage): Seen {
  // A copy, since a state lives longer than the buffer that it came in.
  const pins = uint32Column(message.seenPins).slice()
  const atMs = ascendingColumn(message.seenAtSeconds).map((seconds) => seconds * seenResolutionMs)
  sameLength('seen', pins.length, atMs.length)
  return {
    pins,
    atMs,
    older: message.seenOlder.map(({ generation, fingerprints }) => ({
      generation,
      fingerprints: riceColumn(fingerprints),
    })),
  }
}

function mergesOf({ mergedInto, mergedAtMs, mergedFrom }: UserStateMessage): Merges {
  const into = mergedInto === '' ? null : { userId: mergedInto, atMs: mergedAtMs }
  return into === null && mergedFrom.length === 0 ? noMerges : { into, from: mergedFrom }
}

function sessionsOf(message: UserStateMessage): Sessions {
  const times = ascendingColumn(message.sessions)
  if (times.length % 2 !== 0) throw invalid('sessions holds a start without an end')
  return {
    closed: message.closedSessions,
    startMs: times.filter((_, i) => i % 2 === 0),
    endMs: times.filter((_, i) => i % 2 === 1),
  }
}

/** Ids of a column in which 0 means the next id that no row has used, starting at `first`, and another number is an index plus one. */
function dereference(references: Float64Array, first: number, idAt: (index: number) => string): string[] {
  let next = first
  const ids: string[] = []
  for (const reference of references) ids.push(idAt(reference === 0 ? next++ : reference - 1))
  return ids
}

interface Dictionary {
  readonly indexOf: (id: string) => number
  /** 0 for a new id, otherwise its index plus one. */
  readonly reference: (id: string) => number
  readonly size: () => number
  readonly all: () => Iterable<string>
}

function createDictionary(): Dictionary {
  const indices = new Map<string, number>()
  return {
    indexOf: (id) => {
      const known = indices.get(id)
      if (known !== undefined) return known
      indices.set(id, indices.size)
      return indices.size - 1
    },
    reference: (id) => {
      const known = indices.get(id)
      if (known !== undefined) return known + 1
      indices.set(id, indices.size)
      return 0
    },
    size: () => indices.size,
    all: () => indices.keys(),
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length)
  bytes.set(first)
  bytes.set(second, first.length)
  return bytes
}

function sameLength(columns: string, rows: number, ...lengths: readonly number[]): void {
  if (lengths.some((length) => length !== rows)) throw invalid(`${columns} has columns of different lengths`)
}

function refuse(problem: string): never {
  throw invalid(problem)
}

function invalid(problem: string): ContractError {
  return new ContractError('CODEC_INVALID', `freshet.state.v1.UserState ${problem}`)
}
