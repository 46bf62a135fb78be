import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readPlainEngagementMessages } from '@freshet/contracts/bytes/plain-engagement-messages'
import { encodeEngagement } from '@freshet/contracts/codecs/engagement'
import { encodePlainEngagement } from '@freshet/contracts/codecs/plain-engagement'
import { Engagement } from '@freshet/contracts/gen/freshet/engagement/v1/engagement'
import { StreamEngagementsRequest } from '@freshet/contracts/gen/freshet/ingest/v1/ingest'
import { parseEngagementMessage } from './messages.ts'

const receivedAtMs = 1_767_225_600_000
const encode = (engagements: readonly object[], about: object = {}): Buffer =>
  Buffer.from(
    StreamEngagementsRequest.encode(
      StreamEngagementsRequest.fromPartial({
        engagements: engagements.map((each) => Engagement.fromPartial(each)),
        ...about,
      }),
    ).finish(),
  )
const plain = { eventId: 'e1', userId: 'u1', action: 3, pinId: 'p1', occurredAtMs: receivedAtMs }

/** What the general parser makes of a message: the stored bytes of each event; null: not a message, or a problem. */
function slowly(bytes: Buffer): readonly Buffer[] | null {
  let request: StreamEngagementsRequest
  try {
    request = StreamEngagementsRequest.decode(bytes)
  } catch {
    return null
  }
  const parsed = request.engagements.map((each) => parseEngagementMessage(each, ''))
  const engagements = parsed.flatMap((each) => (each.ok ? [each.engagement] : []))
  if (engagements.length < parsed.length) return null
  return engagements.map((each) => Buffer.from(encodeEngagement(each, receivedAtMs)))
}

function quickly(bytes: Buffer): readonly Buffer[] | null {
  const batch = readPlainEngagementMessages(bytes, 1_000)
  if (batch === null) return null
  return Array.from({ length: batch.count }, (_, i) => {
    const facts = { occurredAtMs: batch.occurredAtMs[i]!, receivedAtMs, userId: null, sourceTag: null }
    return Buffer.from(encodePlainEngagement(batch, i, facts))
  })
}

const id = fc.oneof(fc.stringMatching(/^[!-~]{1,12}$/), fc.constantFrom('é', 'a"b', '', ' ', 'x '))
const whole = fc.oneof(fc.nat({ max: 200 }), fc.constantFrom(1_000_000, 1_000_001, 86_400_000, 86_400_001))
const event = fc.record(
  {
    eventId: id,
    userId: id,
    sessionId: id,
    action: fc.nat({ max: 15 }),
    pinId: id,
    creatorId: id,
    savedToBoardId: id,
    occurredAtMs: fc.oneof(fc.integer({ min: -5, max: 253_402_300_799_999 }), fc.constant(receivedAtMs)),
    receivedAtMs: fc.nat(),
    feedId: id,
    position: whole,
    surface: fc.nat({ max: 3 }),
    dwellMs: whole,
    weightThousandths: fc.nat({ max: 1_000 }),
  },
  { requiredKeys: ['eventId', 'userId', 'action', 'pinId', 'occurredAtMs'] },
)

describe('reading plain messages of engagements', () => {
  it('stores what the general parser would store', () => {
    fc.assert(
      fc.property(fc.array(event, { minLength: 1, maxLength: 3 }), (engagements) => {
        const bytes = encode(engagements)
        const quick = quickly(bytes)
        if (quick !== null) expect(quick).toEqual(slowly(bytes))
      }),
      { numRuns: 2_000 },
    )
  })

  it('reads nothing that the general parser refuses or reads differently, of bytes that were changed anywhere', () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 3 })
    fc.assert(
      fc.property(fc.array(event, { minLength: 1, maxLength: 3 }), changes, (engagements, changed) => {
        const bytes = encode(engagements)
        for (const [where, byte] of changed) bytes[where % bytes.length] = byte
        const quick = quickly(bytes)
        if (quick !== null) expect(quick).toEqual(slowly(bytes))
      }),
      { numRuns: 5_000 },
    )
  })

  it('reads a batch of plain events with all of their fields, and what is said of the clock', () => {
    const full = {
      ...plain,
      sessionId: 's',
      action: 4,
      savedToBoardId: 'My board',
      feedId: 'f',
      position: 0,
      surface: 1,
    }
    const bytes = encode([{ ...full, dwellMs: 7 }, plain], { sentAtMs: receivedAtMs, clockOffsetMs: 5 })
    expect(quickly(bytes)).toEqual(slowly(bytes))
    expect(readPlainEngagementMessages(bytes, 2)).toMatchObject({ count: 2, sentAtMs: receivedAtMs, clockOffsetMs: 5 })
    expect(readPlainEngagementMessages(bytes, 1)).toBeNull()
  })

  it.each([
    ['no events', encode([])],
    ['a weight', encode([{ ...plain, weightThousandths: 500 }])],
    ['a time in seconds', encode([{ ...plain, occurredAtMs: 1_767_225_600 }])],
    ['a time of sending in seconds', encode([plain], { sentAtMs: 1_767_225_600 })],
    ['a negative offset', encode([plain], { clockOffsetMs: -5 })],
    ['no time', encode([{ ...plain, occurredAtMs: 0 }])],
    ['a board of a click', encode([{ ...plain, savedToBoardId: 'b' }])],
    ['a follow', encode([{ ...plain, pinId: undefined, action: 7, creatorId: 'c' }])],
    ['a field that is unknown', Buffer.concat([encode([plain]), Buffer.from([0x78, 1])])],
    ['a message that is cut off', encode([plain]).subarray(0, -1)],
  ])('leaves %s to the general parser', (_name, bytes) => {
    expect(readPlainEngagementMessages(bytes, 1_000)).toBeNull()
  })
})
