import type { Action, Engagement } from '@freshet/domain/engagement'
import { asId, type PinId } from '@freshet/domain/ids'
import { decodeSnapshot, encodeSnapshot } from '@freshet/columns/snapshot'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'

import { anEngagement, anOpenRetrieval, aQuery, hourMs, onlySource, quickCaps, startMs } from '../builders.fixture.ts'
import type { RetrievalConfigInput } from '../config.ts'
import type { Retrieval } from '../retrieval.ts'
import { createAddressCaps, type AddressCaps, type CappedAct } from './address-caps.ts'

const act = (userId: string, atMs = 1, parts: Partial<CappedAct> = {}): CappedAct => ({
  userId,
  atMs,
  row: 4,
  sourceTag: 9,
  ...parts,
})

const ofTwo = (maxAddresses = 100): AddressCaps => createAddressCaps({ maxUsersPerAddress: 2, maxAddresses })

describe('the users of an address who count for a pin', () => {
  it('are as many as the cap', () => {
    const caps = ofTwo()
    expect(['a', 'b', 'c', 'd'].map((user, n) => caps.admit(act(user, n)))).toEqual([
      'counted',
      'counted',
      'refused',
      'refused',
    ])
  })

  it('are others for another pin and another address', () => {
    const caps = ofTwo()
    for (const user of ['a', 'b']) caps.admit(act(user))
    expect(caps.admit(act('c', 1, { row: 5 }))).toBe('counted')
    expect(caps.admit(act('c', 1, { sourceTag: 8 }))).toBe('counted')
  })

  it('are the first ones: who comes late with an earlier action takes the place of the last', () => {
    const caps = ofTwo()
    for (const [user, atMs] of [
      ['a', 10],
      ['b', 20],
    ] as const)
      caps.admit(act(user, atMs))
    expect(caps.admit(act('c', 15))).toBe(20)
    expect(caps.admit(act('d', 15.5))).toBe('refused')
  })

  it('keep their places when they take the action back, and count again in them', () => {
    const caps = ofTwo()
    for (const user of ['a', 'b']) caps.admit(act(user, 5))
    expect(caps.withdraw(act('a', 5))).toBe(true)
    expect(caps.withdraw(act('a', 5))).toBe(false)
    expect(caps.admit(act('c', 6))).toBe('refused')
    expect(caps.admit(act('a', 7))).toBe('counted')
    expect(caps.admit(act('a', 8))).toBe('refused')
    expect(caps.withdraw(act('a', 7))).toBe(true)
  })

  it('do not count once more for what another took from them', () => {
    const caps = ofTwo()
    for (const [n, user] of ['a', 'b'].entries()) caps.admit(act(user, 5 + n))
    expect(caps.admit(act('c', 1))).toBe(6)
    expect(caps.withdraw(act('b', 6))).toBe(false)
  })

  it('are distinct when they act at the same time', () => {
    const caps = ofTwo()
    const admitted = ['a', 'b', 'c'].filter((user) => caps.admit(act(user, 5)) !== 'refused')
    const counting = ['a', 'b', 'c'].filter((user) => caps.withdraw(act(user, 5)))
    expect(counting).toHaveLength(2)
    expect(admitted).toEqual(expect.arrayContaining(counting.slice(-1)))
  })

  it('keep the place of their first action when they count again with a later one', () => {
    const caps = ofTwo()
    for (const [n, user] of ['a', 'b'].entries()) caps.admit(act(user, 5 + n))
    caps.withdraw(act('a', 5))
    caps.admit(act('a', 30))
    expect(caps.admit(act('c', 5.5))).toBe(6)
  })

  it('are the same after a restart, with what they took back', () => {
    const caps = ofTwo()
    for (const [n, user] of ['a', 'b'].entries()) caps.admit(act(user, 5 + n))
    for (const user of ['a', 'b']) caps.withdraw(act(user, user === 'a' ? 5 : 6))
    caps.admit(act('a', 30))
    const next = ofTwo()
    next.load(decodeSnapshot(encodeSnapshot((writer) => caps.save(writer))))
    expect(next.admit(act('c', 5.5))).toBe('counted')
    expect(next.withdraw(act('b', 6))).toBe(false)
    expect(next.withdraw(act('a', 30))).toBe(true)
  })

  it('are forgotten with the pin, when its row is used again', () => {
    const caps = ofTwo()
    for (const user of ['a', 'b']) caps.admit(act(user))
    caps.letGo(4)
    expect(caps.withdraw(act('a'))).toBe(false)
    expect(caps.admit(act('c'))).toBe('counted')
    expect(caps.admit(act('d'))).toBe('counted')
    expect(caps.admit(act('e'))).toBe('refused')
  })

  it('are forgotten by name when erased, and their places stay taken', () => {
    const caps = ofTwo()
    for (const user of ['a', 'b']) caps.admit(act(user))
    caps.forget('a')
    expect(caps.withdraw(act('a'))).toBe(false)
    expect(caps.admit(act('c', 2))).toBe('refused')
    expect(encodeSnapshot((writer) => caps.save(writer))).not.toEqual(
      encodeSnapshot((writer) => {
        const all = ofTwo()
        for (const user of ['a', 'b']) all.admit(act(user))
        all.save(writer)
      }),
    )
  })

  it('are known for the latest pairs of a pin and an address, in bounded memory', () => {
    const caps = ofTwo(8)
    for (let n = 0; n < 10_000; n++) caps.admit(act('a', n, { sourceTag: 1 + (n % 5_000) }))
    const bytes = caps.bytes()
    for (let n = 0; n < 10_000; n++) caps.admit(act('b', n, { sourceTag: 1 + n }))
    expect(caps.bytes()).toBe(bytes)
    expect(caps.withdraw(act('b', 9_999, { sourceTag: 10_000 }))).toBe(true)
    expect(caps.withdraw(act('b', 9_991, { sourceTag: 9_992 }))).toBe(false)
  })

  it('are all if there is no cap', () => {
    const caps = createAddressCaps({ maxUsersPerAddress: 0, maxAddresses: 1 })
    for (let n = 0; n < 100; n++) expect(caps.admit(act(`u${n}`))).toBe('counted')
    expect(caps.withdraw(act('u1'))).toBe(true)
  })
})

const users = ['a', 'b', 'c', 'd', 'e', 'f']
const someActs = fc.array(
  fc.record({
    user: fc.nat(users.length - 1),
    action: fc.constantFrom<Action>('click', 'save', 'save', 'unsave'),
    pin: fc.constantFrom('p', 'q'),
    tag: fc.constantFrom(1, 1, 1, 2, undefined),
    minutes: fc.nat(90),
  }),
  { minLength: 4, maxLength: 60 },
)

const taggedAct = (
  act: { userId: string; pinId: string; action: Action; atMs: number },
  sourceTag?: number,
): Engagement => ({
  ...anEngagement({ ...act, boardId: 'board' }),
  ...(sourceTag !== undefined && { sourceTag }),
})

/** Acts of users, each user's in one order, and the same acts with the users interleaved in another way. */
const interleaved = fc.tuple(someActs, fc.array(fc.nat(), { minLength: 60, maxLength: 60 })).map(([acts, picks]) => {
  const all = acts.map(({ user, action, pin, tag, minutes }) =>
    taggedAct({ userId: users[user]!, pinId: pin, action, atMs: startMs + minutes * 60_000 }, tag),
  )
  const left = users.map((userId) => all.filter((engagement) => engagement.userId === userId))
  const other = picks.flatMap((pick) => left[pick % left.length]?.splice(0, 1) ?? [])
  return { one: all, other: [...other, ...left.flat()] }
})

const popular = (config: RetrievalConfigInput = {}): Retrieval =>
  onlySource('popularity', {}, {}, { ...quickCaps, maxUsersPerAddress: 2, ...config })
const trending = (): Retrieval =>
  onlySource('trending', { minDeviations: 0 }, {}, { ...quickCaps, maxUsersPerAddress: 2 })

function scoresOf(retrieval: Retrieval, engagements: readonly Engagement[]): readonly number[] {
  for (const engagement of engagements) retrieval.foldEngagement(engagement)
  retrieval.foldEngagement(anEngagement({ userId: 'someone else', pinId: 'other' }))
  const { pinIds, scores } = retrieval.retrieve(
    aQuery({ userId: null, atMs: startMs + 2 * hourMs, among: ['p', 'q', 'other'].map((id) => asId<PinId>(id)) }),
  )
  return ['p', 'q', 'other'].map((id) => scores[pinIds.indexOf(asId<PinId>(id))] ?? 0)
}

const nearly = (expected: readonly number[]) => expected.map((each) => expect.closeTo(each, 5) as number)

describe('law: what users of an address count for', () => {
  test('popularity does not depend on how the events of different users interleave', () => {
    fc.assert(
      fc.property(interleaved, ({ one, other }) => {
        expect(scoresOf(popular(), other)).toEqual(nearly(scoresOf(popular(), one)))
      }),
      { numRuns: 150 },
    )
  })

  test('trending does not either', () => {
    const found = (engagements: readonly Engagement[]) => {
      const retrieval = trending()
      for (const engagement of engagements) retrieval.foldEngagement(engagement)
      const { pinIds, scores } = retrieval.retrieve(aQuery({ userId: null, atMs: startMs + 2 * hourMs }))
      return ['p', 'q'].map((id) => scores[pinIds.indexOf(asId<PinId>(id))] ?? 0)
    }
    fc.assert(
      fc.property(interleaved, ({ one, other }) => {
        expect(found(other)).toEqual(nearly(found(one)))
      }),
    )
  })

  test('is the same after a restart from a snapshot at any place', () => {
    fc.assert(
      fc.property(interleaved, fc.nat(60), ({ one }, cut) => {
        const first = popular()
        for (const engagement of one.slice(0, cut)) first.foldEngagement(engagement)
        const next = popular()
        next.restore(first.snapshot(new Uint8Array(0)))
        expect(scoresOf(next, one.slice(cut))).toEqual(scoresOf(popular(), one))
      }),
    )
  })

  test('is at most the cap for a pin, and nothing of it depends on users without a tag', () => {
    fc.assert(
      fc.property(someActs, (acts) => {
        const clicks = acts.map(({ user, tag }, n) =>
          taggedAct({ userId: users[user]!, pinId: 'p', action: 'click', atMs: startMs - n }, tag),
        )
        const tags = new Map<string, number | undefined>()
        // The first act of a user on the pin counts, from the address that it came from.
        for (const { userId, sourceTag } of clicks) if (!tags.has(userId)) tags.set(userId, sourceTag)
        const of = (tag?: number): number => [...tags.values()].filter((each) => each === tag).length
        const [p = 0, , other = 1] = scoresOf(popular(), clicks)
        expect(p / other).toBeCloseTo(Math.min(2, of(1)) + Math.min(2, of(2)) + of(), 3)
      }),
    )
  })
})

describe('10,000 invented users of an address', () => {
  const flood = (retrieval: Retrieval, sourceTag?: number): void => {
    for (let n = 0; n < 10_000; n++)
      retrieval.foldEngagement(
        taggedAct({ userId: `made-up-${n}`, pinId: 'p', action: 'save', atMs: startMs + n }, sourceTag),
      )
  }
  const found = (retrieval: Retrieval, source: string) => {
    for (let n = 0; n < 10; n++) retrieval.foldEngagement(anEngagement({ userId: `real-${n}`, pinId: 'liked' }))
    return retrieval.retrieve(aQuery({ userId: null, atMs: startMs + hourMs, sources: [source] })).pinIds[0]
  }

  it.each(['popularity', 'trending'])('do not bring a pin before one that ten people like, in %s', (source) => {
    const capped = anOpenRetrieval({ config: quickCaps })
    flood(capped, 5)
    expect(found(capped, source)).toBe('liked')
    const open = anOpenRetrieval({ config: quickCaps })
    flood(open)
    expect(found(open, source)).toBe('p')
  })
})

test('a snapshot from before the caps is refused, so that the log is folded again', () => {
  const bytes = popular().snapshot(new Uint8Array(0))
  const config = JSON.parse(decodeSnapshot(bytes).json('config') as string) as object
  const older = encodeSnapshot((writer) => writer.json('config', JSON.stringify({ ...config, layout: 4 })))
  expect(() => popular().restore(older)).toThrow(expect.objectContaining({ code: 'SNAPSHOT_OTHER_CONFIG' }))
})
