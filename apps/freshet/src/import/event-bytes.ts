import { scanEngagement, scannedOf, textAt, type ScannedEngagement } from '@freshet/contracts/codecs/engagement-scan'
import { decodeReceivedEngagement } from '@freshet/contracts/codecs/onward'
import type { Engagement } from '@freshet/domain/engagement'
import { hashPair64 } from '@freshet/domain/hash'

/** A hash of user id and event id in two halves, as the updater remembers it. */
export interface EventHash {
  readonly low: number
  readonly high: number
}

const halves = new Uint32Array(2)

/** The bytes of an engagement for `engagements.v1`, with the offsets of its fields. */
export function encodeAndScan(engagement: Engagement, receivedAtMs: number): ScannedEngagement {
  return scannedOf({ engagement, receivedAtMs })
}

/** The offsets of the fields in an engagement's bytes. Throws CODEC_INVALID. */
export function scanBytes(bytes: Uint8Array): ScannedEngagement {
  return scanEngagement(bytes) ?? scannedOf(decodeReceivedEngagement(bytes))
}

/** The hash that identifies an engagement. */
export function eventHash({ bytes, userAt, userTo, eventAt, eventTo }: ScannedEngagement): EventHash {
  hashPair64(bytes, userAt, userTo, eventAt, eventTo, halves, 0)
  return { low: halves[0] ?? 0, high: halves[1] ?? 0 }
}

/** The user id in an engagement's bytes. */
export function readUserId({ bytes, userAt, userTo }: ScannedEngagement): string {
  return textAt(bytes, userAt, userTo)
}
