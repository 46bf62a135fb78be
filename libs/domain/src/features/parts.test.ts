import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { asId, type BoardId } from '../ids.ts'
import { anEngagement, noonMs, shuffled } from '../testing.ts'
import { boardWeight, foldBoard, noBoards } from './board-affinity.ts'
import { lastingKinds, standingHashes } from './older-relations.ts'
import type { Relation, RelationKind } from './relation-kinds.ts'
import {
  foldRelations,
  hasRelation,
  noRelations,
  olderOf,
  relationIds,
  type RelationLimits,
  type Relations,
} from './relations.ts'
import { foldSeen, hasSeen, lastSeenAtMs, nothingSeen, seenFalsePositiveRate, type SeenLimits } from './seen.ts'
import { foldSession, noSessions, sessionCount } from './sessions.ts'

const dayMs = 86_400_000

describe('relations', () => {
  const change = fc.record({
    kind: fc.constantFrom('hide-pin' as const, 'follow-creator' as const),
    id: fc.constantFrom('a', 'b', 'c'),
    atMs: fc.integer({ min: noonMs, max: noonMs + 5 }),
    stands: fc.boolean(),
  })
  const roomy: RelationLimits = { maxRelationsPerKind: 100, maxOlderRelations: 100 }
  const foldAll = (changes: readonly Relation[], limits = roomy) =>
    changes.reduce<Relations>((relations, one) => foldRelations(relations, [one], limits), noRelations)
  /** Whether a relation is in effect after all changes of its subject. */
  const stands = (changes: readonly Relation[], { kind, id }: Relation) => {
    const mine = changes.filter((one) => one.kind === kind && one.id === id)
    const latestMs = Math.max(...mine.map(({ atMs }) => atMs))
    return mine.some((one) => one.atMs === latestMs && one.stands)
  }

  it('follow the latest change, in any order of delivery', () => {
    fc.assert(
      fc.property(shuffled(fc.array(change, { maxLength: 20 })), ([changes, other]) => {
        const folded = foldAll(changes)
        expect(foldAll(other)).toEqual(folded)
        expect([...foldAll(other).newest.keys()]).toEqual([...folded.newest.keys()])
        for (const one of changes) expect(hasRelation(folded, one.kind, one.id)).toBe(stands(changes, one))
      }),
    )
  })

  const many = fc.record({
    kind: fc.constantFrom<RelationKind>('hide-pin', 'block-topic', 'follow-topic'),
    id: fc.integer({ min: 0, max: 12 }).map((n) => `id-${n}`),
    atMs: fc.integer({ min: noonMs, max: noonMs + 30 }),
    stands: fc.boolean(),
  })

  it('A1, A13: keep the same registers at their caps in any order and any split into folds', () => {
    fc.assert(
      fc.property(
        shuffled(fc.array(many, { maxLength: 60 })),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.nat(60), { maxLength: 5 }),
        ([changes, other], maxRelationsPerKind, maxOlderRelations, cuts) => {
          const limits = { maxRelationsPerKind, maxOlderRelations }
          const folded = foldAll(changes, limits)
          expect(foldAll(other, limits)).toEqual(folded)
          const ends = [...cuts.map((cut) => Math.min(cut, changes.length)), changes.length].sort((a, b) => a - b)
          const parts = ends.map((end, i) => changes.slice(ends[i - 1] ?? 0, end))
          expect(parts.reduce((relations, part) => foldRelations(relations, part, limits), noRelations)).toEqual(folded)
        },
      ),
    )
  })

  it('A13: within the caps, never show a hidden pin, and show it again once it is unhidden', () => {
    fc.assert(
      fc.property(fc.array(many, { maxLength: 60 }), (changes) => {
        const folded = foldAll(changes, { maxRelationsPerKind: 2, maxOlderRelations: 100 })
        for (const one of changes.filter(({ kind }) => lastingKinds.includes(kind))) {
          expect(hasRelation(folded, one.kind, one.id)).toBe(stands(changes, one))
        }
        expect(folded.older.every(({ kind }) => lastingKinds.includes(kind))).toBe(true)
      }),
    )
  })

  it.each([1_000, 10_000, 100_000])('A13: hold %i hides, each of which can be withdrawn', (count) => {
    const limits: RelationLimits = { maxRelationsPerKind: 1000, maxOlderRelations: 100_000 }
    const hide = (i: number, atMs: number, stands = true): Relation => ({
      kind: 'hide-pin',
      id: `pin-${i}`,
      atMs,
      stands,
    })
    const hides = Array.from({ length: count }, (_, i) => hide(i, noonMs + i * 60_000))
    let relations = noRelations
    for (let i = 0; i < count; i += 5_000) relations = foldRelations(relations, hides.slice(i, i + 5_000), limits)
    expect(hides.filter(({ id }) => !hasRelation(relations, 'hide-pin', id))).toEqual([])
    const strangers = Array.from({ length: 100_000 }, (_, i) => `other-${i}`)
    expect(strangers.filter((id) => hasRelation(relations, 'hide-pin', id))).toEqual([])
    // Withdrawn in the middle of the history, and at its end.
    const back = [hide(0, noonMs + count * 60_000, false), hide(count >> 1, noonMs + (count >> 1) * 60_000 + 1, false)]
    const after = foldRelations(relations, back, limits)
    expect(back.map(({ id }) => hasRelation(after, 'hide-pin', id))).toEqual([false, false])
    expect(hides.filter(({ id }) => !hasRelation(after, 'hide-pin', id))).toHaveLength(2)
    const older = olderOf(after, 'hide-pin')
    expect(older === null ? 0 : standingHashes(older).length).toBeGreaterThanOrEqual(count - 1_002)
  })

  it('drop the oldest above the caps', () => {
    const on = (id: string, afterMs: number, given = true): Relation => ({
      kind: 'hide-pin',
      id,
      atMs: noonMs + afterMs,
      stands: given,
    })
    const limits = { maxRelationsPerKind: 2, maxOlderRelations: 1 }
    const relations = foldAll([on('a', 1), on('b', 2), on('c', 3, false), on('d', 4)], limits)
    expect(relationIds(relations, 'hide-pin')).toEqual(['d'])
    expect(['a', 'b', 'c', 'd'].map((id) => hasRelation(relations, 'hide-pin', id))).toEqual([false, true, false, true])
  })
})

describe('seen', () => {
  const limits: SeenLimits = { maxRecent: 50, generationMs: 7 * dayMs, maxPerGeneration: 400 }
  const seeAll = (pins: readonly (readonly [string, number])[], given = limits) =>
    pins.reduce((seen, [pinId, atMs]) => foldSeen(seen, [{ pinId, atMs }], given), nothingSeen)

  it('recognises every seen pin within its bounds', () => {
    const pins = Array.from({ length: 300 }, (_, i) => [`pin-${i}`, noonMs + i * 60_000] as const)
    const seen = seeAll(pins)
    expect(seen.pins).toHaveLength(50)
    expect(pins.every(([pin]) => hasSeen(seen, pin))).toBe(true)
    expect(lastSeenAtMs(seen, 'pin-299')).toBe(noonMs + 299 * 60_000)
    expect(lastSeenAtMs(seen, 'pin-0')).toBeNull()
  })

  it('mistakes unseen pins for seen no more often than documented', () => {
    const seen = seeAll(
      Array.from({ length: 800 }, (_, i) => [`pin-${i}`, noonMs + i * 1_200_000] as const),
      { ...limits, maxPerGeneration: 1500 },
    )
    const tries = 200_000
    let wrong = 0
    for (let i = 0; i < tries; i++) if (hasSeen(seen, `other-${i}`)) wrong++
    const rate = seenFalsePositiveRate(seen)
    expect(rate).toBeLessThan(0.002)
    expect(wrong / tries).toBeLessThan(rate * 1.5)
    expect(wrong / tries).toBeGreaterThan(rate * 0.5)
  })

  it('drops pins older than two generations', () => {
    const seen = seeAll([
      ['old', noonMs],
      ...Array.from({ length: 60 }, (_, i) => [`new-${i}`, noonMs + 15 * dayMs + i] as const),
    ])
    expect(hasSeen(seen, 'old')).toBe(false)
    expect(seen.older.length).toBeLessThanOrEqual(2)
  })

  it('does not depend on the order of sights below the cap of a generation', () => {
    const sights = fc.array(
      fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), fc.integer({ min: noonMs, max: noonMs + 30 * dayMs })),
      { maxLength: 30 },
    )
    fc.assert(
      fc.property(shuffled(sights), ([list, other]) => {
        const few = { ...limits, maxRecent: 3 }
        expect(seeAll(other, few)).toEqual(seeAll(list, few))
        const atOnce = list.map(([pinId, atMs]) => ({ pinId, atMs }))
        expect(foldSeen(nothingSeen, atOnce, few)).toEqual(seeAll(list, few))
      }),
    )
  })

  it('keeps its documented rate at the cap by refusing later pins', () => {
    const few = { ...limits, maxRecent: 1, maxPerGeneration: 2 }
    const seen = seeAll(
      [
        ['a', noonMs],
        ['b', noonMs + 1],
        ['c', noonMs + 2],
        ['d', noonMs + 3],
      ],
      few,
    )
    expect(seen.older.map(({ fingerprints }) => fingerprints.length)).toEqual([2])
    expect(hasSeen(seen, 'd')).toBe(true)
    expect(hasSeen(seen, 'c')).toBe(false)
  })
})

describe('sessions', () => {
  it('A1: do not count again for events older than the kept sessions', () => {
    const limits = { gapMs: 1_800_000, maxKept: 3 }
    const at = (day: number) => noonMs + day * dayMs
    const fold = (days: readonly number[]) => days.reduce((all, day) => foldSession(all, at(day), limits), noSessions)
    const inOrder = fold([1, 2, 3, 4, 5, 6])
    expect(sessionCount(inOrder)).toBe(6)
    const again = [1, 2, 1].reduce((all, day) => foldSession(all, at(day) + 1_000, limits), inOrder)
    expect(again).toEqual(inOrder)
  })

  const limits = { gapMs: 30 * 60_000, maxKept: 100 }
  const times = fc.array(fc.integer({ min: noonMs, max: noonMs + dayMs }), { minLength: 1, maxLength: 40 })

  it('end at silences longer than the gap, in any order of events', () => {
    fc.assert(
      fc.property(shuffled(times), ([list, other]) => {
        const folded = list.reduce((sessions, at) => foldSession(sessions, at, limits), noSessions)
        expect(other.reduce((sessions, at) => foldSession(sessions, at, limits), noSessions)).toEqual(folded)
        const sorted = [...list].sort((a, b) => a - b)
        const gaps = sorted.filter((at, i) => i > 0 && at - (sorted[i - 1] ?? 0) > limits.gapMs).length
        expect(sessionCount(folded)).toBe(gaps + 1)
      }),
    )
  })

  it('still count when their times are no longer kept', () => {
    let sessions = noSessions
    for (let i = 0; i < 10; i++) sessions = foldSession(sessions, noonMs + i * dayMs, { gapMs: 60_000, maxKept: 3 })
    expect(sessions.startMs).toHaveLength(3)
    expect(sessionCount(sessions)).toBe(10)
  })
})

describe('board affinity', () => {
  const saved = (board: string, afterMs: number, action: 'save' | 'unsave' = 'save') =>
    anEngagement({ action, boardId: asId<BoardId>(board), occurredAtMs: noonMs + afterMs })

  it('is saves minus withdrawn saves, decayed, and never below 0', () => {
    const boards = [
      saved('a', 0),
      saved('a', 0),
      saved('b', 0),
      saved('b', 5, 'unsave'),
      saved('c', 0, 'unsave'),
    ].reduce((kept, one) => foldBoard(kept, one, 10), noBoards)
    expect(boardWeight(boards, 'a', noonMs + 30 * dayMs)).toBeCloseTo(1)
    expect(boardWeight(boards, 'b', noonMs + 5)).toBeCloseTo(0)
    expect(boardWeight(boards, 'c', noonMs)).toBe(0)
    expect(boardWeight(boards, 'd', noonMs)).toBe(0)
  })

  it('drops the lightest board above its cap', () => {
    const boards = [saved('a', 0), saved('a', 1), saved('b', 2), saved('c', 3), saved('c', 4)].reduce(
      (kept, one) => foldBoard(kept, one, 2),
      noBoards,
    )
    expect(boards.boardIds).toEqual(['a', 'c'])
  })
})
