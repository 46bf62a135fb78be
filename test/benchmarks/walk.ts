/**
 * Random walks on a graph far larger than the cache, against a plain walker over the same lists; the graph's folds; the
 * training of Pin2Vec.
 *
 *   node test/benchmarks/walk.ts
 *
 * About 700 MB and one minute. Rates are per second of CPU time, so that other work on the machine moves them less.
 */
import { fileURLToPath } from 'node:url'
import { mix32 } from '@freshet/domain/hash'
import { asId, type PinId } from '@freshet/domain/ids'
import { createCatalogue } from '@freshet/retrieval/views/catalogue'
import { createPinGraph, type PinGraph } from '@freshet/retrieval/graph/pin-graph'
import { createRandomWalk } from '@freshet/retrieval/graph/random-walk'
import { uninterrupted } from '@freshet/retrieval/interruption'
import { createPin2Vec } from '@freshet/embeddings/pin2vec'
import { createHits } from '@freshet/columns/score-board'
import { comparedRow, formatRows, plainRow, quantile, type BenchRow } from './row.ts'

const pins = 1_000_000
const boards = 1_000_000
const edges = 10_000_000
const steps = 20_000
const restart = 0.5
const starts = 10
const about = `10⁷ edges, 10⁶ pins of uneven popularity, 10⁶ boards; ${starts} starts, ${steps} steps, restart ${restart}`

/** All rows of this benchmark. */
export async function walkRows(): Promise<BenchRow[]> {
  return [...graphRows(), ...trainingRows()]
}

function graphRows(): BenchRow[] {
  const catalogue = createCatalogue({ maxPins: pins, seed: 1, showUnlistedPins: true })
  for (let pin = 0; pin < pins; pin++) catalogue.intern(asId<PinId>(`p${pin}`))
  const graph = createPinGraph({
    maxPins: pins,
    maxBoards: boards,
    maxEdges: edges,
    maxBoardsPerPin: 500,
    maxPinsPerBoard: 500,
    maxSteps: 2 * steps,
    breadth: { minPins: 1_000, maxEntropyBits: 4 },
    tieOf: catalogue.tieOf,
    topicOf: () => -1,
  })
  const random = seeded(7)
  const addMs = cpuMs(() => {
    for (let i = 0; i < edges; i++) {
      const board = Math.floor(boards * random())
      const key = { high: mix32(board), low: mix32(board ^ 0x5bd1e995) }
      graph.add({ key, kind: 'trail', pinRow: Math.floor(pins * random() ** 2), atMs: i * 100 })
    }
  })
  const options = { steps, restart, latest: 0, enoughPins: pins, enoughVisits: 4, popularityDiscount: 0.2, bias: 0 }
  const walk = createRandomWalk({
    graph,
    catalogue,
    maxDegree: 500,
    maxSteps: 2 * steps,
    options: { ...options, walkers: 64 },
  })
  const plain = plainWalker(graph)
  const hits = createHits(300)
  const ours: number[] = []
  const theirs: number[] = []
  const whole: number[] = []
  for (let round = 0; round < 120; round++) {
    const from = Int32Array.from({ length: starts }, () => Math.floor(pins * random() ** 2))
    const query = {
      count: starts,
      pinRows: from,
      weights: new Float64Array(starts).fill(1),
      ownBoard: -1,
      label: 0,
      interruption: uninterrupted,
    }
    let taken = 0
    const wallStart = performance.now()
    const ms = cpuMs(() => {
      taken = walk.walk({ ...query, seed: round }, { limit: 300, accept: () => true, hits })
    })
    const wall = performance.now() - wallStart
    const plainMs = cpuMs(() => plain(from, random))
    // The first rounds are for the compilers.
    if (round < 20) continue
    ours.push(taken / ms / 1_000)
    theirs.push((plainSteps * starts) / plainMs / 1_000)
    whole.push(wall)
  }
  return [
    comparedRow({
      name: 'random walk, whole query',
      value: quantile(ours, 0.5),
      unit: 'M steps/s/core',
      reference: 'one plain walker, counting in a column',
      referenceValue: quantile(theirs, 0.5),
      aim: '≥ 10',
      note: about,
    }),
    plainRow('random walk, whole query, p50', quantile(whole, 0.5), 'ms', '', about),
    plainRow('random walk, whole query, p99', quantile(whole, 0.99), 'ms', '', about),
    plainRow('graph, add an edge', (addMs / edges) * 1e6, 'ns', 'O(1)', 'mean from 0 to 10⁷ edges, random boards'),
    plainRow('graph, memory', graph.bytes() / graph.edges, 'bytes/edge', '', 'both directions, times, keys and heads'),
  ]
}

const plainSteps = 2_000

/** What one writes first: one walker, one step after the other, a count for each pin. */
function plainWalker(graph: PinGraph): (from: Int32Array, random: () => number) => void {
  const visits = new Uint32Array(pins)
  const { pool } = graph.memory
  const drawn = (lists: PinGraph['boardsOfPin'], node: number, random: () => number): number =>
    pool[lists.startOf(node) + Math.floor(lists.countOf(node) * random())] ?? 0
  return (from, random) => {
    for (const start of from) {
      let pin = start
      for (let step = 0; step < plainSteps; step++) {
        if (graph.boardsOfPin.countOf(pin) === 0) pin = start
        if (graph.boardsOfPin.countOf(pin) === 0) break
        pin = drawn(graph.pinsOfBoard, drawn(graph.boardsOfPin, pin, random), random)
        visits[pin] = (visits[pin] ?? 0) + 1
        if (random() < restart) pin = start
      }
    }
  }
}

function trainingRows(): BenchRow[] {
  const model = createPin2Vec({ maxPins: 200_000, maxSessions: 100_000, seed: 1 })
  const random = seeded(3)
  const events = 300_000
  let published = 0
  const ms = cpuMs(() => {
    for (let i = 0; i < events; i++) {
      const session = Math.floor(i / 6)
      const taste = mix32(session) % 1_000
      const pin = taste * 100 + Math.floor(100 * random() ** 2)
      model.fold({ userId: `u${session}`, sessionId: `s${session}`, pinId: asId<PinId>(`p${pin}`), atMs: i * 100 })
      if (i % 1_000 === 999) published += model.takeTouched(1_000_000).length
    }
  })
  const shape = '64 dimensions, 5 negatives, window 8, 4 replays an event, 100,000 pins, rows taken every 1,000 events'
  return [
    plainRow('Pin2Vec, training', model.pairs / ms, 'k pairs/s/core', '≥ 100', shape),
    plainRow('Pin2Vec, folding', events / ms, 'k events/s/core', '', shape),
    plainRow('Pin2Vec, rows published', published / events, 'rows/event', '', shape),
    plainRow(
      'Pin2Vec, memory',
      model.bytes() / model.pins,
      'bytes/pin',
      '',
      '64 f32 are 256 of them; sessions included',
    ),
  ]
}

function cpuMs(act: () => void): number {
  const before = process.cpuUsage()
  act()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000
}

function seeded(seed: number): () => number {
  let state = seed
  return () => mix32((state = (state + 0x9e3779b9) | 0)) / 2 ** 32
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(formatRows(await walkRows()))
