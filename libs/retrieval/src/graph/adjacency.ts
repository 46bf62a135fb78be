import { clearColumn } from '@freshet/columns/clear-column'
import { orZero } from '@freshet/columns/or-zero'
import { blockClassFor, blockSizes, type BlockPool } from '@freshet/columns/block-pool'
import type { NodeColumns } from './walk-memory.ts'

/** One side's neighbour lists, each sorted by time, latest LAST, ties by `precedes`: the same whatever the order of arrival. */
export interface Adjacency {
  /** Entries in all lists. */
  readonly entries: number
  startOf(node: number): number
  countOf(node: number): number
  /** The place of a neighbour in the pool; -1 if it is not in the list. */
  find(node: number, neighbour: number): number
  /**
   * Adds a new neighbour. A full list drops its oldest. Returns the dropped neighbour, `nothingDropped`,
   * or the neighbour itself when it is older than all of a full list.
   */
  insert(node: number, neighbour: number, atSeconds: number): number
  remove(node: number, neighbour: number): boolean
  /** Drops a list and gives its block back. */
  free(node: number): void
  /** Whether walks see the list; a hidden one has degree 0 for them. */
  setHidden(node: number, hidden: boolean): void
  /** Takes a list over as it is, oldest first. */
  restore(node: number, neighbours: Uint32Array, times: Uint32Array): void
  clear(): void
  /** Bytes by node, without its head. */
  readonly bytesPerNode: number
}

/** What `insert` gives when the list had room. */
export const nothingDropped = -1

/** The columns that lists live in. */
export interface AdjacencyColumns {
  readonly nodes: NodeColumns
  readonly neighbours: Uint32Array
  readonly times: Uint32Array
  readonly pool: BlockPool
  readonly maxDegree: number
  readonly precedes: (a: number, b: number) => boolean
}

/** Empty lists over columns that are all zero. */
export function createAdjacency(columns: AdjacencyColumns): Adjacency {
  const { neighbours, times, pool, maxDegree, precedes } = columns
  const { heads, counts, blocks, hidden } = columns.nodes
  let entries = 0
  /** Whether nothing was written since the columns were made or cleared. */
  let isEmpty = true

  const startOf = (node: number): number => orZero(heads[node << 1])
  const countOf = (node: number): number => orZero(counts[node])

  function setCount(node: number, count: number): void {
    entries += count - countOf(node)
    counts[node] = count
    heads[(node << 1) + 1] = hidden[node] === 1 ? 0 : count
  }

  // False when the pool has no block of that class; the list stays where it is.
  function moveTo(node: number, blockClass: number): boolean {
    const to = pool.allocate(blockClass)
    if (to < 0) return false
    isEmpty = false
    const block = blocks[node]!
    if (block > 0) {
      const from = startOf(node)
      neighbours.copyWithin(to, from, from + countOf(node))
      times.copyWithin(to, from, from + countOf(node))
      pool.free(from, block - 1)
    }
    heads[node << 1] = to
    blocks[node] = blockClass + 1
    return true
  }

  function capacityOf(node: number): number {
    const block = blocks[node]!
    return block === 0 ? 0 : blockSizes[block - 1]!
  }

  function removeAt(node: number, at: number): void {
    const end = startOf(node) + countOf(node)
    neighbours.copyWithin(at, at + 1, end)
    times.copyWithin(at, at + 1, end)
    setCount(node, countOf(node) - 1)
  }

  function giveBack(node: number): void {
    const block = blocks[node]!
    if (block > 0) pool.free(startOf(node), block - 1)
    blocks[node] = 0
    heads[node << 1] = 0
  }

  function find(node: number, neighbour: number): number {
    const start = startOf(node)
    for (let at = start + countOf(node) - 1; at >= start; at--) if (neighbours[at] === neighbour) return at
    return -1
  }

  return {
    get entries() {
      return entries
    },
    startOf,
    countOf,
    find,
    insert(node, neighbour, atSeconds) {
      const count = countOf(node)
      // A pool that has no larger block left makes a list's block its cap.
      const hasRoom = count < maxDegree && (count < capacityOf(node) || moveTo(node, blockClassFor(count + 1)))
      if (!hasRoom && count === 0) return neighbour
      const start = startOf(node)
      let at = start + count
      while (at > start) {
        const otherAt = times[at - 1]!
        if (otherAt < atSeconds || (otherAt === atSeconds && precedes(neighbours[at - 1]!, neighbour))) break
        at--
      }
      if (hasRoom) {
        neighbours.copyWithin(at + 1, at, start + count)
        times.copyWithin(at + 1, at, start + count)
        neighbours[at] = neighbour
        times[at] = atSeconds
        setCount(node, count + 1)
        return nothingDropped
      }
      if (at === start) return neighbour
      const dropped = neighbours[start]!
      neighbours.copyWithin(start, start + 1, at)
      times.copyWithin(start, start + 1, at)
      neighbours[at - 1] = neighbour
      times[at - 1] = atSeconds
      return dropped
    },
    remove(node, neighbour) {
      const at = find(node, neighbour)
      if (at < 0) return false
      removeAt(node, at)
      const count = countOf(node)
      if (count === 0) giveBack(node)
      else if (count * 4 <= capacityOf(node)) moveTo(node, blockClassFor(count * 2))
      return true
    },
    free(node) {
      setCount(node, 0)
      giveBack(node)
      hidden[node] = 0
    },
    setHidden(node, isHidden) {
      isEmpty = false
      hidden[node] = isHidden ? 1 : 0
      setCount(node, countOf(node))
    },
    restore(node, keys, at) {
      if (keys.length === 0 || !moveTo(node, blockClassFor(keys.length))) return
      neighbours.set(keys, startOf(node))
      times.set(at, startOf(node))
      setCount(node, keys.length)
    },
    clear() {
      // Looking through columns that have room for millions of nodes takes 0.1 s of each start.
      if (!isEmpty) for (const column of [heads, counts, blocks, hidden]) clearColumn(column)
      isEmpty = true
      entries = 0
    },
    bytesPerNode: 4 + 1 + 1,
  }
}
