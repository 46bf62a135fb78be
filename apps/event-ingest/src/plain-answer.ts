import {
  place,
  placesPerEngagement,
  plainText,
  type PlainEngagements,
} from '@freshet/contracts/bytes/plain-engagements'
import { formatToken, tokenStart } from '@freshet/contracts/tokens'
import type { Position } from '@freshet/contracts/ports/event-log'
import type { Answer } from './ingest.ts'
import type { PlainAnswer } from './plain-batch.ts'

const ascii = (text: string): Buffer => Buffer.from(text, 'latin1')
const beforeId = ascii('{"id":"')
const beforeToken = ascii(`","token":"${tokenStart('engagements.v1')}`)
const afterToken = ascii('"},')
const longestNumber = 16
const maxIdBytes = 128

let buffer = Buffer.allocUnsafe(16 << 10)
let at = 0

/** The receipts of plain engagements as a JSON array. `log`: short name of the log. An array of objects would be made for each request only to be written. */
export function plainReceipts(engagements: PlainEngagements, positions: readonly Position[], log: string): string {
  const { bytes, count, places } = engagements
  const tag = ascii(log === '' ? '' : `-${log}`)
  const most = count * (maxIdBytes + tag.length + 2 * longestNumber + beforeId.length + beforeToken.length + 4) + 2
  if (buffer.length < most) buffer = Buffer.allocUnsafe(most)
  buffer[0] = 0x5b
  at = 1
  for (let i = 0; i < count; i++) {
    const { partition, position } = positions[i]!
    const base = i * placesPerEngagement + place.eventId
    copy(beforeId, 0, beforeId.length)
    copy(bytes, places[base]!, places[base + 1]!)
    copy(beforeToken, 0, beforeToken.length)
    writeWhole(partition)
    buffer[at++] = 0x2d
    writeWhole(position)
    copy(tag, 0, tag.length)
    copy(afterToken, 0, afterToken.length)
  }
  // The last comma.
  buffer[at - 1] = 0x5d
  return buffer.toString('latin1', 0, at)
}

function copy(from: Uint8Array, start: number, end: number): void {
  const into = buffer
  let to = at
  for (let i = start; i < end; i++) into[to++] = from[i]!
  at = to
}

function writeWhole(number: number): void {
  let digits = 1
  for (let rest = number; rest >= 10; rest = Math.floor(rest / 10)) digits++
  let rest = number
  for (let i = at + digits - 1; i >= at; i--) {
    buffer[i] = 0x30 + (rest % 10)
    rest = Math.floor(rest / 10)
  }
  at += digits
}

/** The answer to plain engagements with receipts as objects, for messages. */
export function plainAnswer(engagements: PlainEngagements, answer: PlainAnswer): Answer {
  if (answer.kind === 'refused') return answer
  const { positions, log, ...about } = answer
  const receipts = positions.map(({ partition, position }, i) => ({
    id: plainText(engagements, i, place.eventId),
    token: formatToken({ topic: 'engagements.v1', partition, position, log, isMerge: false }),
  }))
  return { ...about, receipts, accepted: positions.length }
}
