import { describe, expect, it } from 'vitest'

import type { Action } from '../engagement.ts'
import { asId, type BoardId, type CreatorId, type PinId, type TopicId } from '../ids.ts'
import { unrestrictedPin, type Pin } from '../pin.ts'
import { anEngagement, aPin, noonMs } from '../testing.ts'
import { foldUser, newUserState } from '../user-state.ts'
import { readInterests } from './interests.ts'

const pinOf = (pinId: string): Pin => ({
  pinId: asId<PinId>(pinId),
  title: '',
  description: '',
  topics: [asId<TopicId>(`about-${pinId}`)],
  creatorId: asId<CreatorId>(`by-${pinId}`),
  createdAtMs: null,
  locale: null,
  imageUrl: null,
  visualEmbedding: null,
  ...unrestrictedPin,
})

function interestsAfter(...acts: readonly (readonly [action: Action, pinId: string])[]) {
  const accepted = acts.map(([action, pinId], at) =>
    anEngagement({
      action,
      subject: aPin(pinId),
      boardId: action === 'save' || action === 'unsave' ? asId<BoardId>('b') : null,
      occurredAtMs: noonMs + at,
    }),
  )
  const { topics, creators } = readInterests(foldUser(newUserState, accepted), pinOf, noonMs + acts.length)
  return (pinId: string) => ({ topic: topics.get(`about-${pinId}`), creator: creators.get(`by-${pinId}`) })
}

describe('A8: interests', () => {
  it('rise with a save', () => {
    const of = interestsAfter(['save', 'p'])
    expect(of('p').topic?.weight).toBeCloseTo(3)
    expect(of('p').creator).toMatchObject({ lastAtMs: noonMs })
  })

  it.each<readonly [Action, number]>([
    ['unsave', -1],
    ['dismiss', -1],
    ['hide', -3],
    ['report', -3],
  ])('are below zero after a save and then: %s', (action, weight) => {
    const { topic, creator } = interestsAfter(['click', 'p'], ['save', 'p'], [action, 'p'])('p')
    expect(topic?.weight).toBeCloseTo(weight)
    expect(creator?.weight).toBeCloseTo(weight)
    expect(topic?.lastAtMs).toBe(0)
  })

  it('return to their value from before a hide when the hide is withdrawn', () => {
    expect(interestsAfter(['save', 'p'], ['hide', 'p'], ['unhide', 'p'])('p').topic?.weight).toBeCloseTo(3)
  })

  it('ignore likes of a hidden pin, even if the hide is older than all recent actions', () => {
    const likes = Array.from({ length: 250 }, () => ['click', 'p'] as const)
    expect(interestsAfter(['hide', 'p'], ...likes)('p').topic).toBeUndefined()
  })
})
