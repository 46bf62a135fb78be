import { readFileSync } from 'node:fs'

/** The columns of a graph in one linear memory, and the loop that walks over them. */
export interface WalkMemory {
  /** (first entry, visible degree) by pin row. */
  readonly pinHeads: Uint32Array
  /** The same by board row. */
  readonly boardHeads: Uint32Array
  /** Neighbour lists of both sides. */
  readonly pool: Uint32Array
  /** What a walk may be biased towards, by pin row; 0 for none. */
  readonly labels: Uint8Array
  /** (pin, visits) by slot of the visit table. */
  readonly visits: Uint32Array
  /** Slots of the last walk's visits, by first visit. */
  readonly order: Uint32Array
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
  walk(
    start: number,
    steps: number,
    width: number,
    enoughPins: number,
    enoughVisits: number,
    restart: number,
    latest: number,
    own: number,
    label: number,
    bias: number,
    mask: number,
    seedHigh: number,
    seedLow: number,
  ): number
  clear(visited: number): void
}

/** The most walkers that take a step together. */
export const maxWalkers = 256

/** How much room a graph gets. */
export interface WalkMemoryOptions {
  readonly maxPins: number
  readonly maxBoards: number
  /** Entries of all neighbour lists, with what their blocks waste. */
  readonly poolEntries: number
  /** The most steps one walk may take. */
  readonly maxSteps: number
}

// Node's types know WebAssembly's namespace, but not its constructors.
declare const WebAssembly: {
  readonly Memory: new (limits: { readonly initial: number; readonly maximum: number }) => {
    readonly buffer: ArrayBuffer
  }
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown }
}

const pageBytes = 65_536
const maxBytes = 2 ** 32
let compiled: object | undefined

/** Lays the columns out. Throws a RangeError where they need more than 4 GiB. */
export function createWalkMemory(options: WalkMemoryOptions): WalkMemory {
  const { maxPins, maxBoards, poolEntries, maxSteps } = options
  const slots = visitSlotsFor(maxSteps + maxWalkers)
  let end = 64
  const take = (bytes: number): number => {
    const at = end
    end += Math.ceil(bytes / 64) * 64
    return at
  }
  const places = {
    pinHeads: take(maxPins * 8),
    boardHeads: take(maxBoards * 8),
    pool: take(poolEntries * 4),
    labels: take(maxPins),
    walkers: take(maxWalkers * 16),
    visits: take(slots * 8),
    order: take(slots * 4),
  }
  if (end > maxBytes) {
    const asked = `${maxPins} pins, ${maxBoards} boards and ${poolEntries} list entries`
    throw new RangeError(`a graph of ${asked} needs ${end} bytes; at most ${maxBytes} can be addressed`)
  }
  const pages = Math.ceil(end / pageBytes)
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
  compiled ??= new WebAssembly.Module(readFileSync(new URL('./walk-kernel.wasm', import.meta.url)))
  const instance = new WebAssembly.Instance(compiled, { env: { memory } })
  const kernel = instance.exports as WalkKernel
  kernel.place(
    places.pinHeads,
    places.boardHeads,
    places.pool,
    places.labels,
    places.walkers,
    places.visits,
    places.order,
  )
  const { buffer } = memory
  return {
    pinHeads: new Uint32Array(buffer, places.pinHeads, maxPins * 2),
    boardHeads: new Uint32Array(buffer, places.boardHeads, maxBoards * 2),
    pool: new Uint32Array(buffer, places.pool, poolEntries),
    labels: new Uint8Array(buffer, places.labels, maxPins),
    visits: new Uint32Array(buffer, places.visits, slots * 2),
    order: new Uint32Array(buffer, places.order, slots),
    kernel,
    bytes: pages * pageBytes,
    scratchBytes: end - places.walkers,
  }
}

/** Slots of a visit table for so many steps: a power of two, at most half full. */
export function visitSlotsFor(steps: number): number {
  let slots = 1024
  while (slots < steps * 2) slots *= 2
  return slots
}
