import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { newestFirst } from './features/recent-actions.ts'
import { hasSeen } from './features/seen.ts'
import { sessionCount } from './features/sessions.ts'
import { aPin, anEngagement, engagements, noonMs, shuffled } from './testing.ts'
import { defaultUserLimits, foldUser, newUserState, type UserState } from './user-state.ts'

/** The state without the parts that rounding can change. */
function exact({ counters, boards, ...rest }: UserState) {
  return { ...rest, countedAtMs: counters.atMs, boardIds: [...boards.boardIds].sort() }
}

describe('user state', () => {
  it('is the same to the bit for any split of the engagements into folds', () => {
    fc.assert(
      fc.property(engagements(), fc.array(fc.nat(60), { maxLength: 5 }), (list, cuts) => {
        const whole = foldUser(newUserState, list)
        const ends = [...cuts.map((cut) => Math.min(cut, list.length)), list.length].sort((a, b) => a - b)
        const parts = ends.map((end, i) => list.slice(ends[i - 1] ?? 0, end))
        expect(parts.reduce((state, part) => foldUser(state, part), newUserState)).toEqual(whole)
      }),
    )
  })

  it('does not depend on the order of delivery, except for the rounding of weights', () => {
    fc.assert(
      fc.property(shuffled(engagements()), ([list, other]) => {
        const [a, b] = [foldUser(newUserState, list), foldUser(newUserState, other)]
        expect(exact(b)).toEqual(exact(a))
        a.counters.values.forEach((value, i) => expect(b.counters.values[i]).toBeCloseTo(value, 9))
        a.boards.boardIds.forEach((id, i) => {
          const row = b.boards.boardIds.indexOf(id)
          expect(b.boards.atMs[row]).toBe(a.boards.atMs[i])
          expect(b.boards.weights[row]).toBeCloseTo(a.boards.weights[i] ?? NaN, 9)
        })
      }),
    )
  })

  it('keeps the order-free parts order-free at their caps', () => {
    const limits = { ...defaultUserLimits, maxRecentActions: 5, seen: { ...defaultUserLimits.seen, maxRecent: 4 } }
    fc.assert(
      fc.property(shuffled(engagements()), ([list, other]) => {
        const [a, b] = [foldUser(newUserState, list, limits), foldUser(newUserState, other, limits)]
        expect(b.recent).toEqual(a.recent)
        expect(b.seen).toEqual(a.seen)
        expect(a.recent.pinIds.length).toBeLessThanOrEqual(5)
        expect(a.seen.pins.length).toBeLessThanOrEqual(4)
      }),
    )
  })

  it('does not change the state that it folds from', () => {
    fc.assert(
      fc.property(engagements(), engagements(), (first, second) => {
        const before = foldUser(newUserState, first)
        const copy = structuredClone(before)
        foldUser(before, second)
        expect(before).toEqual(copy)
      }),
    )
  })

  it('A1: folds late withdrawals as if they had come in order', () => {
    const yearMs = 365 * 86_400_000
    fc.assert(
      fc.property(shuffled(engagements(3 * yearMs)), ([list, other]) => {
        const [a, b] = [foldUser(newUserState, list), foldUser(newUserState, other)]
        expect(b.relations).toEqual(a.relations)
        expect(b.recent).toEqual(a.recent)
      }),
    )
  })

  it('keeps impressions out of the recent actions, and every shown pin in `seen`', () => {
    const state = foldUser(newUserState, [
      anEngagement({ action: 'impression', subject: aPin('shown') }),
      anEngagement({ action: 'save', subject: aPin('saved'), occurredAtMs: noonMs + 1 }),
      anEngagement({ action: 'closeup', subject: aPin('opened'), occurredAtMs: noonMs + 2, dwellMs: 900 }),
    ])
    expect(newestFirst(state.recent).map(({ pinId, action, dwellMs }) => [pinId, action, dwellMs])).toEqual([
      ['opened', 'closeup', 900],
      ['saved', 'save', null],
    ])
    expect(['shown', 'saved', 'opened', 'never'].map((pinId) => hasSeen(state.seen, pinId))).toEqual([
      true,
      true,
      true,
      false,
    ])
  })

  it('reports the first and last time of the user, and the number of sessions', () => {
    const at = (minutes: number) => anEngagement({ occurredAtMs: noonMs + minutes * 60_000 })
    const state = foldUser(newUserState, [at(0), at(30), at(61), at(45), at(200)])
    expect([state.firstAtMs, state.lastAtMs]).toEqual([noonMs, noonMs + 200 * 60_000])
    expect(sessionCount(state.sessions)).toBe(2)
  })
})
