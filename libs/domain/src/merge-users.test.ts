import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { counted } from './decay.ts'
import { actions, type Engagement } from './engagement.ts'
import { hasRelation, olderOf } from './features/relations.ts'
import { hasSeen } from './features/seen.ts'
import { afterHandover, heldSinceMs, mergeUsers, type MergeLimits } from './merge-users.ts'
import { aPin, anEngagement, engagements, noonMs } from './testing.ts'
import { defaultUserLimits, foldUser, newUserState, type UserState } from './user-state.ts'

const limits: MergeLimits = { ...defaultUserLimits, maxMergedFrom: 4 }
const yearMs = 365 * 86_400_000

function folded(list: readonly Engagement[], of: MergeLimits = limits): UserState {
  return foldUser(newUserState, list, of)
}

/** Expects two states to be the same but for the rounding of weights. */
function expectSame(found: UserState, wanted: UserState): void {
  const exact = ({ counters, boards, ...rest }: UserState) => ({
    ...rest,
    countedAtMs: counters.atMs,
    boardIds: [...boards.boardIds].sort(),
  })
  expect(exact(found)).toEqual(exact(wanted))
  wanted.counters.values.forEach((value, i) => expect(found.counters.values[i]).toBeCloseTo(value, 9))
  wanted.boards.boardIds.forEach((id, i) => {
    const row = found.boards.boardIds.indexOf(id)
    expect(found.boards.atMs[row]).toBe(wanted.boards.atMs[i])
    expect(found.boards.weights[row]).toBeCloseTo(wanted.boards.weights[i] ?? NaN, 9)
  })
}

describe('merging two users', () => {
  it('is the fold of all engagements of both, and later ones fold as if there had been one user', () => {
    fc.assert(
      fc.property(engagements(), engagements(), engagements(), (known, anonymous, later) => {
        const merged = mergeUsers(folded(known), folded(anonymous), limits)
        expectSame(merged, folded([...known, ...anonymous]))
        expectSame(foldUser(merged, later, limits), folded([...later, ...known, ...anonymous]))
      }),
    )
  })

  it('gives the same whichever user the state comes from, and in whatever order three are merged', () => {
    fc.assert(
      fc.property(engagements(), engagements(), engagements(), (first, second, third) => {
        const [a, b, c] = [folded(first), folded(second), folded(third)]
        expectSame(mergeUsers(a, b, limits), mergeUsers(b, a, limits))
        expectSame(mergeUsers(mergeUsers(a, b, limits), c, limits), mergeUsers(a, mergeUsers(b, c, limits), limits))
      }),
    )
  })

  it('merges the registers of years as if they had come in order, and keeps every hide beyond the cap by id', () => {
    const small: MergeLimits = { ...limits, maxRelationsPerKind: 2 }
    fc.assert(
      fc.property(engagements(3 * yearMs), engagements(3 * yearMs), (known, anonymous) => {
        const merged = mergeUsers(folded(known, small), folded(anonymous, small), small)
        const wanted = folded([...known, ...anonymous])
        for (const { kind, id, stands } of wanted.relations.newest.values()) {
          const lasting = kind === 'hide-pin' || kind === 'report-pin' || kind.startsWith('block')
          if (lasting) expect([kind, id, hasRelation(merged.relations, kind, id)]).toEqual([kind, id, stands])
        }
        for (const kind of ['hide-pin', 'report-pin'] as const) {
          const hashes = [...(olderOf(merged.relations, kind)?.hashes ?? [])]
          expect(hashes).toEqual([...new Set(hashes)].sort((a, b) => a - b))
        }
      }),
    )
  })

  it('keeps the caps', () => {
    const small: MergeLimits = {
      ...limits,
      maxRecentActions: 5,
      maxBoards: 2,
      seen: { ...limits.seen, maxRecent: 4, maxPerGeneration: 3 },
      sessions: { ...limits.sessions, maxKept: 2 },
    }
    fc.assert(
      fc.property(engagements(yearMs), engagements(yearMs), (known, anonymous) => {
        const merged = mergeUsers(folded(known, small), folded(anonymous, small), small)
        const wanted = folded([...known, ...anonymous], small)
        expect(merged.recent).toEqual(wanted.recent)
        expect(merged.seen.pins).toEqual(wanted.seen.pins)
        expect(merged.boards.boardIds.length).toBeLessThanOrEqual(2)
        expect(merged.sessions.startMs.length).toBeLessThanOrEqual(2)
        for (const { fingerprints } of merged.seen.older) expect(fingerprints.length).toBeLessThanOrEqual(3)
      }),
    )
  })

  it('changes nothing when what is left after a handover is handed over again', () => {
    fc.assert(
      fc.property(engagements(), engagements(), (known, anonymous) => {
        const from = folded(anonymous)
        const merged = mergeUsers(folded(known), from, limits)
        expect(mergeUsers(merged, afterHandover(from), limits)).toEqual(merged)
      }),
    )
  })

  it('leaves relations and seen pins with a user whose state was handed over, and nothing that counts', () => {
    const state = folded([
      anEngagement({ action: 'hide', subject: aPin('hidden') }),
      anEngagement({ action: 'click', subject: aPin('clicked') }),
    ])
    const left = afterHandover(state)
    expect(hasRelation(left.relations, 'hide-pin', 'hidden')).toBe(true)
    expect(hasSeen(left.seen, 'clicked')).toBe(true)
    expect(left.recent.pinIds).toEqual([])
    expect(counted(left.counters, actions.indexOf('click'), 'total', noonMs)).toBe(0)
    expect(heldSinceMs(left)).toBe(noonMs)
  })
})
