import { ContractError, isContractError } from '@freshet/contracts/errors'
import type { CallOptions } from '@freshet/contracts/ports/calls'
import { createCircuitBreaker, type BreakerState, type CircuitBreaker } from './circuit-breaker.ts'
import { createRecentQuantile } from './recent-quantile.ts'
import { createRetryBudget } from './retry-budget.ts'

/** A function that calls one replica of a service. */
type ReplicaCall<Request, Response> = (request: Request, options: CallOptions) => Promise<Response>

/** A replica of a service. */
interface Replica<Request, Response> {
  /** Its address. */
  readonly name: string
  readonly call: ReplicaCall<Request, Response>
}

/** What happened to a call beside its answer. */
export type ReplicaEvent =
  | { readonly kind: 'hedged' | 'retried' | 'out-of-budget'; readonly replica: string }
  | { readonly kind: 'breaker'; readonly replica: string; readonly state: BreakerState }

/** Settings of replicated calls. */
export interface ResilienceOptions {
  /** Extra calls as a share of all calls: hedges at most this share, and retries at most this share. */
  readonly extraShare: number
  /** A call without an answer is hedged after the 95th percentile of recent calls, but not before this; milliseconds. */
  readonly minHedgeMs: number
  /** Failures in a row that open a replica's breaker. */
  readonly breakerFailures: number
  /** A breaker stays open for this long at first, milliseconds. */
  readonly breakerOpenMs: number
  readonly onEvent?: (event: ReplicaEvent) => void
}

/** Monotonic time and timers. */
interface CallClock {
  nowMs(): number
  after(ms: number, callback: () => void): () => void
}

const hedgeQuantile = 0.95
const hedgeBurst = 20
/** A replica that dies fails all its calls that are under way, and all of them are sent again. */
const retryBurst = 100
const longestOpenMs = 1_000

interface Target<Request, Response> extends Replica<Request, Response> {
  readonly breaker: CircuitBreaker
}

/**
 * Calls the replicas of a service in turn; only for calls that may be sent twice. A call that fails is sent to another replica, and a
 * call that is slower than usual is sent to another replica too; the first answer counts, and the other call is cancelled. Both kinds of extra
 * calls are bounded, each by a budget of its own, so that hedges on a busy machine leave room for retries. A replica that fails, or is
 * slower than the other one, again and again gets no calls, apart from a probe now and then; if no replica is left, one
 * call at a time probes, and the others reject at once with CALL_UNAVAILABLE.
 */
export function createReplicatedCall<Request, Response>(
  replicas: readonly Replica<Request, Response>[],
  options: ResilienceOptions,
  clock: CallClock,
): ReplicaCall<Request, Response> {
  const { extraShare, minHedgeMs, breakerFailures: maxFailures, breakerOpenMs: openMs, onEvent } = options
  const budgets = {
    hedged: createRetryBudget({ share: extraShare, burst: hedgeBurst }),
    retried: createRetryBudget({ share: extraShare, burst: retryBurst }),
  }
  const usual = createRecentQuantile(hedgeQuantile)
  // Where no other replica can answer, a longer pause would only delay the recovery.
  const maxOpenMs = replicas.length === 1 ? openMs : Math.max(openMs, longestOpenMs)
  const targets: readonly Target<Request, Response>[] = replicas.map((replica) => {
    const onState = (state: BreakerState) => onEvent?.({ kind: 'breaker', replica: replica.name, state })
    const nowMs = () => clock.nowMs()
    return { ...replica, breaker: createCircuitBreaker({ maxFailures, openMs, maxOpenMs, nowMs, onState }) }
  })
  let turn = 0

  function nextTarget(start: number, tried: ReadonlySet<Target<Request, Response>>): Target<Request, Response> | null {
    for (let i = 0; i < targets.length; i++) {
      const target = targets[(start + i) % targets.length]!
      if (!tried.has(target) && target.breaker.allows()) return target
    }
    return null
  }

  /**
   * If no breaker lets a call through, it probes the one that half opens next: a replica that was away may be back, while the others
   * have just gone. One call at a time does. A hedge does not: its first call may still be answered.
   */
  function nextToHalfOpen(tried: ReadonlySet<Target<Request, Response>>): Target<Request, Response> | null {
    if (targets.length === 1) return null
    let next: Target<Request, Response> | null = null
    for (const target of targets) {
      if (tried.has(target) || target.breaker.state !== 'open') continue
      if (next === null || target.breaker.halfOpensAtMs < next.breaker.halfOpensAtMs) next = target
    }
    return next
  }

  return (request, call) =>
    new Promise((resolve, reject) => {
      budgets.hedged.earn()
      budgets.retried.earn()
      const startMs = clock.nowMs()
      const tried = new Set<Target<Request, Response>>()
      // Only first calls take turns. Otherwise each call that is sent again would give the next first call to the same replica.
      const start = turn++
      const first = nextTarget(start, tried) ?? nextToHalfOpen(tried)
      const underWay = new Set<AbortController>()
      let settled = false
      let takeBack = () => {}

      const settle = (end: () => void): void => {
        settled = true
        takeBack()
        for (const other of underWay) other.abort(lost)
        end()
      }
      const sendAgain = (kind: 'hedged' | 'retried'): boolean => {
        const target = nextTarget(start, tried) ?? (kind === 'retried' ? nextToHalfOpen(tried) : null)
        if (target === null) return false
        if (!budgets[kind].spend()) {
          onEvent?.({ kind: 'out-of-budget', replica: target.name })
          return false
        }
        onEvent?.({ kind, replica: target.name })
        send(target)
        return true
      }
      const send = (target: Target<Request, Response>): void => {
        tried.add(target)
        const own = new AbortController()
        underWay.add(own)
        const sentMs = clock.nowMs()
        const timeoutMs = call.timeoutMs - (sentMs - startMs)
        const signal = call.signal === undefined ? own.signal : AbortSignal.any([own.signal, call.signal])
        target.breaker.begin()
        target.call(request, { ...call, timeoutMs, signal }).then(
          (response) => {
            underWay.delete(own)
            target.breaker.succeeded()
            usual.add(clock.nowMs() - sentMs)
            if (!settled) settle(() => resolve(response))
          },
          (error: unknown) => {
            underWay.delete(own)
            // The call that was sent first lost to its hedge: this replica was too slow.
            if (own.signal.aborted && target === first) target.breaker.failed()
            else judge(target.breaker, error)
            if (settled || (isOfReplica(error) && sendAgain('retried')) || underWay.size > 0) return
            settle(() => reject(error instanceof Error ? error : new Error(String(error))))
          },
        )
      }

      if (first === null) {
        reject(
          new ContractError('CALL_UNAVAILABLE', `no replica answers: ${targets.map(({ name }) => name).join(', ')}`),
        )
        return
      }
      send(first)
      if (targets.length === 1) return
      const hedgeMs = Math.max(minHedgeMs, usual.value() ?? 0)
      if (hedgeMs >= call.timeoutMs) return
      takeBack = clock.after(hedgeMs, () => {
        if (!settled) sendAgain('hedged')
      })
    })
}

const lost = new ContractError('CALL_CANCELLED', 'another replica answered first')

/** Whether an error says that the replica does not work, so that another one may. */
function isOfReplica(error: unknown): boolean {
  return isContractError(error, 'CALL_UNAVAILABLE') || isContractError(error, 'CALL_TLS_FAILED')
}

function judge(breaker: CircuitBreaker, error: unknown): void {
  if (isContractError(error, 'CALL_CANCELLED')) breaker.abandoned()
  else if (isOfReplica(error) || isContractError(error, 'CALL_DEADLINE_EXCEEDED')) breaker.failed()
  else breaker.succeeded()
}
