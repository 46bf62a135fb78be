import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hash32, mix32 } from '@freshet/domain/hash'
import { asId, type PinId } from '@freshet/domain/ids'

import { createCatalogue, type Catalogue } from '../views/catalogue.ts'
import { createInterruption, type Interruption, uninterrupted } from '../interruption.ts'
import { createHits } from '@freshet/columns/score-board'
import { createPinGraph, type PinGraph } from './pin-graph.ts'
import { createRandomWalk, type WalkOptions } from './random-walk.ts'
import { visitTableFor } from './walk-memory.ts'

const options: WalkOptions = {
  steps: 20_000,
  restart: 0.5,
  latest: 0,
  enoughPins: 1_000_000,
  enoughVisits: 4,
  popularityDiscount: 0,
  bias: 1,
  walkers: 64,
}

interface World {
  readonly graph: PinGraph
  readonly catalogue: Catalogue
  ask(
    starts: readonly string[],
    how?: {
      seed?: number
      accept?: (pinId: string) => boolean
      ownBoard?: string
      label?: number
      interruption?: Interruption
    },
  ): { readonly found: readonly (readonly [string, number])[]; readonly steps: number }
}

const keyOf = (board: string): { high: number; low: number } => ({ high: hash32(board, 1), low: hash32(board, 2) })

function aWorld(edges: readonly (readonly [board: string, pin: string])[], changes: Partial<WalkOptions> = {}): World {
  const catalogue = createCatalogue({ maxPins: 5_000, seed: 3, showUnlistedPins: true })
  const graph = createPinGraph({
    maxPins: 5_000,
    maxBoards: 1_000,
    maxEdges: 10_000,
    maxBoardsPerPin: 100,
    maxPinsPerBoard: 100,
    maxSteps: 100_000,
    breadth: { minPins: 1_000, maxEntropyBits: 4 },
    tieOf: catalogue.tieOf,
    topicOf: () => -1,
  })
  for (const [board, pin] of edges) {
    graph.add({ key: keyOf(board), kind: 'trail', pinRow: catalogue.intern(asId<PinId>(pin)), atMs: 1_000 })
  }
  const walk = createRandomWalk({
    graph,
    catalogue,
    maxDegree: 100,
    maxSteps: 100_000,
    options: { ...options, ...changes },
  })
  return {
    graph,
    catalogue,
    ask(starts, { seed = 1, accept = () => true, ownBoard, label = 0, interruption = uninterrupted } = {}) {
      const hits = createHits(100)
      const steps = walk.walk(
        {
          count: starts.length,
          pinRows: Int32Array.from(starts, (pin) => catalogue.rowOf(pin)),
          weights: new Float64Array(starts.length).fill(1),
          seed,
          ownBoard: ownBoard === undefined ? -1 : graph.boardOf(keyOf(ownBoard)),
          label,
          interruption,
        },
        { limit: 100, accept: (row) => accept(catalogue.pinIdOf(row)), hits },
      )
      const found = Array.from(
        { length: hits.count },
        (_, i) => [catalogue.pinIdOf(hits.rows[i] ?? 0), hits.scores[i] ?? 0] as const,
      )
      return { found, steps }
    },
  }
}

const someEdges = fc.array(
  fc.tuple(
    fc.nat(9).map((board) => `b${board}`),
    fc.nat(15).map((pin) => `p${pin}`),
  ),
  { minLength: 1, maxLength: 60 },
)

describe('random walk', () => {
  it('breaks off within the walk of one start, and returns the pins visited by then', () => {
    const world = aWorld([0, 1, 2, 3].flatMap((board) => ['a', 'b', 'c'].map((pin) => [`b${board}`, pin] as const)))
    const whole = world.ask(['a'])
    let looks = 0
    const cut = world.ask(['a'], { interruption: createInterruption(() => ++looks === 3) })
    expect(whole.steps).toBeGreaterThan(19_000)
    expect(looks).toBe(3)
    expect(cut.steps).toBeGreaterThanOrEqual(3 * 2_048)
    expect(cut.steps).toBeLessThan(3 * (2_048 + options.walkers))
    expect(cut.found.map(([pin]) => pin).sort()).toEqual(['a', 'b', 'c'])
    expect(world.ask(['a'])).toEqual(whole)
  })

  it('visits pins as often as the two-hop probabilities say when it restarts after each step', () => {
    const { ask } = aWorld(
      [
        ['a', 'q'],
        ['a', 'x'],
        ['b', 'q'],
        ['b', 'x'],
        ['b', 'y'],
        ['b', 'z'],
      ],
      { restart: 1, steps: 64_000 },
    )
    const visits = Object.fromEntries(ask(['q']).found)
    const expected = { q: 0.375, x: 0.375, y: 0.125, z: 0.125 }
    for (const [pin, probability] of Object.entries(expected)) {
      expect((visits[pin] ?? 0) / 64_000).toBeCloseTo(probability, 1.7)
    }
  })

  it('reaches beyond two hops without restarts', () => {
    const chain = [
      ['a', 'q'],
      ['a', 'x'],
      ['b', 'x'],
      ['b', 'far'],
    ] as const
    expect(Object.fromEntries(aWorld(chain, { restart: 1 }).ask(['q']).found)['far']).toBeUndefined()
    expect(Object.fromEntries(aWorld(chain, { restart: 0.2 }).ask(['q']).found)['far']).toBeGreaterThan(0)
  })

  it('boosts pins that several starts reach over pins that one start reaches as often', () => {
    const { ask } = aWorld(
      [
        ['a', 'q1'],
        ['a', 'both'],
        ['b', 'q2'],
        ['b', 'both'],
        ['c', 'q1'],
        ['c', 'only1'],
        ['d', 'q2'],
        ['d', 'only2'],
      ],
      { restart: 1 },
    )
    const visits = Object.fromEntries(ask(['q1', 'q2']).found)
    expect((visits['both'] ?? 0) / (visits['only1'] ?? 1)).toBeGreaterThan(3)
  })

  it('stops early once enough pins have enough visits', () => {
    const edges = [
      ['a', 'q'],
      ['a', 'x'],
      ['a', 'y'],
    ] as const
    expect(aWorld(edges, { enoughPins: 2, enoughVisits: 4 }).ask(['q']).steps).toBeLessThan(200)
    expect(aWorld(edges, { enoughPins: 4 }).ask(['q']).steps).toBeGreaterThanOrEqual(20_000)
  })

  it('skips pins with another label, and keeps pins without a label', () => {
    const { graph, catalogue, ask } = aWorld([
      ['a', 'q'],
      ['a', 'same'],
      ['a', 'other'],
      ['a', 'none'],
    ])
    graph.setLabel(catalogue.rowOf('same'), 5)
    graph.setLabel(catalogue.rowOf('other'), 6)
    const pinIds = (label: number): readonly string[] =>
      ask(['q'], { label })
        .found.map(([pin]) => pin)
        .sort()
    expect(pinIds(5)).toEqual(['none', 'q', 'same'])
    expect(pinIds(0)).toEqual(['none', 'other', 'q', 'same'])
  })

  it("does not enter the user's own trail", () => {
    const { ask } = aWorld([
      ['own', 'q'],
      ['own', 'mine'],
      ['a', 'q'],
      ['a', 'x'],
    ])
    const found = Object.fromEntries(ask(['q'], { ownBoard: 'own' }).found)
    expect(found['mine']).toBeUndefined()
    expect(found['x']).toBeGreaterThan(0)
    expect(aWorld([['own', 'q']]).ask(['q'], { ownBoard: 'own' }).found).toEqual([])
  })

  it('keeps to the steps and walkers that there is room for', () => {
    const edges = [
      ['a', 'q'],
      ['a', 'x'],
      ['b', 'q'],
    ] as const
    const { ask } = aWorld(edges, { steps: 10_000_000, walkers: 100_000 })
    const { found, steps } = ask(['q', 'x'])
    expect(found.map(([pin]) => pin).toSorted()).toEqual(['q', 'x'])
    expect(steps).toBeGreaterThan(90_000)
    expect(steps).toBeLessThanOrEqual(100_000)
    expect(aWorld(edges, { walkers: 0 }).ask(['q']).steps).toBe(20_000)
  })

  it('finds nothing without starts or from a pin that nobody has touched', () => {
    const { catalogue, ask } = aWorld([['a', 'q']])
    catalogue.intern(asId<PinId>('lonely'))
    expect(ask(['lonely'])).toEqual({ found: [], steps: 0 })
    expect(ask([])).toEqual({ found: [], steps: 0 })
  })

  it('does not find a removed pin, even if a board still holds it', () => {
    const world = aWorld([
      ['a', 'q'],
      ['a', 'x'],
    ])
    world.graph.removePin(world.catalogue.rowOf('x'))
    expect(world.ask(['q']).found.map(([pin]) => pin)).toEqual(['q'])
  })

  it('law: equal seeds give equal answers, and the order in which edges and pins came is no matter', () => {
    fc.assert(
      fc.property(someEdges, fc.nat(), (edges, seed) => {
        const first = aWorld(edges, { steps: 2_000, latest: 0.5 })
        const second = aWorld(
          edges.toSorted(([a, b], [c, d]) => mix32(hash32(a + b, seed)) - mix32(hash32(c + d, seed))),
          {
            steps: 2_000,
            latest: 0.5,
          },
        )
        const starts = [...new Set(edges.slice(0, 3).map(([, pin]) => pin))]
        const answer = first.ask(starts, { seed })
        expect(first.ask(starts, { seed })).toEqual(answer)
        expect(second.ask(starts, { seed })).toEqual(answer)
      }),
    )
  })

  it('law: only accepted pins are found, and leaving some out moves no other', () => {
    fc.assert(
      fc.property(someEdges, (edges) => {
        const { ask } = aWorld(edges, { steps: 2_000 })
        const accept = (pin: string): boolean => hash32(pin) % 2 === 0
        const start = [edges[0]?.[1] ?? 'p0']
        expect(ask(start, { accept }).found).toEqual(ask(start).found.filter(([pin]) => accept(pin)))
      }),
    )
  })
})

it('law: visits are the same in a table with a slot for each pin and in one that is searched', () => {
  const edge = fc.tuple(
    fc.nat(30).map(String),
    fc.nat(200).map((pin) => `p${pin}`),
  )
  fc.assert(
    fc.property(fc.array(edge, { minLength: 1, maxLength: 200, size: 'max' }), (edges) => {
      const [few, many] = [aWorld(edges, { steps: 300, latest: 0.3 }), aWorld(edges, { steps: 300, latest: 0.3 })]
      many.graph.setLabel(4_999, 0)
      expect([few, many].map(({ graph }) => visitTableFor(300, graph.pinLimit).pinsFit)).toEqual([true, false])
      const starts = [...new Set(edges.slice(0, 4).map(([, pin]) => pin))]
      expect(many.ask(starts)).toEqual(few.ask(starts))
    }),
    { numRuns: 30 },
  )
})
