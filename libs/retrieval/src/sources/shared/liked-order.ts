import { nextCapacity } from '@freshet/columns/growth'
import { createHits, type Hits } from '@freshet/columns/score-board'
import { sortBestFirst } from '@freshet/columns/sort-hits'
import type { TopList } from '@freshet/columns/top-list'

import type { SharedViews } from '../../source.ts'

/** Below this weight a half-life lists no pins. */
const leastWeight = 0.005

/** The pins of the lists of one locale by their share, best first, kept until something changes. */
export interface LikedOrder {
  /** The order as of now; `version` goes up whenever the lists or a description change. Valid until the next read. */
  read(version: number): Hits
  bytes(): number
}

/** Creates the order of the pins on `lists`, one list for each half-life of the rates. It uses the board as scratch. */
export function createLikedOrder(
  { catalogue, board, rates }: Pick<SharedViews, 'catalogue' | 'board' | 'rates'>,
  lists: readonly TopList[],
): LikedOrder {
  let hits = createHits(0)
  let shares = new Float64Array(0)
  let readVersion = -1
  let ratesVersion = -1

  function makeRoom(): void {
    const needed = lists.reduce((sum, { size }) => sum + size, 0)
    if (needed <= shares.length) return
    shares = new Float64Array(nextCapacity(shares.length, needed))
    hits = createHits(shares.length)
  }

  /** Collects each pin of the lists once. */
  function collect(): number {
    board.clear()
    for (const [n, list] of lists.entries()) {
      if (rates.weights[n]! < leastWeight) continue
      const { size } = list
      for (let i = 0; i < size; i++) {
        const row = list.rowAt(i)
        if (board.get(row) === 0) board.add(row, 1)
      }
    }
    const count = board.touched
    for (let i = 0; i < count; i++) hits.rows[i] = board.touchedRow(i)
    return count
  }

  return {
    read(version) {
      if (version === readVersion && rates.version === ratesVersion) return hits
      readVersion = version
      ratesVersion = rates.version
      makeRoom()
      const collected = collect()
      rates.readShares(hits.rows, collected, shares)
      let count = 0
      for (let i = 0; i < collected; i++) {
        if (!(shares[i]! > 0)) continue
        hits.rows[count] = hits.rows[i]!
        hits.scores[count++] = shares[i]!
      }
      hits.count = count
      sortBestFirst(catalogue, hits, count)
      return hits
    },
    bytes: () => shares.byteLength * 2,
  }
}
