import type { Action, Engagement } from '@freshet/domain/engagement'
import { decodeSnapshot, encodeSnapshot } from '@freshet/columns/snapshot'
import { asId, type UserId } from '@freshet/domain/ids'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'

import {
  anEngagement,
  anOpenRetrieval,
  aQuery,
  dayMs,
  hourMs,
  minuteMs,
  onlySource,
  quickCaps,
  startMs,
} from '../builders.fixture.ts'
import type { RetrievalConfigInput } from '../config.ts'
import type { Retrieval } from '../retrieval.ts'

const popular = (config: RetrievalConfigInput = {}): Retrieval =>
  onlySource('popularity', {}, {}, { ...quickCaps, ...config })

type Step = readonly [action: Action, atMs: number, boardId?: string | undefined]

const stepsOf = (userId: string, pinId: string, steps: readonly Step[]): Engagement[] =>
  steps.map(([action, atMs, boardId]) =>
    anEngagement({ userId, pinId, action, boardId: boardId ?? null, atMs: startMs + atMs }),
  )

const found = (retrieval: Retrieval, source: string): readonly string[] =>
  retrieval.retrieve(aQuery({ atMs: startMs + hourMs, userId: null, limit: 20, sources: [source] })).pinIds

/** How many users count for the pin, if one counts for the pin `other`. */
function countedFor(pinId: string, engagements: readonly Engagement[], start = popular()): number {
  const other = anEngagement({ userId: 'someone else', pinId: 'other', atMs: startMs })
  for (const engagement of [...engagements, other]) start.foldEngagement(engagement)
  const { pinIds, scores } = start.retrieve(
    aQuery({ userId: null, among: [pinId, 'other'].map((id) => asId<never>(id)) }),
  )
  const scoreOf = (id: string): number => scores[pinIds.indexOf(asId<never>(id))] ?? 0
  return scoreOf(pinId) / scoreOf('other')
}

const restored = (from: Retrieval): Retrieval => {
  const next = popular()
  next.restore(from.snapshot(new Uint8Array(0)))
  return next
}

describe('a user who takes a save back', () => {
  const sequences: Readonly<Record<string, readonly Step[]>> = {
    'after a look, and saves again': [
      ['save', 0],
      ['closeup', minuteMs],
      ['unsave', 2 * minuteMs],
      ['save', 3 * minuteMs],
    ],
    'from one of two boards': [
      ['save', 0, 'a'],
      ['save', minuteMs, 'b'],
      ['unsave', 2 * minuteMs, 'a'],
    ],
  }

  test.each(Object.entries(sequences))('%s counts on in popularity and trending', (_, steps) => {
    const retrieval = anOpenRetrieval({ config: quickCaps })
    for (let n = 0; n < 8; n++) for (const act of stepsOf(`u${n}`, 'p', steps)) retrieval.foldEngagement(act)
    expect(found(retrieval, 'popularity')).toEqual(['p'])
    expect(found(retrieval, 'trending')).toEqual(['p'])
  })

  it('counts on from the first action, not from a later one', () => {
    const acts = stepsOf('u', 'p', [
      ['save', 0],
      ['closeup', 5 * dayMs],
      ['unsave', 6 * dayMs],
    ])
    expect(countedFor('p', acts)).toBeCloseTo(1, 6)
  })
})

const actions = fc.constantFrom<Action>('save', 'unsave', 'closeup', 'click')
const someSteps = fc.array(fc.tuple(actions, fc.constantFrom('a', 'b', undefined)), { minLength: 1, maxLength: 12 })

describe('law: in popularity a user counts for a pin', () => {
  const shuffled = someSteps.chain((steps) =>
    fc.shuffledSubarray([...steps.keys()], { minLength: steps.length, maxLength: steps.length }).map((order) => {
      const acts = stepsOf(
        'u',
        'p',
        steps.map(([action, board], n): Step => [action, n * 1_000, board]),
      )
      return { inOrder: acts, arrived: order.map((n) => acts[n]!) }
    }),
  )
  const isPositive = ({ action }: Engagement): boolean => action !== 'unsave'

  test('once or not at all, and once after an action later than all that was taken back, in any order of arrival', () => {
    fc.assert(
      fc.property(shuffled, ({ inOrder, arrived }) => {
        for (const acts of [inOrder, arrived]) {
          const counted = countedFor('p', acts)
          expect([0, 1]).toContain(Math.round(counted * 1_000) / 1_000)
          if (isPositive(inOrder.at(-1))) expect(counted).toBeCloseTo(1, 3)
        }
      }),
    )
  })

  test('not at all when all of the saves were taken back, and nothing else was done', () => {
    const saves = fc.integer({ min: 1, max: 6 })
    fc.assert(
      fc.property(saves, fc.integer({ min: 1, max: 4 }), (count, rounds) => {
        const round: Action[] = [...Array.from({ length: count }, (): Action => 'save'), 'unsave']
        const acts = Array.from({ length: rounds }, () => round).flat()
        const steps = acts.map((action, n): Step => [action, n * 1_000, 'a'])
        expect(countedFor('p', stepsOf('u', 'p', steps))).toBeCloseTo(0, 6)
      }),
    )
  })

  test('the same after a restart from a snapshot at any place', () => {
    fc.assert(
      fc.property(shuffled, fc.nat(12), ({ arrived }, cut) => {
        const first = popular()
        for (const act of arrived.slice(0, cut)) first.foldEngagement(act)
        expect(countedFor('p', arrived.slice(cut), restored(first))).toBe(countedFor('p', arrived))
      }),
      { numRuns: 40 },
    )
  })
})

test('a snapshot from before each user counted once is refused, so that the log is folded again', () => {
  const bytes = popular().snapshot(new Uint8Array(0))
  const config = JSON.parse(decodeSnapshot(bytes).json('config') as string) as object
  const older = encodeSnapshot((writer) => writer.json('config', JSON.stringify({ ...config, layout: 2 })))
  expect(() => popular().restore(older)).toThrow(expect.objectContaining({ code: 'SNAPSHOT_OTHER_CONFIG' }))
})

describe('a user whose trail is full', () => {
  const cap = 5
  const small = (): Retrieval => popular({ maxPinsPerBoard: cap })
  const rounds = 40
  const cycleOf = (stepMs: number): Engagement[] =>
    Array.from({ length: rounds * (cap + 1) }, (_, n) =>
      anEngagement({ userId: 'u', pinId: `p${n % (cap + 1)}`, atMs: startMs - hourMs + n * stepMs }),
    )

  it('counts once for each pin, however often the same pins come round', () => {
    expect(countedFor('p0', cycleOf(1_000), small())).toBeLessThan(1.01)
  })

  it('counts once also after saves that were taken back have made room in the trail', () => {
    const acts = Array.from({ length: rounds }, (_, round) =>
      ['p', ...Array.from({ length: cap }, (__, n) => `q${n}`)]
        .flatMap((pinId, n) => {
          const atMs = (round * (cap + 1) + n) * 2_000
          const saved: Step[] = [['save', atMs, `board-${round}`]]
          return pinId === 'p' ? stepsOf('u', pinId, [['click', atMs]]) : stepsOf('u', pinId, saved)
        })
        .concat(
          Array.from({ length: cap }, (__, n) =>
            stepsOf('u', `q${n}`, [['unsave', ((round + 1) * (cap + 1) - 1) * 2_000 + 1_000]]),
          ).flat(),
        ),
    ).flat()
    expect(countedFor('p', acts, small())).toBeLessThan(1.01)
  })

  it('counts once also if the actions are older than the trail', () => {
    const recent = cycleOf(1_000).slice(0, cap)
    const old = Array.from({ length: 100 }, (_, n) =>
      anEngagement({ userId: 'u', pinId: 'old', atMs: startMs - dayMs + n }),
    )
    expect(countedFor('old', [...recent, ...old], small())).toBeLessThan(0.001)
  })

  it('counts again when what the trail has dropped is a week old, so that who reads a lot keeps counting', () => {
    const later = anEngagement({ userId: 'u', pinId: 'new', atMs: startMs + 8 * dayMs })
    expect(countedFor('new', [...cycleOf(1_000), later], small())).toBeGreaterThan(0.9)
  })

  it('stays in the trail if only a save of an entry that the trail has dropped is taken back with a later one', () => {
    const old = stepsOf('u', 'p', [['save', -20 * dayMs, 'a']])
    const between = Array.from({ length: cap }, (_, n) =>
      anEngagement({ userId: 'u', pinId: `q${n}`, atMs: startMs - 19 * dayMs + n * 1_000 }),
    )
    const now = stepsOf('u', 'p', [
      ['click', 0],
      ['save', 1_000, 'a'],
      ['unsave', 2_000, 'a'],
      ['click', 3_000],
    ])
    expect(countedFor('p', [...old, ...between, ...now], small())).toBeLessThan(1.2)
  })

  it('stays bounded after a restart, and is forgotten when erased', () => {
    const full = (): Retrieval => {
      const made = small()
      // The save drops the first pin; taking it back leaves room.
      const clicks = Array.from({ length: cap }, (_, n): Engagement[] => stepsOf('u', `p${n}`, [['click', n * 1_000]]))
      const save = stepsOf('u', 'q', [
        ['save', minuteMs, 'a'],
        ['unsave', 2 * minuteMs, 'a'],
      ])
      for (const act of [...clicks.flat(), ...save]) made.foldEngagement(act)
      return made
    }
    const again = stepsOf('u', 'p0', [['click', 3 * minuteMs]])
    const after = small()
    after.restore(full().snapshot(new Uint8Array(0)))
    expect(countedFor('p0', again, after)).toBeLessThan(1.01)
    const erased = full()
    erased.foldErasure(asId<UserId>('u'))
    expect(countedFor('p0', again, erased)).toBeGreaterThan(1.99)
  })
})
