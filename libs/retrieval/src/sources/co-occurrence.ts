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
  /** A pin at distance d counts 1 / d to this power. */
  readonly distanceExponent: number
  /** What came before the looked-up pin counts this much of what came after it. */
  readonly backwardWeight: number
  /** Both pins count by log(sessions / sessions with it) to this power. */
  readonly rarityExponent: number
  /** After this long a session counts half. */
  readonly halfLifeMs: number
}

/**
 * Pins that came near the user's recent pins in other sessions: sequential rules (Kamehkhosh et al. 2017), over several
 * distances and in both directions, decayed by the session's age. Its view is the sessions view: rules are summed when
 * they are asked for, so there is no table of pairs to cap.
 */
export const coOccurrence: SourceDefinition<CoOccurrenceParameters> = {
  name: 'co-occurrence',
  enabled: true,
  maxCandidates: 300,
  share: 0.3,
  parameters: {
    maxRecentPins: 6,
    historyDecay: 0.6,
    maxSessionsPerPin: 200,
    maxDistance: 10,
    distanceExponent: 0.5,
    backwardWeight: 0.8,
    rarityExponent: 1,
    halfLifeMs: 60 * 86_400_000,
  },
  create: createCoOccurrence,
}

function createCoOccurrence({ sessions, board }: SharedViews, parameters: CoOccurrenceParameters): Source {
  const { maxRecentPins, historyDecay, maxSessionsPerPin, maxDistance, rarityExponent, halfLifeMs } = parameters
  const forward = new Float64Array(maxDistance + 1)
  const backward = new Float64Array(maxDistance + 1)
  for (let d = 1; d <= maxDistance; d++) {
    forward[d] = d ** -parameters.distanceExponent
    backward[d] = parameters.backwardWeight * d ** -parameters.distanceExponent
  }

  function rarityOf(row: number): number {
    const ratio = sessions.sessionsEver / (1 + sessions.sessionCountOf(row))
    return Math.log(1 + ratio) ** rarityExponent
  }

  function addRules(pinRow: number, weight: number, at: { readonly atMs: number; readonly ownSession: number }): void {
    const { pinRows, sessionRows, sessionAtMs } = sessions
    const first = sessions.pinStartOf(pinRow)
    const last = first + sessions.pinLengthOf(pinRow) - 1
    const end = Math.max(first, last + 1 - maxSessionsPerPin)
    for (let s = last; s >= end; s--) {
      const session = sessionRows[s] ?? 0
      if (session === at.ownSession) continue
      const decayed = weight * 2 ** (Math.min(0, (sessionAtMs[s] ?? 0) - at.atMs) / halfLifeMs)
      const start = sessions.startOf(session)
      const stop = start + sessions.lengthOf(session)
      let position = stop - 1
      while (position >= start && pinRows[position] !== pinRow) position--
      if (position < start) continue
      const to = Math.min(stop, position + maxDistance + 1)
      for (let i = Math.max(start, position - maxDistance); i < to; i++) {
        const other = pinRows[i] ?? 0
        if (i === position) continue
        const near = i > position ? forward[i - position] : backward[position - i]
        board.add(other, decayed * (near ?? 0) * rarityOf(other))
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
        addRules(row, weight * rarityOf(row), query)
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
