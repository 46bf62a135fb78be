import { aCataloguePin } from '@freshet/domain/testing'
import { asId, type BoardId, type CreatorId, type UserId } from '@freshet/domain/ids'
import type { Engagement } from '@freshet/domain/engagement'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'

import { anEngagement, aQuery, hourMs, minuteMs, recentClicks, startMs } from '../builders.fixture.ts'
import { createRetrieval, type Retrieval } from '../retrieval.ts'
import { createSaves } from './saves.ts'
import { decodeSnapshot, encodeSnapshot } from '@freshet/columns/snapshot'

const act = (pinId: string, boardId: string | null, atMs: number, userId = 'u') => ({
  userId,
  pinId,
  boardId,
  atMs,
  sourceTag: 7,
})

describe('A8: saves', () => {
  it('are returned once, by an unsave of the same board', () => {
    const saves = createSaves({ maxSaves: 100 })
    saves.note(act('p', 'x', 1), 'counted')
    saves.note(act('p', 'y', 2), 'again')
    saves.note(act('q', 'x', 3), 'counted')
    expect(saves.withdraw(act('p', 'x', 4))).toEqual([{ atMs: 1, isFirst: true, isCounted: true, sourceTag: 7 }])
    expect(saves.withdraw(act('p', 'x', 5))).toEqual([])
    expect(saves.withdraw(act('p', null, 6))).toEqual([{ atMs: 2, isFirst: false, isCounted: false, sourceTag: 7 }])
    expect(saves.withdraw(act('q', 'x', 7, 'other'))).toEqual([])
  })

  it('made after the unsave stay, and older ones that arrive after it are taken back', () => {
    const saves = createSaves({ maxSaves: 100 })
    saves.note(act('p', 'x', 10), 'counted')
    expect(saves.withdraw(act('p', 'x', 5))).toEqual([])
    expect(saves.isWithdrawn(act('p', 'x', 4))).toBe(true)
    expect(saves.isWithdrawn(act('p', 'y', 4))).toBe(false)
    expect(saves.isWithdrawn(act('p', 'x', 6))).toBe(false)
  })

  it('of an erased user are forgotten, also in a snapshot', () => {
    const saves = createSaves({ maxSaves: 3 })
    saves.note(act('p', 'x', 1), 'counted')
    saves.note(act('p', 'x', 2, 'other'), 'counted')
    saves.note(act('q', 'y', 3), 'counted')
    saves.forget('u')
    const bytes = encodeSnapshot((writer) => saves.save(writer))
    const none = createSaves({ maxSaves: 3 })
    none.load(decodeSnapshot(bytes))
    for (const each of [saves, none]) {
      expect(each.withdraw(act('p', 'x', 9))).toEqual([])
      expect(each.withdraw(act('p', 'x', 9, 'other'))).toEqual([
        { atMs: 2, isFirst: true, isCounted: true, sourceTag: 7 },
      ])
    }
    const kept = decodeSnapshot(bytes)
    for (const name of ['highs', 'lows', 'users', 'boards'] as const)
      expect([kept.u32(name)[0], kept.u32(name)[2]]).toEqual([0, 0])
  })

  test('law: beyond the cap the earliest go, and a restored memory continues in the same way', () => {
    const acts = fc.array(fc.record({ pin: fc.nat(4), board: fc.option(fc.nat(1)), save: fc.boolean() }), {
      maxLength: 60,
    })
    fc.assert(
      fc.property(acts, fc.integer({ min: 1, max: 12 }), fc.nat(60), (given, maxSaves, cut) => {
        const whole = createSaves({ maxSaves })
        let other = createSaves({ maxSaves })
        given.forEach(({ pin, board, save }, at) => {
          const one = act(`p${pin}`, board === null ? null : `b${board}`, at)
          if (at === cut) {
            const restored = createSaves({ maxSaves })
            restored.load(decodeSnapshot(encodeSnapshot((writer) => other.save(writer))))
            other = restored
          }
          expect(whole.isWithdrawn(one)).toBe(other.isWithdrawn(one))
          if (save) for (const saves of [whole, other]) saves.note(one, 'counted')
          else expect(whole.withdraw(one)).toEqual(other.withdraw(one))
          expect(whole.size).toBeLessThanOrEqual(maxSaves)
        })
      }),
    )
  })
})

/** Views that are quick to create. */
const small = { adaptShares: false, maxPins: 100, maxSessions: 1_000, maxBoards: 1_000, maxEdges: 5_000 }
const fans = 4
const steps = fc.array(fc.record({ pin: fc.nat(6), save: fc.boolean(), session: fc.nat(2) }), { maxLength: 8 })
const streams = fc.array(steps, { minLength: fans, maxLength: fans })
const later = startMs + 60 * hourMs

function streamOf(user: number, given: readonly { pin: number; save: boolean; session: number }[]): Engagement[] {
  return given.map(({ pin, save, session }, n) =>
    anEngagement({
      userId: `u${user}`,
      sessionId: `s${session}`,
      pinId: `p${pin}`,
      action: save ? 'save' : 'click',
      boardId: save ? `board${pin % 2}` : null,
      atMs: startMs + (2 * n + 1) * 10 * minuteMs,
    }),
  )
}

function folded(engagements: readonly Engagement[]): Retrieval {
  const retrieval = createRetrieval({ config: small, seed: 1, refresh: 'event' })
  for (const pinId of ['p0', 'p1', 'p2', 'p3', 'p4', 'p5', 'p6', 'z'])
    retrieval.foldPin({
      kind: 'upsert',
      pin: aCataloguePin(pinId, { createdAtMs: startMs, creatorId: asId<CreatorId>('c') }),
    })
  for (const engagement of engagements) retrieval.foldEngagement(engagement)
  return retrieval
}

/** What each source answers; revisit counts what was once done, see `NeighbourIndex.withdraw`. */
function answersOf(retrieval: Retrieval) {
  return retrieval.sourceNames
    .filter((name) => name !== 'revisit')
    .flatMap((name) =>
      ['u0', 'asker'].map((userId) => {
        const query = aQuery({
          userId: asId<UserId>(userId),
          recent: recentClicks(['p1', 'z', 'p2'], later),
          followedBoards: [asId<BoardId>('mine')],
          atMs: later,
          sources: [name],
        })
        const { pinIds, scores } = retrieval.retrieve(query)
        return { name, userId, pinIds, scores: [...scores].map((score) => Number(score.toPrecision(4))) }
      }),
    )
}

describe('A8: the views', () => {
  const withPair = (given: Engagement[][], at: number, order: 'save first' | 'unsave first') => {
    const mine = given[0] ?? []
    const place = Math.min(at, mine.length)
    const pair = (['save', 'unsave'] as const).map((action, n) =>
      anEngagement({
        userId: 'u0',
        sessionId: 's9',
        pinId: 'z',
        action,
        boardId: 'mine',
        atMs: startMs + 2 * place * 10 * minuteMs + n * minuteMs,
      }),
    )
    if (order === 'unsave first') pair.reverse()
    return [...mine.slice(0, place), ...pair, ...mine.slice(place), ...given.slice(1).flat()]
  }

  test.each(['save first', 'unsave first'] as const)(
    'law: a save that was taken back is as if it had never been, whatever else was done (%s)',
    (order) => {
      fc.assert(
        fc.property(streams, fc.nat(8), (given, at) => {
          const plain = given.map((stream, user) => streamOf(user, stream))
          const never = answersOf(folded(plain.flat()))
          expect(answersOf(folded(withPair(plain, at, order)))).toEqual(never)
        }),
        { numRuns: 40 },
      )
    },
  )

  test('law: the same holds in the middle of a session and after a restart from a snapshot', () => {
    fc.assert(
      fc.property(streams, fc.nat(8), (given, at) => {
        const plain = given.map((stream, user) => streamOf(user, stream))
        const events = withPair(plain, at, 'save first').map((engagement) =>
          engagement.userId === 'u0' ? { ...engagement, sessionId: asId<never>('s') } : engagement,
        )
        const never = answersOf(folded(events.filter(({ subject }) => subject.kind !== 'pin' || subject.pinId !== 'z')))
        const cut = events.findIndex(({ action }) => action === 'unsave')
        const before = folded(events.slice(0, cut))
        const restored = createRetrieval({ config: small, seed: 1, refresh: 'event' })
        restored.restore(before.snapshot(new Uint8Array(0)))
        for (const engagement of events.slice(cut)) restored.foldEngagement(engagement)
        expect(answersOf(restored)).toEqual(never)
      }),
      { numRuns: 40 },
    )
  })

  it('forget a save but not an earlier click on the same pin', () => {
    const click = anEngagement({ userId: 'u0', pinId: 'z', atMs: startMs })
    const later1 = { userId: 'u0', pinId: 'z', boardId: 'mine' }
    const events = [
      click,
      anEngagement({ ...later1, action: 'save', atMs: startMs + minuteMs }),
      anEngagement({ ...later1, action: 'unsave', atMs: startMs + 2 * minuteMs }),
    ]
    const popularityOf = (retrieval: Retrieval) =>
      answersOf(retrieval).filter(({ name }) => ['popularity', 'trending'].includes(name))
    expect(popularityOf(folded(events))).toEqual(popularityOf(folded([click])))
    const next = anEngagement({ userId: 'u1', pinId: 'p1', atMs: startMs + hourMs })
    expect(folded([...events, next]).stats().sessionActions).toBe(2)
  })
})
