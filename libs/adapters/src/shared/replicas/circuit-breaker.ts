/**
 * - closed: calls go through.
 * - open: calls are not sent, because the target failed too often in a row.
 * - half-open: one call at a time finds out whether the target works again.
 */
export type BreakerState = 'closed' | 'open' | 'half-open'

/** Keeps calls away from a target that fails. */
export interface CircuitBreaker {
  readonly state: BreakerState
  /** Whether a call may be sent now, without sending one. */
  allows(): boolean
  /** When it half opens, if it is open; milliseconds of the clock. */
  readonly halfOpensAtMs: number
  /** Begins a call; the caller reports its end. */
  begin(): void
  succeeded(): void
  failed(): void
  /** The call ended without a verdict: its caller gave up. */
  abandoned(): void
}

/** Settings of a breaker. */
interface BreakerOptions {
  /** Failures in a row that open it. */
  readonly maxFailures: number
  /** It stays open for this long, then half opens; milliseconds. The time doubles with each failed probe, up to `maxOpenMs`. */
  readonly openMs: number
  readonly maxOpenMs: number
  readonly nowMs: () => number
  /** Called after each change of state. */
  readonly onState?: (state: BreakerState) => void
}

/** A closed breaker. */
export function createCircuitBreaker(options: BreakerOptions): CircuitBreaker {
  const { maxFailures, maxOpenMs, nowMs, onState } = options
  let state: BreakerState = 'closed'
  let failures = 0
  let openMs = options.openMs
  let opensAgainAtMs = 0
  let probing = false

  function enter(next: BreakerState): void {
    if (next === state) return
    state = next
    onState?.(next)
  }

  function open(): void {
    opensAgainAtMs = nowMs() + openMs
    openMs = Math.min(maxOpenMs, openMs * 2)
    enter('open')
  }

  return {
    get state() {
      return state
    },
    get halfOpensAtMs() {
      return opensAgainAtMs
    },
    allows: () => (state === 'open' ? nowMs() >= opensAgainAtMs : state === 'closed' || !probing),
    begin() {
      if (state === 'closed') return
      enter('half-open')
      probing = true
    },
    succeeded() {
      probing = false
      failures = 0
      openMs = options.openMs
      enter('closed')
    },
    failed() {
      probing = false
      failures++
      // Calls that were under way when it opened change nothing.
      if (state === 'half-open' || (state === 'closed' && failures >= maxFailures)) open()
    },
    abandoned() {
      probing = false
    },
  }
}
