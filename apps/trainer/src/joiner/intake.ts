import { decodeEngagement } from '@freshet/contracts/codecs/engagement'
import { decodeFeedHead } from '@freshet/contracts/codecs/feed-head'
import { isUserMerge } from '@freshet/contracts/codecs/user-merge'
import { isContractError } from '@freshet/contracts/errors'
import type { LogBatch, LogRecord } from '@freshet/contracts/ports/event-log'
import type { Engagement } from '@freshet/domain/engagement'
import type { JoinCounts } from './counts.ts'
import type { Join } from './join.ts'
import { labelActions } from './labels.ts'
import type { Shelf } from './shelf.ts'

/** Where records are from. */
type Place = Pick<LogBatch, 'topic' | 'partition'>

/** Where records go. */
export interface Intake {
  readonly join: Join
  readonly shelf: Shelf
  readonly counts: JoinCounts
  /** When a record arrived. */
  readonly arrive: (batch: Place, record: LogRecord) => number
}

/** Takes a record of `feeds-served.v1`. Throws CODEC_INVALID if it cannot be decoded. */
export function takeFeed({ join, shelf, counts, arrive }: Intake, batch: LogBatch, record: LogRecord): void {
  const arrivedMs = arrive(batch, record)
  const { value } = record
  if (value === null) return
  const { feedId, userId, atMs, pinIds } = decodeFeedHead(value)
  if (pinIds.length === 0) return
  if (feedId === '' || !Number.isSafeInteger(atMs) || atMs <= 0) {
    counts.positions += pinIds.length
    counts.dropped.invalid += pinIds.length
    return
  }
  // A copy, because a reader may give a part of a large buffer.
  if (join.serve({ feedId, userId, atMs, arrivedMs, pinIds })) shelf.put(feedId, value.slice())
}

/** Takes a record of `engagements.v1`. A record without a value erases its user. */
export function takeEngagement({ join, counts, arrive }: Omit<Intake, 'shelf'>, batch: Place, record: LogRecord): void {
  const arrivedMs = arrive(batch, record)
  if (record.value === null) {
    join.forgetUser(record.key, arrivedMs)
    return
  }
  // An engagement is joined by its feed, which knows the user under the same id.
  if (isUserMerge(record.value)) return
  counts.engagements++
  const engagement = readEngagement(record.value)
  if (engagement === null) {
    counts.unmatched.invalid++
    return
  }
  const { subject, action, userId, shown, dwellMs, occurredAtMs } = engagement
  if (subject.kind !== 'pin' || !labelActions.includes(action)) {
    counts.unmatched['not-on-a-pin']++
    return
  }
  const feedId = shown.feedId ?? ''
  join.act({ feedId, userId, pinId: subject.pinId, action, dwellMs, occurredAtMs, arrivedMs }, batch.partition)
}

/** null: it cannot be decoded. The feature updater writes such records to the dead letters. */
function readEngagement(value: Uint8Array): Engagement | null {
  try {
    return decodeEngagement(value)
  } catch (error) {
    if (!isContractError(error, 'CODEC_INVALID')) throw error
    return null
  }
}
