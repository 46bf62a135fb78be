import { createMemoryLayout, instantiate } from '@freshet/columns/wasm'

/** One side's nodes: what the kernel reads of them, and what lists of theirs need beside it. */
export interface NodeColumns {
  /** (first entry, visible degree) by node. */
  readonly heads: Uint32Array
  readonly counts: Uint32Array
  /** Class of the node's block + 1; 0: none. */
  readonly blocks: Uint8Array
  readonly hidden: Uint8Array
}

/**
 * The columns of a graph in one linear memory, and the loop that walks over them. All are here, also those that the loop
 * does not read: memory that is mapped and never written costs nothing, neither bytes nor time.
 */
export interface WalkMemory {
  readonly pins: NodeColumns
  readonly boards: NodeColumns
  /** Neighbour lists of both sides, and when each neighbour came, seconds. */
  readonly pool: Uint32Array
  readonly atSeconds: Uint32Array
  /** By board row. */
  readonly keyHighs: Uint32Array
  readonly keyLows: Uint32Array
  readonly states: Uint8Array
  readonly recentlyUsed: Uint8Array
  readonly isWaiting: Uint8Array
  /** What a walk may be biased towards, by pin row; 0 for none. */
  readonly labels: Uint8Array
  /** What the kernel's `finish` gives: pins by first visit, and their scores. */
  readonly visited: Uint32Array
  readonly scores: Float64Array
  /** By degree, what a pin's score is multiplied by. */
  readonly discounts: Float64Array
  readonly discountsAt: number
  readonly kernel: WalkKernel
  /** Bytes of address space; pages that were never written cost no memory. */
  readonly bytes: number
  /** Of these, for the visits of one walk. */
  readonly scratchBytes: number
}

/** The compiled loop, see `assembly/walk.ts`. */
export interface WalkKernel {
  place(...addresses: readonly number[]): void
  stepsTaken(): number
  begin(
    pin: number,
    steps: number,
    width: number,
    enoughPins: number,
    enoughVisits: number,
    restart: number,
    latest: number,
    own: number,
    label: number,
    bias: number,
    slots: number,
    pinsFit: number,
    seedHigh: number,
    seedLow: number,
  ): void
  /** Returns nonzero until the walk has ended. */
  advance(steps: number): number
  end(): void
  finish(discounts: number): number
  clear(): void
}

/** The most walkers that take a step together. */
export const maxWalkers = 256

/** How much room a graph gets. */
export interface WalkMemoryOptions {
  readonly maxPins: number
  readonly maxBoards: number
  /** Entries of all neighbour lists, with what their blocks waste. */
  readonly poolEntries: number
  /** The most steps the walks of one query may take. */
  readonly maxSteps: number
  /** The largest degree of a pin. */
  readonly maxDegree: number
}

/** Lays the columns out. Throws a RangeError where they need more than 4 GiB. */
export function createWalkMemory(options: WalkMemoryOptions): WalkMemory {
  const { maxPins, maxBoards, poolEntries, maxSteps, maxDegree } = options
  const slots = visitSlotsFor(maxSteps)
  const layout = createMemoryLayout()
  const { take } = layout
  const nodes = (count: number): Record<keyof NodeColumns, number> => ({
    heads: take(count * 8),
    counts: take(count * 4),
    blocks: take(count),
    hidden: take(count),
  })
  const places = {
    pins: nodes(maxPins),
    boards: nodes(maxBoards),
    pool: take(poolEntries * 4),
    atSeconds: take(poolEntries * 4),
    keyHighs: take(maxBoards * 4),
    keyLows: take(maxBoards * 4),
    states: take(maxBoards),
    recentlyUsed: take(maxBoards),
    isWaiting: take(maxBoards),
    labels: take(maxPins),
    walkers: take(maxWalkers * 16),
    table: take(slots * 8),
    sums: take(slots * 8),
    // One more than slots: the kernel writes the next entry before it knows whether there is one.
    order: take((slots + 1) * 4),
    turn: take((slots + 1) * 4),
    scores: take(slots * 8),
    discounts: take((maxDegree + 1) * 8),
  }
  const { memory, bytes } = layout.allocate(
    `a graph’s ${maxPins} pins, ${maxBoards} boards and ${poolEntries} list entries`,
  )
  const kernel = instantiate<WalkKernel>(new URL('../../wasm/walk.wasm', import.meta.url), { env: { memory } })
  kernel.place(
    places.pins.heads,
    places.boards.heads,
    places.pool,
    places.labels,
    places.walkers,
    places.table,
    places.sums,
    places.order,
    places.turn,
    places.scores,
  )
  const { buffer } = memory
  const columns = (at: Record<keyof NodeColumns, number>, count: number): NodeColumns => ({
    heads: new Uint32Array(buffer, at.heads, count * 2),
    counts: new Uint32Array(buffer, at.counts, count),
    blocks: new Uint8Array(buffer, at.blocks, count),
    hidden: new Uint8Array(buffer, at.hidden, count),
  })
  return {
    pins: columns(places.pins, maxPins),
    boards: columns(places.boards, maxBoards),
    pool: new Uint32Array(buffer, places.pool, poolEntries),
    atSeconds: new Uint32Array(buffer, places.atSeconds, poolEntries),
    keyHighs: new Uint32Array(buffer, places.keyHighs, maxBoards),
    keyLows: new Uint32Array(buffer, places.keyLows, maxBoards),
    states: new Uint8Array(buffer, places.states, maxBoards),
    recentlyUsed: new Uint8Array(buffer, places.recentlyUsed, maxBoards),
    isWaiting: new Uint8Array(buffer, places.isWaiting, maxBoards),
    labels: new Uint8Array(buffer, places.labels, maxPins),
    visited: new Uint32Array(buffer, places.turn, slots),
    scores: new Float64Array(buffer, places.scores, slots),
    discounts: new Float64Array(buffer, places.discounts, maxDegree + 1),
    discountsAt: places.discounts,
    kernel,
    bytes,
    scratchBytes: layout.end - places.walkers,
  }
}

/** Slots of a visit table for so many steps: a power of two, at most half full. */
function visitSlotsFor(steps: number): number {
  return powerOfTwoFrom(steps * 2)
}

/** The visit table of a query: the smaller of one for its steps and one with a slot for each pin, which needs no search. */
export function visitTableFor(steps: number, pins: number): { readonly slots: number; readonly pinsFit: boolean } {
  const forSteps = visitSlotsFor(steps)
  const forPins = powerOfTwoFrom(pins)
  return { slots: Math.min(forSteps, forPins), pinsFit: forPins <= forSteps }
}

function powerOfTwoFrom(least: number): number {
  let power = 1024
  while (power < least) power *= 2
  return power
}
