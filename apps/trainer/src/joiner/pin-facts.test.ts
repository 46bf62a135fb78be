import { encodePinChange } from '@freshet/contracts/codecs/pin'
import { asId, type CreatorId, type PinId, type TopicId } from '@freshet/domain/ids'
import { unrestrictedPin, type PinChange } from '@freshet/domain/pin'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createPinFacts } from './pin-facts.ts'

const aChange = fc.record({
  pin: fc.nat(3_000),
  topics: fc.array(fc.constantFrom('baking', 'tea', '["tea"]'), { maxLength: 3 }),
  creator: fc.option(fc.constantFrom('ann', 'bob')),
  isDeleted: fc.boolean(),
})

describe('topics and creators of pins', () => {
  it('are those of the last change that was no deletion, for any number of pins', () => {
    fc.assert(
      fc.property(fc.array(aChange, { maxLength: 4_000, size: 'max' }), (changes) => {
        const facts = createPinFacts()
        const expected = new Map<string, { readonly topics: readonly string[]; readonly creatorId: string }>()
        for (const { pin, topics, creator, isDeleted } of changes) {
          const pinId = asId<PinId>(`pin-${pin}`)
          const change: PinChange = isDeleted
            ? { kind: 'delete', pinId }
            : {
                kind: 'upsert',
                pin: {
                  ...unrestrictedPin,
                  pinId,
                  title: '',
                  description: '',
                  topics: topics.map((topic) => asId<TopicId>(topic)),
                  creatorId: creator === null ? null : asId<CreatorId>(creator),
                  createdAtMs: 1,
                  locale: null,
                  imageUrl: null,
                  visualEmbedding: null,
                },
              }
          facts.fold(pinId, encodePinChange(change))
          if (!isDeleted) expected.set(pinId, { topics, creatorId: creator ?? '' })
        }
        for (const [pinId, fact] of expected) expect(facts.of(pinId)).toEqual(fact)
        expect(facts.of('another')).toEqual({ topics: [], creatorId: '' })
        expect(facts.pins).toBe(expected.size)
      }),
      { numRuns: 20 },
    )
  })
})
