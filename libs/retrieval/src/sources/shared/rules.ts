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
  const forward = new Float64Array(maxDistance + 1)
  const backward = new Float64Array(maxDistance + 1)
  for (let d = 1; d <= maxDistance; d++) {
    forward[d] = d ** -options.distanceExponent
    backward[d] = options.backwardWeight * d ** -options.distanceExponent
  }
  const rarityOf = createRarities(options.rarityExponent)

  /** Adds the entries `from` to `to` of a session to the sums, all but the one at `position`. */
  function addNear(pinRows: Int32Array, near: { from: number; to: number; position: number; weight: number }): void {
    const { from, to, position, weight } = near
    const { columns } = board
    const { slots, rows, stamp } = columns
    let { touched } = columns
    for (let i = from; i < to; i++) {
      if (i === position) continue
      const row = pinRows[i]!
      const score = weight * (i > position ? forward[i - position]! : backward[position - i]!)
      const at = 2 * row
      if (slots[at + 1] === stamp) slots[at] = slots[at]! + score
      else {
        slots[at] = score
        slots[at + 1] = stamp
        rows[touched++] = row
      }
    }
    columns.touched = touched
  }

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
        addNear(pinRows, { from, to: Math.min(stop, position + maxDistance + 1), position, weight: decayed })
      }
    },
    top({ limit, accept }, sessions, hits) {
      const { sessionsEver } = sessions
      board.top(limit, accept, hits, (row) => rarityOf(sessions.sessionCountOf(row), sessionsEver))
    },
  }
}
