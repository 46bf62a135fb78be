import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { asId, type BoardId } from '../ids.ts'
import { anEngagement, noonMs, shuffled } from '../testing.ts'
import { boardWeight, foldBoard, noBoards } from './board-affinity.ts'
import { foldRelation, hasRelation, noRelations, relationIds, type Relation, type Relations } from './relations.ts'
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
  const foldAll = (changes: readonly Relation[], cap = 100) =>
    changes.reduce<Relations>((relations, one) => foldRelation(relations, one, cap), noRelations)

  it('stand as the latest change says, in whatever order the changes come', () => {
    fc.assert(
      fc.property(shuffled(fc.array(change, { maxLength: 20 })), ([changes, other]) => {
        const folded = foldAll(changes)
        expect([...foldAll(other)]).toEqual([...folded])
        for (const { kind, id } of changes) {
          const mine = changes.filter((one) => one.kind === kind && one.id === id)
          const latestMs = Math.max(...mine.map(({ atMs }) => atMs))
          expect(hasRelation(folded, kind, id)).toBe(mine.some(({ atMs, stands }) => atMs === latestMs && stands))
        }
      }),
    )
  })

  it('drop withdrawn ones first, then the oldest, above their cap', () => {
    const on = (id: string, afterMs: number, stands = true): Relation => ({
      kind: 'hide-pin',
      id,
      atMs: noonMs + afterMs,
      stands,
    })
    expect(relationIds(foldAll([on('a', 1), on('b', 2), on('c', 3, false), on('d', 4)], 3), 'hide-pin')).toEqual([
      'a',
      'b',
      'd',
    ])
    expect(relationIds(foldAll([on('a', 1), on('b', 2), on('c', 3), on('d', 4)], 3), 'hide-pin')).toEqual([
      'b',
      'c',
      'd',
    ])
  })
})

describe('seen', () => {
  const limits: SeenLimits = { maxRecent: 50, generationMs: 7 * dayMs, maxPerGeneration: 400 }
  const seeAll = (pins: readonly (readonly [string, number])[], given = limits) =>
    pins.reduce((seen, [pinId, atMs]) => foldSeen(seen, [{ pinId, atMs }], given), nothingSeen)

  it('never denies a pin within its bounds', () => {
    const pins = Array.from({ length: 300 }, (_, i) => [`pin-${i}`, noonMs + i * 60_000] as const)
    const seen = seeAll(pins)
    expect(seen.pins).toHaveLength(50)
    expect(pins.every(([pin]) => hasSeen(seen, pin))).toBe(true)
    expect(lastSeenAtMs(seen, 'pin-299')).toBe(noonMs + 299 * 60_000)
    expect(lastSeenAtMs(seen, 'pin-0')).toBeNull()
  })

  it('takes pins not seen for seen no more often than it says', () => {
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

  it('lets go what is older than two generations', () => {
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

  it('keeps its stated rate at the cap by refusing what comes later', () => {
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
  const limits = { gapMs: 30 * 60_000, maxKept: 100 }
  const times = fc.array(fc.integer({ min: noonMs, max: noonMs + dayMs }), { minLength: 1, maxLength: 40 })

  it('are cut at silences above the gap, in whatever order the events come', () => {
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

  it('are still counted when their times are no longer kept', () => {
    let sessions = noSessions
    for (let i = 0; i < 10; i++) sessions = foldSession(sessions, noonMs + i * dayMs, { gapMs: 60_000, maxKept: 3 })
    expect(sessions.startMs).toHaveLength(3)
    expect(sessionCount(sessions)).toBe(10)
  })
})

describe('board affinity', () => {
  const saved = (board: string, afterMs: number, action: 'save' | 'unsave' = 'save') =>
    anEngagement({ action, boardId: asId<BoardId>(board), occurredAtMs: noonMs + afterMs })

  it('is what was saved less what was withdrawn, decayed, and never below 0', () => {
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
