import type { ScannedEngagement } from '@freshet/contracts/codecs/engagement-scan'
import type { HighWaterMark } from '@freshet/contracts/codecs/partition-meta'
import { encodeHandover, type Handover, type MergeRequest } from '@freshet/contracts/codecs/user-merge'
import { actOfScan } from '@freshet/contracts/codecs/user-tail'
import { storedPosition } from '@freshet/contracts/followed-log'
import type { LogRecord, NewRecord } from '@freshet/contracts/ports/event-log'
import { withMergedFrom, type MergedInto } from '@freshet/domain/features/merges'
import { afterHandover, heldSinceMs, mergeUsers, type MergeLimits } from '@freshet/domain/merge-users'
import { foldUser, newUserState, type UserState } from '@freshet/domain/user-state'
import type { BadRecord } from './bad-records.ts'
import { receivedAt } from './dedupe.ts'
import { handoverBytes } from './handover-bytes.ts'
import { onwardHeaders } from './onward-headers.ts'
import type { FoldBatch } from './stage.ts'
import type { HandedOver } from './user-records.ts'
import type { UserValues } from './user-values.ts'

/** Merges users within one batch. Everything that it does depends on the log alone, so that a replay does the same. */
export interface Merging {
  /** Hands a user's state over. Returns the reason if the merge is refused. */
  request(record: LogRecord, merge: MergeRequest): Pick<BadRecord, 'code' | 'message'> | null
  /** Takes in what another partition hands over; drops a repeat. */
  receive(record: LogRecord, handover: Handover, content: HandedOver): void
  /** Folds an engagement of a user who may have been merged: it then goes to the other user too. */
  add(record: LogRecord, scan: ScannedEngagement): void
  /** What has to be appended to `engagements.v1`. */
  records(): readonly NewRecord[]
  /** How far the handovers of each source partition were taken in. */
  marks(): ReadonlyMap<number, HighWaterMark>
}

/** Settings and neighbours of merging. */
export interface MergingOptions {
  readonly batch: Pick<FoldBatch, 'partition' | 'epoch'>
  readonly values: UserValues
  readonly limits: MergeLimits
  /** What a merged user does follows the merge for this long after it, by the clock of ingest. */
  readonly forwardMs: number
  readonly erasedAt: (userId: string) => number | null
  readonly marks: ReadonlyMap<number, HighWaterMark>
}

/** A handover goes through at most this many users. Then it stays where it is. */
const maxHops = 8

/** Begins to merge within a batch. */
export function createMerging(options: MergingOptions): Merging {
  const { batch, values, limits, forwardMs } = options
  const records: NewRecord[] = []
  let marks = options.marks

  const send = (record: LogRecord, handover: Omit<Handover, 'source'>): void => {
    const source = { partition: batch.partition, position: storedPosition(batch.epoch, record.position) }
    const value = encodeHandover({ ...handover, source })
    records.push({ key: handover.intoUserId, value, partition: null, ...onwardHeaders(record) })
  }
  /** The user into whom this one was merged, as long as what happens follows; null: none. */
  const followed = (key: string, receivedAtMs: number): MergedInto | null => {
    const into = values.mergedInto(key)
    return into !== null && receivedAtMs - into.atMs <= forwardMs ? into : null
  }

  return {
    request(record, merge) {
      const { fromUserId, intoUserId, receivedAtMs } = merge
      const state = values.stateOf(fromUserId) ?? newUserState
      const { into, from } = state.merges
      if (into !== null && into.userId !== intoUserId) return conflict(merge, into.userId)
      if (from.includes(intoUserId)) return cycle(merge)
      const bytes = handoverBytes({ ...state, merges: { into: null, from } }, limits)
      send(record, { ...merge, path: [fromUserId], content: { kind: 'state', bytes } })
      const merges = { into: { userId: intoUserId, atMs: Math.max(receivedAtMs, into?.atMs ?? 0) }, from }
      values.replace(fromUserId, { ...afterHandover(state), merges })
      return null
    },
    receive(record, handover, content) {
      const { source, path, receivedAtMs } = handover
      const mark = marks.get(source.partition)
      if (mark !== undefined && source.position <= mark.position) return
      marks = new Map(marks).set(source.partition, { position: source.position, index: 1 })
      if (isErased(handover, content, options.erasedAt)) return
      const { key } = record
      const state = values.stateOf(key) ?? newUserState
      const merged = withContent(state, path, content, limits)
      const into = followed(key, receivedAtMs)
      const goesOn = into !== null && into.userId !== key && !path.includes(into.userId) && path.length < maxHops
      if (goesOn) send(record, { ...handover, fromUserId: key, intoUserId: into.userId, path: [...path, key] })
      values.replace(key, goesOn ? keptOf(state, merged) : merged)
    },
    add(record, scan) {
      const { key } = record
      const receivedAtMs = receivedAt(scan, record)
      const into = followed(key, receivedAtMs)
      if (into === null) {
        values.add(key, scan)
        return
      }
      const { occurredAtMs } = scan
      const merge = { fromUserId: key, intoUserId: into.userId, occurredAtMs, receivedAtMs }
      send(record, { ...merge, path: [key], content: { kind: 'engagement', bytes: scan.bytes } })
      const state = values.stateOf(key) ?? newUserState
      values.replace(key, keptOf(state, foldUser(state, [actOfScan(scan)], limits)))
    },
    records: () => records,
    marks: () => marks,
  }
}

function withContent(state: UserState, path: readonly string[], content: HandedOver, limits: MergeLimits): UserState {
  const merged =
    content.kind === 'state'
      ? mergeUsers(state, content.state, limits)
      : foldUser(state, [actOfScan(content.scan)], limits)
  return { ...merged, merges: withMergedFrom(merged.merges, path, limits.maxMergedFrom) }
}

/** A merged user's state after something that went on to the other user: only what may be handed over twice stays, see `afterHandover`. */
function keptOf(state: UserState, { firstAtMs, lastAtMs, relations, seen, merges }: UserState): UserState {
  return { ...state, firstAtMs, lastAtMs, relations, seen, merges }
}

/**
 * Whether an erasure covers what is handed over: of the user who receives it, or of one through whom it came, if that one's
 * partition had not heard of the erasure yet.
 */
function isErased(
  { intoUserId, path, receivedAtMs, occurredAtMs }: Handover,
  content: HandedOver,
  erasedAt: (userId: string) => number | null,
): boolean {
  const sinceMs = content.kind === 'state' ? heldSinceMs(content.state) : occurredAtMs
  const intoMs = erasedAt(intoUserId)
  if (intoMs !== null && (occurredAtMs <= intoMs || sinceMs <= intoMs)) return true
  return path.some((userId) => {
    const erasedMs = erasedAt(userId)
    return erasedMs !== null && sinceMs <= erasedMs && erasedMs < receivedAtMs
  })
}

function conflict({ fromUserId, intoUserId }: MergeRequest, into: string): Pick<BadRecord, 'code' | 'message'> {
  return {
    code: 'MERGE_CONFLICT',
    message: `user ${fromUserId} was merged into ${into} before, so it cannot be merged into ${intoUserId}; give the device a new anonymous id when another person logs in`,
  }
}

function cycle({ fromUserId, intoUserId }: MergeRequest): Pick<BadRecord, 'code' | 'message'> {
  return {
    code: 'MERGE_CYCLE',
    message: `user ${intoUserId} was merged into ${fromUserId} before, so ${fromUserId} cannot be merged into ${intoUserId}; merge the anonymous id into the known one only`,
  }
}
