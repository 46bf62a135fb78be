import { clearColumn } from '@freshet/columns/clear-column'
import { goneRow } from '../views/catalogue.ts'
import { createKeyTable } from '@freshet/columns/key-table'
import { SnapshotError } from '@freshet/columns/errors'
import type { RowHolder } from '../views/recycling.ts'
import type { SectionReader, SectionWriter } from '@freshet/columns/snapshot'
import { createAdjacency, nothingDropped, type Adjacency } from './adjacency.ts'
import { createBlockPool } from '@freshet/columns/block-pool'
import { createBreadthCheck, type BreadthOptions } from './breadth.ts'
import { createWalkMemory, type WalkMemory } from './walk-memory.ts'

/** The kind of a node that links pins: a board that people save to, or the trail of one user's actions. */
export type BoardKind = 'board' | 'trail'

/** 64 bits that name a board or trail wherever the graph is held. */
export interface BoardKey {
  readonly high: number
  readonly low: number
}

/** What `add` did; a number: it added the pin, and a full list dropped its oldest entry, which is of this time in seconds. */
export type Added = 'added' | 'known' | 'refused' | number

/** Caps in nodes and edges. */
export interface PinGraphOptions {
  readonly maxPins: number
  /** The most boards and trails together; beyond that one that nobody has added to for long goes. */
  readonly maxBoards: number
  /** The most edges if all lists are full; beyond that boards go as above. */
  readonly maxEdges: number
  /** Of a pin, the boards it was put on last. */
  readonly maxBoardsPerPin: number
  /** Of a board, the pins put on it last. */
  readonly maxPinsPerBoard: number
  /** The most steps of the walks of one query. */
  readonly maxSteps: number
  /** Boards about everything are hidden from walks. */
  readonly breadth: BreadthOptions
  /** Orders pins put on a board in the same second. */
  readonly tieOf: (pinRow: number) => number
  /** The pin's main topic; -1 if unknown. */
  readonly topicOf: (pinRow: number) => number
  /** Whether the pin of a row is gone; if absent, no pin ever goes. */
  readonly isGone?: (pinRow: number) => boolean
}

/**
 * The live graph of pins on boards and in trails. Each list keeps its latest entries, sorted by time and a hash, so a
 * graph whose boards are below their caps is the same whatever the order in which the edges of different users came.
 * Adding is O(1) on average, and O(list) at worst.
 */
export interface PinGraph extends RowHolder {
  readonly boards: number
  /** Of these, the boards that people save to. */
  readonly savedBoards: number
  readonly edges: number
  /** One past the largest row of a pin that it was told about. */
  readonly pinLimit: number
  /** Boards dropped to make room since the start. */
  readonly dropped: number
  /** Adds a pin to a board; a repeat moves the edge to the later of both times. */
  add(edge: { readonly key: BoardKey; readonly kind: BoardKind; readonly pinRow: number; readonly atMs: number }): Added
  /** Removes a pin from a board; ignores an unknown edge. */
  remove(key: BoardKey, pinRow: number): void
  /** Drops a board with its edges; ignores an unknown board. */
  removeBoard(key: BoardKey): void
  /** Drops all edges of a pin. */
  removePin(pinRow: number): void
  /** Records that a pin's topics have changed. */
  topicsChanged(pinRow: number): void
  /** Sets the label that walks may be biased towards: 1–255, 0 for none. */
  setLabel(pinRow: number, label: number): void
  /** The row of a board; -1 if the graph does not hold it. */
  boardOf(key: BoardKey): number
  kindOf(board: number): BoardKind
  /** Whether a board's topics are too broad to be useful. Current after `settle`. */
  isHidden(board: number): boolean
  /** Re-evaluates the boards that have changed; call it before each query. */
  settle(): void
  /** Lists of boards by pin and of pins by board: entries of `memory.pool` and `atSeconds`, latest last. */
  readonly boardsOfPin: Adjacency
  readonly pinsOfBoard: Adjacency
  readonly atSeconds: Uint32Array
  readonly memory: WalkMemory
  /** The bytes written so far. */
  bytes(): number
  /** The largest possible `bytes`: address space reserved at the start, in pages that take no memory until written. */
  readonly maxBytes: number
  save(writer: SectionWriter): void
  load(reader: SectionReader): void
}

const freeBoard = 0
const kinds: readonly BoardKind[] = ['board', 'trail']
const boardState = kinds.indexOf('board') + 1

/** Creates an empty graph. Throws a RangeError if the caps need more than 4 GiB. */
export function createPinGraph(options: PinGraphOptions): PinGraph {
  const { maxPins, maxBoards, maxEdges, maxBoardsPerPin, maxPinsPerBoard, maxSteps, tieOf } = options
  const isGone = options.isGone ?? ((row: number) => row === goneRow)
  // Two entries an edge, and at most half as much again for what blocks waste.
  const poolEntries = maxEdges * 3
  const memory = createWalkMemory({ maxPins, maxBoards, poolEntries, maxSteps, maxDegree: maxBoardsPerPin })
  // A state is 0 for a free row, else the kind + 1.
  const { atSeconds, keyHighs, keyLows, recentlyUsed, states } = memory
  const pool = createBlockPool(memory.pool)
  const byKey = createKeyTable()
  const lists = { neighbours: memory.pool, times: atSeconds, pool }
  const pinsOfBoard = createAdjacency({
    ...lists,
    nodes: memory.boards,
    maxDegree: maxPinsPerBoard,
    precedes: (a, b) => tieOf(a) < tieOf(b),
  })
  const boardsOfPin = createAdjacency({
    ...lists,
    nodes: memory.pins,
    maxDegree: maxBoardsPerPin,
    precedes: (a, b) => {
      const [highA, highB] = [keyHighs[a]!, keyHighs[b]!]
      return highA < highB || (highA === highB && keyLows[a]! < keyLows[b]!)
    },
  })
  const breadth = createBreadthCheck({
    options: options.breadth,
    pinsOfBoard,
    memory,
    topicOf: options.topicOf,
  })
  let freeRows: number[] = []
  let rowLimit = 0
  let pinLimit = 0
  let hand = 0
  let dropped = 0
  let savedBoards = 0

  // Second chance: the first board, going round, that was not added to since the last round.
  function dropOne(): void {
    for (;;) {
      const board = hand
      hand = hand + 1 >= rowLimit ? 0 : hand + 1
      if (states[board] === freeBoard) continue
      if (recentlyUsed[board] === 1) recentlyUsed[board] = 0
      else {
        drop(board)
        dropped++
        return
      }
    }
  }

  function drop(board: number): void {
    const start = pinsOfBoard.startOf(board)
    for (let i = pinsOfBoard.countOf(board) - 1; i >= 0; i--) boardsOfPin.remove(memory.pool[start + i]!, board)
    release(board)
  }

  function release(board: number): void {
    pinsOfBoard.free(board)
    breadth.forget(board)
    byKey.delete(keyHighs[board]!, keyLows[board]!)
    if (states[board] === boardState) savedBoards--
    states[board] = freeBoard
    freeRows.push(board)
  }

  function intern(key: BoardKey, kind: BoardKind): number {
    const known = byKey.get(key.high, key.low)
    if (known >= 0) return known
    if (byKey.size >= maxBoards) dropOne()
    const board = freeRows.pop() ?? rowLimit++
    keyHighs[board] = key.high
    keyLows[board] = key.low
    states[board] = kinds.indexOf(kind) + 1
    if (states[board] === boardState) savedBoards++
    byKey.set(key.high, key.low, board)
    return board
  }

  // A board in a pin's list always has the pin in its own; the other way round a pin's cap may have dropped the board.
  function removeEdge(board: number, pinRow: number): void {
    if (!pinsOfBoard.remove(board, pinRow)) return
    boardsOfPin.remove(pinRow, board)
    breadth.changed(board)
    if (pinsOfBoard.countOf(board) === 0) release(board)
  }

  return {
    get boards() {
      return byKey.size
    },
    get savedBoards() {
      return savedBoards
    },
    get edges() {
      return pinsOfBoard.entries
    },
    get pinLimit() {
      return pinLimit
    },
    get dropped() {
      return dropped
    },
    boardsOfPin,
    pinsOfBoard,
    atSeconds,
    memory,
    add({ key, kind, pinRow, atMs }) {
      if (pinRow < 0 || pinRow >= maxPins) return 'refused'
      const seconds = secondsOf(atMs)
      while (byKey.size > 0 && pool.inUse > poolEntries - roomKeptFree(options)) dropOne()
      pinLimit = Math.max(pinLimit, pinRow + 1)
      const board = intern(key, kind)
      recentlyUsed[board] = 1
      const at = pinsOfBoard.find(board, pinRow)
      if (at >= 0) {
        if (atSeconds[at]! >= seconds) return 'known'
        pinsOfBoard.remove(board, pinRow)
        boardsOfPin.remove(pinRow, board)
      }
      const oldest = pinsOfBoard.countOf(board) === 0 ? 0 : atSeconds[pinsOfBoard.startOf(board)]!
      const out = pinsOfBoard.insert(board, pinRow, seconds)
      if (out === pinRow) {
        if (pinsOfBoard.countOf(board) === 0) release(board)
        return 'refused'
      }
      if (out !== nothingDropped) boardsOfPin.remove(out, board)
      boardsOfPin.insert(pinRow, board, seconds)
      breadth.changed(board)
      if (at >= 0) return 'known'
      return out === nothingDropped ? 'added' : oldest
    },
    remove(key, pinRow) {
      const board = byKey.get(key.high, key.low)
      if (board >= 0) removeEdge(board, pinRow)
    },
    removeBoard(key) {
      const board = byKey.get(key.high, key.low)
      if (board >= 0) drop(board)
    },
    removePin(pinRow) {
      if (pinRow < 0 || pinRow >= maxPins) return
      for (let count = boardsOfPin.countOf(pinRow); count > 0; count = boardsOfPin.countOf(pinRow)) {
        removeEdge(memory.pool[boardsOfPin.startOf(pinRow) + count - 1]!, pinRow)
      }
    },
    get limit() {
      return rowLimit
    },
    // A board may hold a pin whose own list, being full, has dropped the board.
    clean(board) {
      const start = pinsOfBoard.startOf(board)
      for (let at = start; at < start + pinsOfBoard.countOf(board); at++) {
        if (isGone(memory.pool[at] ?? goneRow)) memory.pool[at] = goneRow
      }
    },
    topicsChanged(pinRow) {
      if (pinRow < 0 || pinRow >= maxPins) return
      const start = boardsOfPin.startOf(pinRow)
      for (let i = boardsOfPin.countOf(pinRow) - 1; i >= 0; i--) breadth.changed(memory.pool[start + i]!)
    },
    setLabel(pinRow, label) {
      if (pinRow < 0 || pinRow >= maxPins) return
      pinLimit = Math.max(pinLimit, pinRow + 1)
      memory.labels[pinRow] = label
    },
    boardOf: (key) => byKey.get(key.high, key.low),
    kindOf: (board) => kinds[(states[board] ?? 1) - 1] ?? 'board',
    isHidden: breadth.isHidden,
    settle: breadth.settle,
    bytes() {
      const perPin = 8 + 1 + boardsOfPin.bytesPerNode
      const perBoard = 8 + 8 + 3 + pinsOfBoard.bytesPerNode
      return pool.reached * 8 + pinLimit * perPin + rowLimit * perBoard + byKey.bytes() + memory.scratchBytes
    },
    // A key table doubles when it is half full: at most 4 slots of 12 bytes a key.
    maxBytes: memory.bytes + maxBoards * 48,
    save(writer) {
      const order: number[] = []
      for (let i = 0; i < rowLimit; i++) {
        const board = (hand + i) % rowLimit
        if (states[board] !== freeBoard) order.push(board)
      }
      const places = new Uint32Array(rowLimit)
      order.forEach((board, place) => (places[board] = place))
      writer.u32(
        'keyHighs',
        Uint32Array.from(order, (board) => keyHighs[board]!),
      )
      writer.u32(
        'keyLows',
        Uint32Array.from(order, (board) => keyLows[board]!),
      )
      writer.u8(
        'states',
        Uint8Array.from(order, (board) => states[board]!),
      )
      writer.u8(
        'recentlyUsed',
        Uint8Array.from(order, (board) => recentlyUsed[board]!),
      )
      const pins = { lists: pinsOfBoard, nodes: order, pool: memory.pool, atSeconds }
      saveLists(writer.under('boards'), { ...pins, rename: (pin) => (isGone(pin) ? goneRow : pin) })
      const nodes = Array.from({ length: pinLimit }, (_, pin) => pin)
      const renamed = { lists: boardsOfPin, nodes, pool: memory.pool, atSeconds }
      saveLists(writer.under('pins'), { ...renamed, rename: (board) => places[board]! })
      writer.u8('labels', memory.labels.subarray(0, pinLimit))
      writer.json('dropped', dropped)
    },
    load(reader) {
      const highs = reader.u32('keyHighs')
      const lows = reader.u32('keyLows')
      const kept = reader.u8('states')
      const used = reader.u8('recentlyUsed')
      if (highs.length > maxBoards)
        throw new SnapshotError(
          'SNAPSHOT_OTHER_CONFIG',
          `the snapshot holds ${highs.length} boards; at most ${maxBoards} are allowed`,
        )
      byKey.clear()
      pool.clear()
      pinsOfBoard.clear()
      boardsOfPin.clear()
      breadth.clear()
      clearColumn(memory.labels)
      // A free row is 0.
      clearColumn(states)
      freeRows = []
      hand = 0
      rowLimit = highs.length
      savedBoards = 0
      for (let board = 0; board < rowLimit; board++) {
        keyHighs[board] = highs[board]!
        keyLows[board] = lows[board]!
        states[board] = kept[board] ?? 1
        if (states[board] === boardState) savedBoards++
        recentlyUsed[board] = used[board]!
        byKey.set(highs[board]!, lows[board]!, board)
      }
      loadLists(reader.under('boards'), pinsOfBoard)
      loadLists(reader.under('pins'), boardsOfPin)
      const labels = reader.u8('labels')
      pinLimit = labels.length
      memory.labels.set(labels)
      dropped = reader.json('dropped') as number
      for (let board = 0; board < rowLimit; board++) breadth.changed(board)
    },
  }
}

/** The second of a time, as edges keep it. */
export function secondsOf(atMs: number): number {
  return Math.min(0xffffffff, Math.max(0, Math.floor(atMs / 1000)))
}

// One edge needs at most a block of each side; blocks double, so a full list asks for two thirds more than it has.
function roomKeptFree({ maxBoardsPerPin, maxPinsPerBoard, maxEdges }: PinGraphOptions): number {
  return Math.min(maxEdges, 2 * (maxBoardsPerPin + maxPinsPerBoard))
}

interface SavedLists {
  readonly lists: Adjacency
  readonly nodes: readonly number[]
  readonly pool: Uint32Array
  readonly atSeconds: Uint32Array
  readonly rename?: (neighbour: number) => number
}

function saveLists(writer: SectionWriter, { lists, nodes, pool, atSeconds, rename }: SavedLists): void {
  const counts = Uint32Array.from(nodes, (node) => lists.countOf(node))
  const neighbours = new Uint32Array(lists.entries)
  const times = new Uint32Array(lists.entries)
  let to = 0
  for (const node of nodes) {
    const start = lists.startOf(node)
    for (let at = start; at < start + lists.countOf(node); at++, to++) {
      const neighbour = pool[at]!
      neighbours[to] = rename ? rename(neighbour) : neighbour
      times[to] = atSeconds[at]!
    }
  }
  writer.u32('counts', counts)
  writer.u32('neighbours', neighbours)
  writer.u32('times', times)
}

function loadLists(reader: SectionReader, lists: Adjacency): void {
  const counts = reader.u32('counts')
  const neighbours = reader.u32('neighbours')
  const times = reader.u32('times')
  let from = 0
  for (let node = 0; node < counts.length; node++) {
    const to = from + counts[node]!
    lists.restore(node, neighbours.subarray(from, to), times.subarray(from, to))
    from = to
  }
}
