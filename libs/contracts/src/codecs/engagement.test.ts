import { actions, maxSourceTag, surfaces, type Engagement } from '@freshet/domain/engagement'
import { anEngagement } from '@freshet/domain/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Engagement as EngagementMessage } from '../gen/freshet/engagement/v1/engagement.ts'
import { decodeEngagement, encodeEngagement, toEngagementMessage } from './engagement.ts'

const id = fc.oneof(
  fc.stringMatching(/^[!-~]{1,128}$/),
  fc.constantFrom('é', '日本語', 'a'.repeat(63) + 'ß', '😀'.repeat(128), 'x'.repeat(128)),
)
const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arbitrary, { nil: null })
const subject = fc.oneof(
  fc.record({ kind: fc.constant('pin'), pinId: id }),
  fc.record({ kind: fc.constant('board'), boardId: id }),
  fc.record({ kind: fc.constant('creator'), creatorId: id }),
  fc.record({ kind: fc.constant('topic'), topicId: id }),
  fc.record({ kind: fc.constant('word'), word: fc.constantFrom('cats', 'katzenbäume') }),
)
const engagements = fc
  .record({
    eventId: id,
    userId: id,
    sessionId: optional(id),
    action: fc.constantFrom(...actions),
    subject,
    boardId: optional(id),
    occurredAtMs: fc.integer({ min: 1, max: 253_402_300_799_999 }),
    shown: fc.record({
      feedId: optional(id),
      position: optional(fc.nat(1_000_000)),
      surface: optional(fc.constantFrom(...surfaces)),
    }),
    dwellMs: optional(fc.nat(86_400_000)),
    sourceTag: optional(fc.integer({ min: 1, max: maxSourceTag })),
  })
  .map(({ sourceTag, ...parts }) =>
    anEngagement({ ...(parts as Partial<Engagement>), ...(sourceTag !== null && { sourceTag }) }),
  )

describe('the bytes of an engagement', () => {
  it('equal those of the generated code', () => {
    fc.assert(
      fc.property(engagements, fc.nat(), (engagement, receivedAtMs) => {
        const generated = EngagementMessage.encode(toEngagementMessage(engagement, receivedAtMs)).finish()
        expect([...encodeEngagement(engagement, receivedAtMs)]).toEqual([...generated])
      }),
    )
  })

  it('are read back as the same engagement', () => {
    fc.assert(
      fc.property(engagements, (engagement) => {
        expect(decodeEngagement(encodeEngagement(engagement, 1))).toEqual(engagement)
      }),
    )
  })
})
