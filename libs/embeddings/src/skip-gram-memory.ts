import { createMemoryLayout, instantiate } from '@freshet/columns/wasm'

/** The embedding table and its columns in one linear memory, and the loop that trains it. */
export interface SkipGramMemory {
  /** Row after row, `dimensions` each. */
  readonly table: Float32Array
  /** By row: mean square of the gradients so far. */
  readonly squares: Float32Array
  /** By row: how far it has moved since it was last handed out. */
  readonly moves: Float32Array
  /** By row: 1 while it is in the queue. */
  readonly waiting: Uint8Array
  /** Ring of rows to hand out; its end is the kernel's `queueTail`. */
  readonly queue: Uint32Array
  /** Ring of rows touched last: negatives are drawn from it, so they follow popularity with a decay. */
  readonly recent: Uint32Array
  /** (row, row, weight) by pair, as numbers and as floats. */
  readonly pairRows: Uint32Array
  readonly pairWeights: Float32Array
  readonly kernel: SkipGramKernel
  /** Bytes of address space; pages that were never written cost no memory. */
  readonly bytes: number
}

/** The compiled loop, see `assembly/skip-gram.ts`. */
export interface SkipGramKernel {
  place(width: number, ...addresses: readonly number[]): void
  queueTail(): number
  setQueueTail(at: number): void
  enqueue(row: number): void
  train(
    count: number,
    negatives: number,
    recentCount: number,
    rate: number,
    enough: number,
    seedHigh: number,
    seedLow: number,
  ): void
}

// As the kernel reads it: from -8 to 8 in steps of 1/128, each entry for the middle of its step.
const sigmoidLimit = 8
const sigmoidSteps = 128
const sigmoidEntries = 2 * sigmoidLimit * sigmoidSteps

/** How much room a model gets. */
export interface SkipGramMemoryOptions {
  /** A multiple of 4. */
  readonly dimensions: number
  readonly maxPins: number
  readonly maxRecent: number
  /** Pairs learned in one call at most. */
  readonly maxPairs: number
}

/** Lays the columns out, all zero. Throws a RangeError where they need more than 4 GiB or rows are no multiple of 4 wide. */
export function createSkipGramMemory({
  dimensions,
  maxPins,
  maxRecent,
  maxPairs,
}: SkipGramMemoryOptions): SkipGramMemory {
  if (!Number.isInteger(dimensions) || dimensions < 4 || dimensions > 512 || dimensions % 4 !== 0) {
    throw new RangeError(`embeddings of ${dimensions} dimensions; give a multiple of 4 from 4 to 512`)
  }
  const layout = createMemoryLayout()
  const { take } = layout
  const places = {
    table: take(maxPins * dimensions * 4),
    squares: take(maxPins * 4),
    moves: take(maxPins * 4),
    waiting: take(maxPins),
    queue: take((maxPins + 1) * 4),
    recent: take(maxRecent * 4),
    pairs: take(maxPairs * 12),
    gradient: take(dimensions * 4),
    sigmoid: take(sigmoidEntries * 4),
  }
  const { memory, bytes } = layout.allocate(`${maxPins} pins of ${dimensions} dimensions`)
  const kernel = instantiate<SkipGramKernel>(new URL('../wasm/skip-gram.wasm', import.meta.url), { env: { memory } })
  kernel.place(
    dimensions,
    places.table,
    places.squares,
    places.moves,
    places.waiting,
    places.queue,
    maxPins + 1,
    places.recent,
    places.pairs,
    places.gradient,
    places.sigmoid,
  )
  const { buffer } = memory
  const sigmoid = new Float32Array(buffer, places.sigmoid, sigmoidEntries)
  for (let i = 0; i < sigmoidEntries; i++) sigmoid[i] = 1 / (1 + Math.exp(sigmoidLimit - (i + 0.5) / sigmoidSteps))
  return {
    table: new Float32Array(buffer, places.table, maxPins * dimensions),
    squares: new Float32Array(buffer, places.squares, maxPins),
    moves: new Float32Array(buffer, places.moves, maxPins),
    waiting: new Uint8Array(buffer, places.waiting, maxPins),
    queue: new Uint32Array(buffer, places.queue, maxPins + 1),
    recent: new Uint32Array(buffer, places.recent, maxRecent),
    pairRows: new Uint32Array(buffer, places.pairs, maxPairs * 3),
    pairWeights: new Float32Array(buffer, places.pairs, maxPairs * 3),
    kernel,
    bytes,
  }
}
