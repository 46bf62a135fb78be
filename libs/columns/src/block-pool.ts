/** Sizes of blocks, in entries: 2, 3, 4, 6, 8, 12, … so that a list wastes at most a third of its block. */
export const blockSizes: readonly number[] = Array.from({ length: 32 }, (_, i) => (i % 2 === 0 ? 2 : 3) << (i >> 1))

/** The smallest class whose blocks hold `length` entries. */
export function blockClassFor(length: number): number {
  let blockClass = 0
  while (blockSizes[blockClass]! < length) blockClass++
  return blockClass
}

/** Blocks of a column with a fixed number of entries. Freed blocks are linked through their own first entries. */
export interface BlockPool {
  /** Entries in blocks that are given out. */
  readonly inUse: number
  /** Entries ever given out: what lies beyond was never written. */
  readonly reached: number
  /** The first entry of a block, -1 where neither it nor a larger one to split is left. */
  allocate(blockClass: number): number
  free(start: number, blockClass: number): void
  clear(): void
}

/** A pool over `entries`, all of it free. */
export function createBlockPool(entries: Uint32Array): BlockPool {
  const firstFree = new Int32Array(blockSizes.length).fill(-1)
  let reached = 0
  let inUse = 0

  function pop(blockClass: number): number {
    const free = firstFree[blockClass] ?? -1
    if (free >= 0) firstFree[blockClass] = entries[free]! - 1
    return free
  }

  function push(start: number, blockClass: number): void {
    entries[start] = (firstFree[blockClass] ?? -1) + 1
    firstFree[blockClass] = start
  }

  // The rest of a split block becomes blocks again; a single entry left over is lost until `clear`.
  function split(start: number, size: number, wanted: number): number {
    let at = start + wanted
    let rest = size - wanted
    while (rest >= 2) {
      let blockClass = blockClassFor(rest)
      if (blockSizes[blockClass]! > rest) blockClass--
      push(at, blockClass)
      at += blockSizes[blockClass]!
      rest -= blockSizes[blockClass]!
    }
    return start
  }

  function find(blockClass: number, size: number): number {
    const free = pop(blockClass)
    if (free >= 0) return free
    if (reached + size <= entries.length) {
      reached += size
      return reached - size
    }
    for (let larger = blockClass + 1; larger < blockSizes.length; larger++) {
      const start = pop(larger)
      if (start >= 0) return split(start, blockSizes[larger]!, size)
    }
    return -1
  }

  return {
    get inUse() {
      return inUse
    },
    get reached() {
      return reached
    },
    allocate(blockClass) {
      const size = blockSizes[blockClass]!
      const start = find(blockClass, size)
      if (start >= 0) inUse += size
      return start
    },
    free(start, blockClass) {
      push(start, blockClass)
      inUse -= blockSizes[blockClass]!
    },
    clear() {
      firstFree.fill(-1)
      reached = 0
      inUse = 0
    },
  }
}
