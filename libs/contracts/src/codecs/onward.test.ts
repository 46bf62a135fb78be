import { actions, type Engagement } from '@freshet/domain/engagement'
import { asId, type BoardId, type EventId, type FeedId, type SessionId, type UserId } from '@freshet/domain/ids'
import fc from 'fast-check'
import { subjectsOf } from '@freshet/domain/testing'
import { describe, expect, it } from 'vitest'
import { isContractError } from '../errors.ts'
import { PinEngagement as PinEngagementMessage } from '../gen/freshet/engagement/v1/engagement.ts'
import {
  decodeDeadLetter,
  decodeLateEngagement,
  decodePinEngagement,
  decodeUserErasure,
  encodeDeadLetter,
  encodeLateEngagement,
  encodePinEngagement,
  encodeUserErasure,
} from './onward.ts'

const id = fc.constantFrom('a', 'ü-1', 'x'.repeat(128), '🦊')
const engagements: fc.Arbitrary<Engagement> = fc.record({
  eventId: id.map((text) => asId<EventId>(text)),
  userId: id.map((text) => asId<UserId>(text)),
  sessionId: fc.option(id.map((text) => asId<SessionId>(text))),
  action: fc.constantFrom(...actions),
  subject: subjectsOf(id),
  boardId: fc.option(id.map((text) => asId<BoardId>(text))),
  occurredAtMs: fc.integer({ min: 1, max: 2 ** 45 }),
  shown: fc.record({
    feedId: fc.option(id.map((text) => asId<FeedId>(text))),
    position: fc.option(fc.nat(1000)),
    surface: fc.constantFrom(null, 'home' as const, 'related' as const),
  }),
  dwellMs: fc.option(fc.nat()),
})
const received = fc.nat().map((extra) => 1_700_000_000_000 + extra)

describe('records sent onward', () => {
  it('to pins are read as they were written, and written as the generated code writes them', () => {
    fc.assert(
      fc.property(
        engagements,
        received,
        fc.nat(60_000),
        fc.maxSafeNat(),
        fc.nat(3),
        (engagement, receivedAtMs, partition, position, index) => {
          const record = { engagement, receivedAtMs, source: { partition, position, index } }
          const bytes = encodePinEngagement(record)
          expect(decodePinEngagement(bytes)).toEqual(record)
          expect(PinEngagementMessage.encode(PinEngagementMessage.decode(bytes)).finish()).toEqual(bytes)
        },
      ),
    )
  })

  it('that are late are read as they were written', () => {
    fc.assert(
      fc.property(engagements, received, (engagement, receivedAtMs) => {
        const late = { engagement, receivedAtMs, sourcePartition: 3, sourcePosition: 2 ** 40, lateByMs: 86_400_001 }
        expect(decodeLateEngagement(encodeLateEngagement(late))).toEqual(late)
      }),
    )
  })

  it('dead letters and erasures are read as they were written', () => {
    const letter = {
      sourceTopic: 'engagements.v1',
      sourcePartition: 1,
      sourcePosition: 2,
      key: 'not an id\u0000',
      value: Uint8Array.of(255, 0, 1),
      code: 'CODEC_INVALID',
      message: 'why',
      schema: 'freshet.engagement.v1.Engagement',
      atMs: 3,
    }
    expect(decodeDeadLetter(encodeDeadLetter(letter))).toEqual(letter)
    const erasure = { userId: asId<UserId>('u'), erasedAtMs: 5 }
    expect(decodeUserErasure(encodeUserErasure(erasure))).toEqual(erasure)
  })

  it('are refused with CODEC_INVALID if they are damaged', () => {
    for (const decode of [decodePinEngagement, decodeLateEngagement, decodeUserErasure, decodeDeadLetter]) {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
          try {
            decode(bytes)
          } catch (error) {
            expect(isContractError(error, 'CODEC_INVALID'), String(error)).toBe(true)
          }
        }),
      )
    }
    const noEngagement = PinEngagementMessage.encode(PinEngagementMessage.create({ sourcePosition: 1 })).finish()
    expect(() => decodePinEngagement(noEngagement)).toThrow(/engagement is missing/)
  })
})
