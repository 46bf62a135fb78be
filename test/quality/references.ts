/** A plain implementation of a known method, to compare with: simple, slow, and without what ours does beyond it. */
export interface Reference {
  readonly name: string
  fold(click: Click): void
  /** The best pins for a question, best first, at most `most`. */
  rank(question: ReferenceQuestion, most: number): readonly string[]
}

/** A positive action. */
export interface Click {
  readonly userId: string
  readonly sessionId: string
  readonly pinId: string
  readonly atMs: number
}

/** A question; what the user did is always known, whatever else waits for a mark. */
export interface ReferenceQuestion {
  readonly atMs: number
  readonly userId: string
  readonly sessionId: string
  /** Pins of the session, oldest first. */
  readonly session: readonly string[]
  /** All pins of the user, oldest first. */
  readonly history: readonly string[]
  readonly among: ReadonlySet<string> | null
  readonly excluded: ReadonlySet<string>
}

/** Of all references, the scores of a question. */
type Scores = Map<string, number>

const allowed = ({ among, excluded }: ReferenceQuestion, pinId: string): boolean =>
  !excluded.has(pinId) && (among === null || among.has(pinId))

function best(scores: Scores, question: ReferenceQuestion, most: number): string[] {
  return [...scores]
    .filter(([pinId, score]) => score > 0 && allowed(question, pinId))
    .sort(([a, scoreA], [b, scoreB]) => scoreB - scoreA || (a < b ? -1 : 1))
    .slice(0, most)
    .map(([pinId]) => pinId)
}

/** What was clicked most within `windowMs` before the question. */
export function recentPopularity(windowMs: number, name: string): Reference {
  const counts: Scores = new Map()
  const window: Click[] = []
  let first = 0
  return {
    name,
    fold(click) {
      window.push(click)
      counts.set(click.pinId, (counts.get(click.pinId) ?? 0) + 1)
    },
    rank(question, most) {
      for (; first < window.length && window[first]!.atMs < question.atMs - windowMs; first++) {
        const { pinId } = window[first]!
        counts.set(pinId, (counts.get(pinId) ?? 0) - 1)
      }
      return best(counts, question, most)
    },
  }
}

/**
 * V-SKNN (Ludewig & Jannach 2018): the 500 most similar of the 1,000 latest sessions that share a pin, the asking
 * session's pins weighed by linear decay, what they have weighed by idf; where that gives too few, `fallback` goes on.
 */
export function vsknn(fallback: Reference | null): Reference {
  const neighbours = 500
  const sampled = 1_000
  const sessions = new Map<string, { pins: Set<string>; lastMs: number }>()
  const sessionsOf = new Map<string, string[]>()
  return {
    name: fallback === null ? 'V-SKNN' : `V-SKNN, then ${fallback.name}`,
    fold(click) {
      const { sessionId, pinId, atMs } = click
      const session = sessions.get(sessionId) ?? { pins: new Set(), lastMs: atMs }
      sessions.set(sessionId, session)
      session.lastMs = atMs
      if (!session.pins.has(pinId)) {
        session.pins.add(pinId)
        const list = sessionsOf.get(pinId)
        if (list === undefined) sessionsOf.set(pinId, [sessionId])
        else list.push(sessionId)
      }
      fallback?.fold(click)
    },
    rank(question, most) {
      const weights = new Map(question.session.map((pinId, at) => [pinId, (at + 1) / question.session.length]))
      const found = new Set<string>()
      for (const pinId of weights.keys())
        for (const id of (sessionsOf.get(pinId) ?? []).slice(-sampled)) if (id !== question.sessionId) found.add(id)
      const latest = [...found].sort((a, b) => sessions.get(b)!.lastMs - sessions.get(a)!.lastMs).slice(0, sampled)
      const similar = latest
        .map((id) => {
          const { pins } = sessions.get(id)!
          let similarity = 0
          for (const [pinId, weight] of weights) if (pins.has(pinId)) similarity += weight
          return { pins, similarity: similarity / Math.sqrt(pins.size) }
        })
        .sort((a, b) => b.similarity - a.similarity)
        .slice(0, neighbours)
      const scores: Scores = new Map()
      for (const { pins, similarity } of similar)
        for (const pinId of pins) {
          const idf = Math.log(sessions.size / (sessionsOf.get(pinId)?.length ?? 1))
          scores.set(pinId, (scores.get(pinId) ?? 0) + similarity * idf)
        }
      const ranked = best(scores, question, most)
      if (fallback === null || ranked.length >= most) return ranked
      const known = new Set(ranked)
      const more = fallback.rank(question, most + ranked.length).filter((pinId) => !known.has(pinId))
      return [...ranked, ...more].slice(0, most)
    },
  }
}

/** RP3β (Paudel et al. 2016) with α .86 and β .43, from all that the user had, without recency. */
export function rp3beta(alpha = 0.86, beta = 0.43): Reference {
  const pinsOf = new Map<string, Set<string>>()
  const usersOf = new Map<string, Set<string>>()
  const put = (map: Map<string, Set<string>>, key: string, value: string): void => {
    const set = map.get(key)
    if (set === undefined) map.set(key, new Set([value]))
    else set.add(value)
  }
  return {
    name: `RP3β ${alpha}/${beta}`,
    fold({ userId, pinId }) {
      put(pinsOf, userId, pinId)
      put(usersOf, pinId, userId)
    },
    rank(question, most) {
      const scores: Scores = new Map()
      for (const pinId of new Set(question.history)) {
        const users = usersOf.get(pinId)
        if (users === undefined) continue
        const perUser = (1 / users.size) ** alpha
        for (const user of users) {
          const pins = pinsOf.get(user)!
          const perPin = perUser * (1 / pins.size) ** alpha
          for (const other of pins) scores.set(other, (scores.get(other) ?? 0) + perPin)
        }
      }
      for (const [pinId, score] of scores) scores.set(pinId, score / (usersOf.get(pinId)?.size ?? 1) ** beta)
      return best(scores, question, most)
    },
  }
}
