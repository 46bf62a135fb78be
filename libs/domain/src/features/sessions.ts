/**
 * The user's sessions: stretches of events with no gap above the limit. The newest are kept as intervals, since an event
 * that arrives late may join two of them; older ones only as a count.
 */
export interface Sessions {
  /** Sessions that no longer have an interval. */
  readonly closed: number
  /** Start of each kept session, ascending. */
  readonly startMs: Float64Array
  /** Its last event. */
  readonly endMs: Float64Array
}

/** Bounds of `Sessions`. */
export interface SessionLimits {
  readonly gapMs: number
  readonly maxKept: number
}

/** No session yet. */
export const noSessions: Sessions = { closed: 0, startMs: new Float64Array(0), endMs: new Float64Array(0) }

/** How many sessions the user has had. */
export function sessionCount(sessions: Sessions): number {
  return sessions.closed + sessions.startMs.length
}

/**
 * Adds one event. Order-free among the sessions kept: intervals closer than the gap merge, whichever came first. An event from
 * before them changes nothing once older sessions were closed, because it may belong to one of those.
 */
export function foldSession(sessions: Sessions, atMs: number, limits: SessionLimits): Sessions {
  const { startMs, endMs } = sessions
  const last = startMs.length - 1
  if (last >= 0 && atMs >= (startMs[last] ?? 0) && atMs <= (endMs[last] ?? 0)) return sessions
  if (sessions.closed > 0 && atMs + limits.gapMs < (startMs[0] ?? 0)) return sessions
  return withSession(sessions, atMs, atMs, limits)
}

/** The sessions of both. Sessions without times add up, so a session that both had counts twice among them. */
export function mergeSessions(a: Sessions, b: Sessions, limits: SessionLimits): Sessions {
  const unbounded = { ...limits, maxKept: Number.POSITIVE_INFINITY }
  let merged: Sessions = a
  b.startMs.forEach((startMs, row) => {
    merged = withSession(merged, startMs, b.endMs[row] ?? startMs, unbounded)
  })
  const surplus = Math.max(0, merged.startMs.length - limits.maxKept)
  return {
    closed: a.closed + b.closed + surplus,
    startMs: merged.startMs.slice(surplus),
    endMs: merged.endMs.slice(surplus),
  }
}

function withSession(sessions: Sessions, fromMs: number, toMs: number, { gapMs, maxKept }: SessionLimits): Sessions {
  const { startMs, endMs } = sessions
  const last = startMs.length - 1
  const starts: number[] = []
  const ends: number[] = []
  let start = fromMs
  let end = toMs
  let placed = false
  for (let i = 0; i <= last; i++) {
    const s = startMs[i] ?? 0
    const e = endMs[i] ?? 0
    if (e + gapMs < start) {
      starts.push(s)
      ends.push(e)
    } else if (end + gapMs < s) {
      if (!placed) {
        starts.push(start)
        ends.push(end)
        placed = true
      }
      starts.push(s)
      ends.push(e)
    } else {
      start = Math.min(start, s)
      end = Math.max(end, e)
    }
  }
  if (!placed) {
    starts.push(start)
    ends.push(end)
  }
  const surplus = Math.max(0, starts.length - maxKept)
  return {
    closed: sessions.closed + surplus,
    startMs: Float64Array.from(starts.slice(surplus)),
    endMs: Float64Array.from(ends.slice(surplus)),
  }
}
