import type { CandidateColumns } from '../candidates.ts'
import type { PinFacts } from '../pin-facts.ts'
import type { FeedRequest } from '../request.ts'
import type { ScoreColumns } from '../scorers/rank.ts'
import { createTally } from './tally.ts'

/** How many rows a pool has, and how many of one first topic, of one creator and of one board. */
interface PoolSize {
  readonly size: number
  readonly mostOfTopic: number
  readonly mostOfCreator: number
  readonly mostOfBoard: number
}

/** The size of a pool of a request. Its share of one creator or board is what the cap allows of a window, so that a page can keep the cap. */
export function poolSizeFor(request: FeedRequest, size: number): PoolSize {
  const { poolTopicShare, caps } = request.params.ordering
  const shareOf = ({ most, window }: { readonly most: number; readonly window: number }): number =>
    most < window ? Math.ceil((size * most) / window) : Infinity
  const isHome = request.surface === 'home'
  return {
    size,
    mostOfTopic: isHome ? Math.ceil(size * poolTopicShare) : Infinity,
    mostOfCreator: shareOf(caps.creator),
    mostOfBoard: isHome ? shareOf(caps.board) : Infinity,
  }
}

/**
 * The rows of a pool: the best ones, in their order. Of one first topic, creator and board it takes no more than given, as
 * long as there are others, so that the steps have something else to choose. It takes no repeats, which come last anyway, and only pins that the ranker
 * ranked now, if it did: their utilities compare.
 */
export function poolRows(
  rows: Int32Array,
  {
    shownBefore,
    keys,
    boards,
    ranked,
  }: Pick<CandidateColumns, 'shownBefore' | 'keys' | 'boards'> & Pick<ScoreColumns, 'ranked'>,
  { facts, size, mostOfTopic, mostOfCreator, mostOfBoard }: PoolSize & { readonly facts: PinFacts },
): Int32Array {
  const isTaken = new Uint8Array(shownBefore.length)
  const factRows = facts.rowsOf(keys)
  const taken = Math.min(size, rows.length)
  const [ofTopic, ofCreator, ofBoard] = [createTally(taken), createTally(taken), createTally(taken)]
  const isFull = (row: number): boolean => {
    const fact = factRows[row]!
    const topic = fact < 0 ? 0 : facts.topicAt(fact, 0)
    const creator = fact < 0 ? 0 : facts.creatorOf(fact)
    const board = boards === null ? 0 : boards[row]!
    if (topic !== 0 && ofTopic.count(topic) >= mostOfTopic) return true
    if (creator !== 0 && ofCreator.count(creator) >= mostOfCreator) return true
    if (board !== 0 && ofBoard.count(board) >= mostOfBoard) return true
    if (topic !== 0) ofTopic.add(topic)
    if (creator !== 0) ofCreator.add(creator)
    if (board !== 0) ofBoard.add(board)
    return false
  }
  let count = 0
  const take = (rejects: (row: number) => boolean): void => {
    for (let i = 0; i < rows.length && count < size; i++) {
      const row = rows[i]!
      if (shownBefore[row] === 1 || isTaken[row] === 1 || ranked?.places[row] === -1 || rejects(row)) continue
      isTaken[row] = 1
      count++
    }
  }
  take(isFull)
  take(() => false)
  return rowsWith(isTaken, 1, rows)
}

/** All rows: those of the pool, then the others, each in their order. */
export function poolFirst(rows: Int32Array, pool: Int32Array, size: number): Int32Array {
  const isTaken = new Uint8Array(size)
  for (let i = 0; i < pool.length; i++) isTaken[pool[i]!] = 1
  const ordered = new Int32Array(rows.length)
  ordered.set(pool)
  ordered.set(rowsWith(isTaken, 0, rows), pool.length)
  return ordered
}

/** The rows whose flag has a value, in their order. */
function rowsWith(flags: Uint8Array, value: number, rows: Int32Array): Int32Array {
  const found = new Int32Array(rows.length)
  let count = 0
  for (let i = 0; i < rows.length; i++) if (flags[rows[i]!] === value) found[count++] = rows[i]!
  return found.subarray(0, count)
}
