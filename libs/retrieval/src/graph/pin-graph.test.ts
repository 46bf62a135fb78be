import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mix32 } from '@freshet/domain/hash'

import { decodeSnapshot, encodeSnapshot } from '@freshet/columns/snapshot'
import { createPinGraph, type PinGraph, type PinGraphOptions } from './pin-graph.ts'

const pins = 12
const boards = 8

const aGraph = (options: Partial<PinGraphOptions> = {}): PinGraph =>
  createPinGraph({
    maxPins: 64,
    maxBoards: 64,
    maxEdges: 2_000,
    maxBoardsPerPin: 100,
    maxPinsPerBoard: 100,
    maxSteps: 1_000,
    breadth: { minPins: 1_000, maxEntropyBits: 4 },
    tieOf: mix32,
    topicOf: () => -1,
    ...options,
  })

const keyOf = (board: number): { high: number; low: number } => ({ high: mix32(board), low: mix32(board + 77) })

interface Edge {
  readonly board: number
  readonly pinRow: number
  readonly atMs: number
}

const add = (graph: PinGraph, { board, pinRow, atMs }: Edge): void => {
  graph.add({ key: keyOf(board), kind: 'trail', pinRow, atMs })
}

/** All lists with boards by name instead of row: what a graph holds, however it came about. */
function contents(graph: PinGraph, boardCount = boards, pinCount = pins): unknown {
  const names = new Map(Array.from({ length: boardCount }, (_, board) => [graph.boardOf(keyOf(board)), board] as const))
  const list = (lists: PinGraph['boardsOfPin'], node: number, name: (neighbour: number) => unknown): unknown =>
    Array.from({ length: node < 0 ? 0 : lists.countOf(node) }, (_, i) => {
      const at = lists.startOf(node) + i
      return [name(graph.memory.pool[at] ?? -1), graph.atSeconds[at]]
    })
  return {
    boards: Array.from({ length: boardCount }, (_, board) =>
      list(graph.pinsOfBoard, graph.boardOf(keyOf(board)), (pin) => pin),
    ),
    pins: Array.from({ length: pinCount }, (_, pin) => list(graph.boardsOfPin, pin, (board) => names.get(board))),
  }
}

const edges = fc.array(
  fc.record({
    board: fc.nat(boards - 1),
    pinRow: fc.nat(pins - 1),
    atMs: fc.nat(20).map((seconds) => seconds * 1_000),
  }),
  { maxLength: 80 },
)

describe('pin graph', () => {
  it('lists what was added, latest last, on both sides', () => {
    const graph = aGraph()
    add(graph, { board: 0, pinRow: 3, atMs: 2_000 })
    add(graph, { board: 0, pinRow: 4, atMs: 1_000 })
    add(graph, { board: 1, pinRow: 3, atMs: 1_500 })
    const { boards: byBoard, pins: byPin } = contents(graph, 2, 5) as { boards: unknown; pins: unknown[] }
    expect(byBoard).toEqual([
      [
        [4, 1],
        [3, 2],
      ],
      [[3, 1]],
    ])
    expect(byPin[3]).toEqual([
      [1, 1],
      [0, 2],
    ])
    expect(graph.edges).toBe(3)
  })

  it('law: below the cap of boards, the graph does not depend on the order of arrival', () => {
    fc.assert(
      fc.property(edges, fc.infiniteStream(fc.nat()), (some, order) => {
        const keys = some.map(() => Number(order.next().value))
        const shuffled = some.map((edge, i) => ({ edge, key: keys[i] ?? 0 })).sort((a, b) => a.key - b.key)
        const first = aGraph({ maxBoardsPerPin: 3 })
        const second = aGraph({ maxBoardsPerPin: 3 })
        for (const edge of some) add(first, edge)
        for (const { edge } of shuffled) add(second, edge)
        expect(contents(second)).toEqual(contents(first))
      }),
    )
  })

  it('law: adding twice changes nothing', () => {
    fc.assert(
      fc.property(edges, (some) => {
        const once = aGraph()
        const twice = aGraph()
        for (const edge of some) add(once, edge)
        for (const edge of some) {
          add(twice, edge)
          add(twice, edge)
        }
        expect(contents(twice)).toEqual(contents(once))
      }),
    )
  })

  it('law: after additions and removals it equals a plain table', () => {
    const step = fc.record({ edge: edges.map((list) => list[0]), kind: fc.constantFrom('add', 'remove', 'removePin') })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const graph = aGraph()
        const table = new Map<string, number>()
        for (const { edge, kind } of steps) {
          if (edge === undefined) continue
          const { board, pinRow, atMs } = edge
          if (kind === 'add') {
            add(graph, edge)
            table.set(`${board} ${pinRow}`, Math.max(table.get(`${board} ${pinRow}`) ?? 0, atMs / 1000))
          } else if (kind === 'remove') {
            graph.remove(keyOf(board), pinRow)
            table.delete(`${board} ${pinRow}`)
          } else {
            graph.removePin(pinRow)
            for (let other = 0; other < boards; other++) table.delete(`${other} ${pinRow}`)
          }
        }
        const rebuilt = aGraph()
        for (const [name, seconds] of table) {
          const [board, pinRow] = name.split(' ').map(Number)
          add(rebuilt, { board: board ?? 0, pinRow: pinRow ?? 0, atMs: seconds * 1_000 })
        }
        expect(contents(graph)).toEqual(contents(rebuilt))
        expect(graph.edges).toBe(table.size)
      }),
    )
  })

  it('law: no cap is ever exceeded, and lists only hold existing boards', () => {
    fc.assert(
      fc.property(edges, fc.integer({ min: 2, max: 6 }), (some, cap) => {
        const graph = aGraph({ maxBoards: cap, maxBoardsPerPin: 3, maxPinsPerBoard: 4, maxEdges: 40 })
        for (const edge of some) {
          add(graph, edge)
          expect(graph.boards).toBeLessThanOrEqual(cap)
        }
        for (let board = 0; board < 64; board++) expect(graph.pinsOfBoard.countOf(board)).toBeLessThanOrEqual(4)
        for (let pin = 0; pin < pins; pin++) {
          expect(graph.boardsOfPin.countOf(pin)).toBeLessThanOrEqual(3)
          for (let i = 0; i < graph.boardsOfPin.countOf(pin); i++) {
            const board = graph.memory.pool[graph.boardsOfPin.startOf(pin) + i] ?? -1
            expect(graph.pinsOfBoard.find(board, pin)).toBeGreaterThanOrEqual(0)
          }
        }
      }),
    )
  })

  it('drops boards that nobody has added to for long when there is no room', () => {
    const graph = aGraph({ maxBoards: 4 })
    for (let board = 0; board < 4; board++) add(graph, { board, pinRow: board, atMs: board * 1_000 })
    add(graph, { board: 4, pinRow: 5, atMs: 9_000 })
    expect(graph.boards).toBe(4)
    expect(graph.dropped).toBe(1)
    expect(graph.boardOf(keyOf(0))).toBe(-1)
    expect(graph.boardsOfPin.countOf(0)).toBe(0)
    expect(graph.boardOf(keyOf(4))).toBeGreaterThanOrEqual(0)
  })

  it('stays within its pool under any load, and keeps adding edges', () => {
    const graph = aGraph({ maxPins: 500, maxBoards: 5_000, maxEdges: 3_000, maxBoardsPerPin: 200, maxPinsPerBoard: 50 })
    for (let i = 0; i < 60_000; i++) {
      add(graph, {
        board: mix32(i) % 4_000,
        pinRow: (mix32(i + 1) % 500) % ((mix32(i + 2) % 500) + 1),
        atMs: i * 1_000,
      })
    }
    expect(graph.dropped).toBeGreaterThan(100)
    expect(graph.edges).toBeGreaterThan(1_500)
    add(graph, { board: 4_999, pinRow: 7, atMs: 70_000_000 })
    const board = graph.boardOf(keyOf(4_999))
    expect(graph.pinsOfBoard.find(board, 7)).toBeGreaterThanOrEqual(0)
    expect(graph.bytes()).toBeLessThanOrEqual(graph.maxBytes)
  })

  it('takes a board of 100,000 pins and keeps the latest', () => {
    const graph = aGraph({ maxPins: 100_000, maxPinsPerBoard: 100, maxBoardsPerPin: 10 })
    for (let pinRow = 0; pinRow < 100_000; pinRow++) add(graph, { board: 0, pinRow, atMs: pinRow * 1_000 })
    const board = graph.boardOf(keyOf(0))
    expect(graph.pinsOfBoard.countOf(board)).toBe(100)
    expect(graph.pinsOfBoard.find(board, 99_900)).toBeGreaterThanOrEqual(0)
    expect(graph.pinsOfBoard.find(board, 99_899)).toBe(-1)
    expect(graph.boardsOfPin.countOf(99_899)).toBe(0)
  })

  it('hides a board about everything, and shows it again once it has narrowed', () => {
    const graph = aGraph({ breadth: { minPins: 8, maxEntropyBits: 2 }, topicOf: (row) => row })
    for (let pinRow = 0; pinRow < 10; pinRow++) add(graph, { board: 0, pinRow, atMs: pinRow * 1_000 })
    for (let pinRow = 0; pinRow < 7; pinRow++) add(graph, { board: 1, pinRow, atMs: pinRow * 1_000 })
    graph.settle()
    const wide = graph.boardOf(keyOf(0))
    expect(graph.isHidden(wide)).toBe(true)
    expect(graph.memory.boards.heads[wide * 2 + 1]).toBe(0)
    expect(graph.isHidden(graph.boardOf(keyOf(1)))).toBe(false)
    for (let pinRow = 0; pinRow < 3; pinRow++) graph.remove(keyOf(0), pinRow)
    graph.settle()
    expect(graph.isHidden(wide)).toBe(false)
    expect(graph.memory.boards.heads[wide * 2 + 1]).toBe(7)
  })

  it('law: a restored snapshot equals the saved graph and continues in the same way', () => {
    fc.assert(
      fc.property(edges, edges, (some, more) => {
        const caps = { maxBoards: 5, maxBoardsPerPin: 3, maxPinsPerBoard: 4 }
        const graph = aGraph(caps)
        for (const edge of some) add(graph, edge)
        const bytes = encodeSnapshot((writer) => graph.save(writer))
        const restored = aGraph(caps)
        add(restored, { board: 1, pinRow: 1, atMs: 0 })
        restored.load(decodeSnapshot(bytes))
        expect(contents(restored)).toEqual(contents(graph))
        expect(Buffer.from(encodeSnapshot((writer) => restored.save(writer))).equals(Buffer.from(bytes))).toBe(true)
        for (const edge of more) {
          add(graph, edge)
          add(restored, edge)
        }
        expect(contents(restored)).toEqual(contents(graph))
      }),
    )
  })

  it('law: the number of saved boards is that of the boards in the lists, also after drops, removals and a restart', () => {
    const step = fc.record({
      edge: edges.map((list) => list[0]),
      kind: fc.constantFrom('add', 'add', 'remove', 'removePin', 'restart'),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const caps = { maxBoards: 5 }
        let graph = aGraph(caps)
        for (const { edge, kind } of steps) {
          if (edge === undefined) continue
          const { board, pinRow, atMs } = edge
          // Odd ones are boards, even ones are trails.
          if (kind === 'add') graph.add({ key: keyOf(board), kind: board % 2 === 1 ? 'board' : 'trail', pinRow, atMs })
          else if (kind === 'remove') graph.remove(keyOf(board), pinRow)
          else if (kind === 'removePin') graph.removePin(pinRow)
          else {
            const bytes = encodeSnapshot((writer) => graph.save(writer))
            graph = aGraph(caps)
            graph.load(decodeSnapshot(bytes))
          }
          const held = Array.from({ length: boards }, (_, each) => each).filter(
            (each) => each % 2 === 1 && graph.boardOf(keyOf(each)) >= 0,
          )
          expect(graph.savedBoards).toBe(held.length)
        }
      }),
    )
  })
})
