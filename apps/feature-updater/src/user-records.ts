import { scanEngagement, scannedOf, type ScannedEngagement } from '@freshet/contracts/codecs/engagement-scan'
import { decodeReceivedEngagement } from '@freshet/contracts/codecs/onward'
import { decodeUserMerge, isUserMerge, type Handover, type MergeRequest } from '@freshet/contracts/codecs/user-merge'
import { decodeUserState } from '@freshet/contracts/codecs/user-state'
import { ContractError, isContractError } from '@freshet/contracts/errors'
import type { LogRecord } from '@freshet/contracts/ports/event-log'
import type { UserState } from '@freshet/domain/user-state'
import { badRecord, type BadRecord } from './bad-records.ts'

/** What a handover contains: a user's whole state, or one engagement. */
export type HandedOver =
  | { readonly kind: 'state'; readonly state: UserState }
  | { readonly kind: 'engagement'; readonly scan: ScannedEngagement }

/** A record of `engagements.v1` as read. A record without a value is a tombstone: the updater must forget its user. */
export type ParsedUserRecord =
  | { readonly kind: 'engagement'; readonly record: LogRecord; readonly scan: ScannedEngagement }
  | { readonly kind: 'tombstone'; readonly record: LogRecord }
  | { readonly kind: 'merge'; readonly record: LogRecord; readonly merge: MergeRequest }
  | {
      readonly kind: 'handover'
      readonly record: LogRecord
      readonly handover: Handover
      readonly content: HandedOver
    }
  | BadRecord

/** Reads a record. One that cannot be decoded becomes a value that says so. Throws CODEC_NEWER for a merge that a newer version wrote. */
export function parseUserRecord(record: LogRecord): ParsedUserRecord {
  const { key, value } = record
  if (value === null) return { kind: 'tombstone', record }
  const scan = scanEngagement(value)
  if (scan !== null && isUserOf(key, scan)) return { kind: 'engagement', record, scan }
  try {
    if (isUserMerge(value)) return parseMerge(record, value)
    const received = decodeReceivedEngagement(value)
    checkKey(key, received.engagement.userId)
    return { kind: 'engagement', record, scan: scannedOf(received) }
  } catch (error) {
    // The record is not damaged, and a newer process can read it. A dead letter would lose its place in the order.
    if (isContractError(error, 'CODEC_NEWER')) throw error
    return badRecord(record, error)
  }
}

function parseMerge(record: LogRecord, value: Uint8Array): ParsedUserRecord {
  const { kind, merge } = decodeUserMerge(value)
  if (kind === 'request') {
    checkKey(record.key, merge.fromUserId)
    return { kind: 'merge', record, merge }
  }
  checkKey(record.key, merge.intoUserId)
  return { kind: 'handover', record, handover: merge, content: handedOver(merge.content) }
}

function handedOver({ kind, bytes }: Handover['content']): HandedOver {
  if (kind === 'state') return { kind, state: decodeUserState(bytes) }
  return { kind, scan: scanEngagement(bytes) ?? scannedOf(decodeReceivedEngagement(bytes)) }
}

function checkKey(key: string, userId: string): void {
  if (userId === key) return
  throw new ContractError('CODEC_INVALID', `the record's key is ${JSON.stringify(key.slice(0, 128))}, its user another`)
}

/** Whether the key is the scanned user's id. */
function isUserOf(key: string, { bytes, userAt, userTo }: ScannedEngagement): boolean {
  if (key.length !== userTo - userAt) return false
  for (let i = 0; i < key.length; i++) if (key.charCodeAt(i) !== bytes[userAt + i]) return false
  return true
}
