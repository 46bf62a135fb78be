import { grownFloat64, grownInt32, nextCapacity } from '@freshet/columns/growth'
import type { Interruption } from '../../interruption.ts'
import type { ScoreBoard } from '@freshet/columns/score-board'
import type { SessionLists } from '../../views/session-lists.ts'

/** How pins near a pin are counted. */
export type RuleOptions = {
  /** Of the sessions that touched a pin, the latest that are read. */
  readonly maxSessionsPerPin: number
  /** Pins further apart than this in a session are not counted. */
  readonly maxDistance: number
  /** A pin at distance d counts 1 / d to this power. */
  readonly distanceExponent: number
  /** What came before the looked-up pin counts this much of what came after it. */
  readonly backwardWeight: number
  /** Both pins count by log(sessions / sessions with it) to this power. */
  readonly rarityExponent: number
  /** After this long a session counts half. */
  readonly halfLifeMs: number
}

/** The sessions to read, the time of the request, the user's own session, which is left out, and the interruption. */
export interface RulesContext {
  /** The same view from `begin()` to `begin()`. */
  readonly sessions: SessionLists
  readonly atMs: number
  readonly ownSession: number
  readonly interruption: Interruption
}

/** Sums the rules pin → other pin into a board, at query time. */
export interface Rules {
  /** Clears the board for the next request. */
  begin(): void
  /** Adds what came near a pin in other sessions than `ownSession`, times `weight`. */
  add(pinRow: number, weight: number, at: RulesContext): void
}

/**
 * Sequential rules (Kamehkhosh et al. 2017) over several distances and in both directions, decayed by the session's age,
 * read from a view of sessions: there is no table of pairs to cap, and an action counts at once.
 */
export function createRules(board: ScoreBoard, options: RuleOptions): Rules {
  const { maxSessionsPerPin, maxDistance, rarityExponent, halfLifeMs } = options
  const forward = new Float64Array(maxDistance + 1)
  const backward = new Float64Array(maxDistance + 1)
  for (let d = 1; d <= maxDistance; d++) {
    forward[d] = d ** -options.distanceExponent
    backward[d] = options.backwardWeight * d ** -options.distanceExponent
  }

  // A pin comes up many times in one request: its rarity is worked out once.
  let rarities = new Float64Array(0)
  let stamps = new Int32Array(0)
  let stamp = 0

  function rarityOf(row: number, sessions: SessionLists): number {
    if (stamps[row] !== stamp) {
      stamps[row] = stamp
      const ratio = sessions.sessionsEver / (1 + sessions.sessionCountOf(row))
      rarities[row] = Math.log(1 + ratio) ** rarityExponent
    }
    return rarities[row]!
  }

  return {
    begin() {
      board.clear()
      stamp++
      if (board.capacity() > stamps.length) {
        const capacity = nextCapacity(stamps.length, board.capacity())
        stamps = grownInt32(stamps, capacity)
        rarities = grownFloat64(rarities, capacity)
      }
    },
    add(pinRow, weight, { sessions, atMs, ownSession, interruption }) {
      const { pinRows, sessionRows, sessionAtMs } = sessions
      const first = sessions.pinStartOf(pinRow)
      const last = first + sessions.pinLengthOf(pinRow) - 1
      const end = Math.max(first, last + 1 - maxSessionsPerPin)
      const rare = weight * rarityOf(pinRow, sessions)
      for (let s = last; s >= end; s--) {
        const session = sessionRows[s]!
        if (session === ownSession) continue
        const decayed = rare * 2 ** (Math.min(0, sessionAtMs[s]! - atMs) / halfLifeMs)
        const start = sessions.startOf(session)
        const stop = start + sessions.lengthOf(session)
        if (interruption.due(stop - start)) return
        let position = stop - 1
        while (position >= start && pinRows[position] !== pinRow) position--
        if (position < start) continue
        const to = Math.min(stop, position + maxDistance + 1)
        for (let i = Math.max(start, position - maxDistance); i < to; i++) {
          if (i === position) continue
          const other = pinRows[i]!
          const near = i > position ? forward[i - position] : backward[position - i]
          board.add(other, decayed * (near ?? 0) * rarityOf(other, sessions))
        }
      }
    },
  }
}
