import type { SharedViews, Source, SourceDefinition } from '../source.ts'

/** Parameters of the co-occurrence source. */
export type CoOccurrenceParameters = {
  /** Of the user's recent pins, how many are looked up. */
  readonly maxRecentPins: number
  /** Each step back in the user's history counts this much of the next. */
  readonly historyDecay: number
  /** Of the sessions that touched a pin, the latest that are read. */
  readonly maxSessionsPerPin: number
  /** Pins further apart than this in a session are not counted. */
  readonly maxDistance: number
  /** A later pin at distance d counts 1/d of this, an earlier one 1/d of `backwardWeight`. */
  readonly forwardWeight: number
  readonly backwardWeight: number
  /** After this long a session counts half. */
  readonly halfLifeMs: number
}

/**
 * Pins that came near the user's recent pins in other sessions: sequential rules with 1/distance (Kamehkhosh et al.
 * 2017), both directions, decayed by the session's age. Its view is the sessions view: rules are summed when they are
 * asked for, so there is no table of pairs to cap.
 */
export const coOccurrence: SourceDefinition<CoOccurrenceParameters> = {
  name: 'co-occurrence',
  enabled: true,
  maxCandidates: 300,
  share: 1,
  parameters: {
    maxRecentPins: 3,
    historyDecay: 0.5,
    maxSessionsPerPin: 500,
    maxDistance: 10,
    forwardWeight: 1,
    backwardWeight: 0.6,
    halfLifeMs: 30 * 86_400_000,
  },
  create: createCoOccurrence,
}

function createCoOccurrence({ sessions, board }: SharedViews, parameters: CoOccurrenceParameters): Source {
  const { maxRecentPins, historyDecay, maxSessionsPerPin, maxDistance, forwardWeight, backwardWeight, halfLifeMs } =
    parameters

  function addRules(pinRow: number, weight: number, { atMs, ownSession }: { atMs: number; ownSession: number }): void {
    const { pinRows, sessionRows, sessionAtMs } = sessions
    const first = sessions.pinStartOf(pinRow)
    const count = sessions.pinLengthOf(pinRow)
    const end = Math.max(first, first + count - maxSessionsPerPin)
    for (let s = first + count - 1; s >= end; s--) {
      const session = sessionRows[s] ?? 0
      if (session === ownSession) continue
      const decayed = weight * 2 ** (((sessionAtMs[s] ?? 0) - atMs) / halfLifeMs)
      const start = sessions.startOf(session)
      const stop = start + sessions.lengthOf(session)
      let position = stop - 1
      while (position >= start && pinRows[position] !== pinRow) position--
      if (position < start) continue
      for (let i = Math.max(start, position - maxDistance); i < Math.min(stop, position + maxDistance + 1); i++) {
        const other = pinRows[i] ?? 0
        if (other === pinRow) continue
        board.add(
          other,
          i > position ? (decayed * forwardWeight) / (i - position) : (decayed * backwardWeight) / (position - i),
        )
      }
    }
  }

  return {
    name: 'co-occurrence',
    scale: 'relative',
    query(query, hits) {
      board.clear()
      let weight = 1
      let taken = 0
      for (let i = query.recentCount - 1; i >= 0 && taken < maxRecentPins; i--) {
        const row = query.recentRows[i] ?? 0
        if (seenLater(query.recentRows, i, query.recentCount)) continue
        addRules(row, weight, query)
        weight *= historyDecay
        taken++
      }
      board.top(query.limit, query.accept, hits)
    },
    bytes: () => 0,
    save() {},
    load() {},
  }
}

function seenLater(rows: Int32Array, index: number, count: number): boolean {
  for (let i = index + 1; i < count; i++) if (rows[i] === rows[index]) return true
  return false
}
