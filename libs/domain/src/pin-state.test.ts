import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { counted } from './decay.ts'
import { actions } from './engagement.ts'
import { distinctUsers } from './features/distinct-users.ts'
import { boardsOf } from './features/pin-boards.ts'
import { bucketOf, buckets } from './features/positions.ts'
import { asId, idProblem, type BoardId, type CreatorId, type UserId } from './ids.ts'
import { foldPin, isPinKey, newPinState, pinStateKeys, type PinState } from './pin-state.ts'
import { anEngagement, engagements, noonMs, shuffled } from './testing.ts'

function exact({ counters, impressionsByPosition, positivesByPosition, ...rest }: PinState) {
  return { ...rest, at: [counters.atMs, impressionsByPosition.atMs, positivesByPosition.atMs] }
}

describe('pin state', () => {
  it('is the same to the bit for any split of the engagements into folds', () => {
    fc.assert(
      fc.property(engagements(), fc.nat(60), (list, cut) => {
        const whole = foldPin(newPinState, list)
        expect(foldPin(foldPin(newPinState, list.slice(0, cut)), list.slice(cut))).toEqual(whole)
      }),
    )
  })

  it('does not depend on the order of delivery, except for the rounding of counters', () => {
    fc.assert(
      fc.property(shuffled(engagements()), ([list, other]) => {
        const limits = { maxBoards: 2 }
        const [a, b] = [foldPin(newPinState, list, limits), foldPin(newPinState, other, limits)]
        expect(exact(b)).toEqual(exact(a))
        a.counters.values.forEach((value, i) => expect(b.counters.values[i]).toBeCloseTo(value, 9))
      }),
    )
  })

  it('counts each engagement by its weight, and nothing else of it depends on the weight', () => {
    fc.assert(
      fc.property(engagements(), (list) => {
        const state = foldPin(newPinState, list)
        const whole = foldPin(
          newPinState,
          list.map(({ weightThousandths: _, ...engagement }) => engagement),
        )
        expect(exact(state)).toEqual(exact(whole))
        for (const [row, action] of actions.entries()) {
          const weights = list
            .filter((each) => each.action === action)
            .map((each) => (each.weightThousandths ?? 1000) / 1000)
          const total = weights.reduce((sum, weight) => sum + weight, 0)
          expect(counted(state.counters, row, 'total', noonMs)).toBeCloseTo(total, 9)
        }
      }),
    )
  })

  it('does not change the state that it folds from', () => {
    fc.assert(
      fc.property(engagements(), engagements(), (first, second) => {
        const before = foldPin(newPinState, first)
        const copy = structuredClone(before)
        foldPin(before, second)
        expect(before).toEqual(copy)
      }),
    )
  })

  it('counts impressions and the actions after them by position', () => {
    const at = (action: 'impression' | 'click', position: number | null) =>
      anEngagement({ action, shown: { feedId: null, position, surface: 'home' } })
    const state = foldPin(newPinState, [
      at('impression', 0),
      at('impression', 0),
      at('click', 0),
      at('impression', null),
    ])
    expect(counted(state.impressionsByPosition, bucketOf(0), 'total', noonMs)).toBe(2)
    expect(counted(state.impressionsByPosition, bucketOf(null), 'total', noonMs)).toBe(1)
    expect(counted(state.positivesByPosition, bucketOf(0), 'total', noonMs)).toBe(1)
  })

  it('counts the users who liked it, not their likes', () => {
    const by = (user: string) => anEngagement({ userId: asId<UserId>(user) })
    const one = foldPin(
      newPinState,
      Array.from({ length: 500 }, () => by('bot')),
    )
    expect(distinctUsers(one.users)).toBeCloseTo(1, 1)
    const many = foldPin(
      newPinState,
      Array.from({ length: 5000 }, (_, i) => by(`user-${i}`)),
    )
    expect(Math.abs(distinctUsers(many.users) / 5000 - 1)).toBeLessThan(0.2)
  })

  it('is on the boards that it was saved to and not removed from', () => {
    const on = (action: 'save' | 'unsave', board: string, afterMs: number) =>
      anEngagement({ action, boardId: asId<BoardId>(board), occurredAtMs: noonMs + afterMs })
    const state = foldPin(newPinState, [
      on('unsave', 'b', 2),
      on('save', 'a', 1),
      on('save', 'b', 1),
      on('save', 'c', 3),
    ])
    expect(boardsOf(state.boards)).toEqual(['a', 'c'])
  })

  it('gives boards, creators and topics keys that no pin can have', () => {
    const saved = anEngagement({ action: 'save', boardId: asId<BoardId>('b') })
    expect(pinStateKeys(saved)).toEqual(['p', 'board b'])
    expect(pinStateKeys(anEngagement({ subject: { kind: 'creator', creatorId: asId<CreatorId>('p') } }))).toEqual([
      'creator p',
    ])
    expect(isPinKey('creator p')).toBe(false)
    expect(idProblem('creator p')).not.toBeNull()
  })

  it('puts every position into a bucket', () => {
    fc.assert(
      fc.property(fc.nat(1000), (position) => {
        expect(bucketOf(position)).toBeLessThan(buckets - 1)
        expect(bucketOf(position + 1)).toBeGreaterThanOrEqual(bucketOf(position))
      }),
    )
  })
})
