import type { Hits, ScoreBoard } from '@freshet/columns/score-board'
import type { Interruption } from '../../interruption.ts'
import { createRarities } from '../../neighbours/rarity.ts'
import type { SourceQuery } from '../../source.ts'
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
  /** Fills `hits` with the best of the pins that were added, each times its rarity among the sessions. */
  top(query: Pick<SourceQuery, 'limit' | 'accept'>, sessions: SessionLists, hits: Hits): void
}

/**
 * Sequential rules (Kamehkhosh et al. 2017) over several distances and in both directions, decayed by the session's age,
 * read from a view of sessions: there is no table of pairs to cap, and an action counts at once.
 */
export function createRules(board: ScoreBoard, options: RuleOptions): Rules {
  const { maxSessionsPerPin, maxDistance, halfLifeMs } = options
  // The pin itself, in the middle, counts nothing.
  const nearness = new Float64Array(2 * maxDistance + 1)
  for (let d = 1; d <= maxDistance; d++) {
    nearness[maxDistance + d] = d ** -options.distanceExponent
    nearness[maxDistance - d] = options.backwardWeight * d ** -options.distanceExponent
  }
  const rarityOf = createRarities(options.rarityExponent)

  return {
    begin: board.clear,
    add(pinRow, weight, { sessions, atMs, ownSession, interruption }) {
      const { pinRows, sessionRows, sessionAtMs } = sessions
      const first = sessions.pinStartOf(pinRow)
      const last = first + sessions.pinLengthOf(pinRow) - 1
      const end = Math.max(first, last + 1 - maxSessionsPerPin)
      const rare = weight * rarityOf(sessions.sessionCountOf(pinRow), sessions.sessionsEver)
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
        const from = Math.max(start, position - maxDistance)
        const to = Math.min(stop, position + maxDistance + 1)
        board.addAll(pinRows, { from, to, shift: maxDistance - position, factor: decayed }, nearness)
      }
    },
    top({ limit, accept }, sessions, hits) {
      const { sessionsEver } = sessions
      board.top(limit, accept, hits, (row) => rarityOf(sessions.sessionCountOf(row), sessionsEver))
    },
  }
}
