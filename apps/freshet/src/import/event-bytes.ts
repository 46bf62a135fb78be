import { scanEngagement, scannedOf, textAt, type ScannedEngagement } from '@freshet/contracts/codecs/engagement-scan'
import { decodeReceivedEngagement } from '@freshet/contracts/codecs/onward'
import type { Engagement } from '@freshet/domain/engagement'
import { hashPair64 } from '@freshet/domain/hash'

/** An id of an event, as the updater's memory of ids has it: a hash of user and event id, in two halves. */
export interface EventHash {
  readonly low: number
  readonly high: number
}

const halves = new Uint32Array(2)

/** An engagement's bytes for `engagements.v1`, with where its fields stand. */
export function scanOf(engagement: Engagement, receivedAtMs: number): ScannedEngagement {
  return scannedOf({ engagement, receivedAtMs })
}

/** Where the fields of an engagement's bytes stand. Throws CODEC_INVALID. */
export function scanned(bytes: Uint8Array): ScannedEngagement {
  return scanEngagement(bytes) ?? scannedOf(decodeReceivedEngagement(bytes))
}

/** The hash by which an engagement is known again. */
export function eventHash({ bytes, userAt, userTo, eventAt, eventTo }: ScannedEngagement): EventHash {
  hashPair64(bytes, userAt, userTo, eventAt, eventTo, halves, 0)
  return { low: halves[0] ?? 0, high: halves[1] ?? 0 }
}

/** The user of an engagement's bytes. */
export function userOf({ bytes, userAt, userTo }: ScannedEngagement): string {
  return textAt(bytes, userAt, userTo)
}
