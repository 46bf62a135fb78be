/** How long an action of the user took to reach each place, ms since the action; null: not there yet, or not measured. */
export interface Passage {
  /** Distinguishes passages. */
  readonly id: string
  /** What the user did, e.g. `save`. */
  readonly action: string
  readonly token: string
  readonly acceptedMs: number | null
  readonly featureMs: number | null
  readonly feedMs: number | null
  readonly hasFailed: boolean
}

/** The passages of this visit. */
export interface FreshnessState {
  /** The newest; null: the user did nothing yet. */
  readonly last: Passage | null
  /** How many reached the feed. */
  readonly count: number
  readonly p50Ms: number | null
  readonly p99Ms: number | null
}

/** Measures passages. */
export interface Freshness {
  subscribe(listener: () => void): () => void
  read(): FreshnessState
  begin(id: string, action: string): void
  /** Adds what became known of a passage. */
  note(id: string, part: Partial<Omit<Passage, 'id' | 'action'>>): void
}

const maxKept = 1_000

/** Makes the measurements of a visit. */
export function createFreshness(): Freshness {
  const listeners = new Set<() => void>()
  const totals: number[] = []
  const counted = new Set<string>()
  let state: FreshnessState = { last: null, count: 0, p50Ms: null, p99Ms: null }
  const change = (next: FreshnessState): void => {
    state = next
    for (const listener of listeners) listener()
  }
  return {
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    read: () => state,
    begin(id, action) {
      const last = { id, action, token: '', acceptedMs: null, featureMs: null, feedMs: null, hasFailed: false }
      change({ ...state, last })
    },
    note(id, part) {
      if (part.feedMs !== undefined && part.feedMs !== null && !counted.has(id)) {
        counted.add(id)
        totals.push(part.feedMs)
        if (totals.length > maxKept) totals.shift()
      }
      const last = state.last?.id === id ? { ...state.last, ...part } : state.last
      change({ last, count: counted.size, p50Ms: percentile(totals, 0.5), p99Ms: percentile(totals, 0.99) })
    },
  }
}

/** The value that a share of the values does not exceed (nearest rank); null: there are none. */
export function percentile(values: readonly number[], share: number): number | null {
  if (values.length === 0) return null
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!
}

/** Milliseconds for a person: one decimal below 10. */
export function formatMs(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`
}
