import { AsyncLocalStorage } from 'node:async_hooks'
import type { TraceHeaders, TraceIds } from '@freshet/domain/tracing'

/** A trace and whether the work that it was opened for still runs. */
interface Scope {
  readonly ids: TraceIds
  isOpen: boolean
}

const storage = new AsyncLocalStorage<Scope>()
const form = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/

/** The ids in `traceparent`; null: there is none, or it is not valid. */
export function traceIds({ traceparent }: TraceHeaders): TraceIds | null {
  if (traceparent === undefined) return null
  const [, traceId, spanId, flags] = form.exec(traceparent) ?? []
  if (traceId === undefined || spanId === undefined || flags === undefined) return null
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return null
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 }
}

/** The trace of a caller whose own decision does not count. `isRecorded`: the decision of Freshet. */
export function decidedAnew(trace: TraceHeaders, isRecorded: () => boolean): TraceHeaders {
  const ids = traceIds(trace)
  if (ids === null) return trace
  const flags = isRecorded() ? '01' : '00'
  return Object.freeze({ ...trace, traceparent: `00-${ids.traceId}-${ids.spanId}-${flags}` })
}

/**
 * Runs something with this trace as the active one, across everything that it waits for. What it began and did not wait for, such as
 * a timer, has no trace once it has ended: Node hands the context of a request on to its timers, however long they live.
 */
export function runInTrace<Result>(trace: TraceHeaders, work: () => Result): Result {
  const ids = traceIds(trace)
  if (ids === null) return work()
  const scope: Scope = { ids, isOpen: true }
  const end = (): void => void (scope.isOpen = false)
  let isWaiting = false
  try {
    const result = storage.run(scope, work)
    if (result instanceof Promise) {
      isWaiting = true
      result.then(end, end)
    }
    return result
  } finally {
    if (!isWaiting) end()
  }
}

/** Milliseconds since the epoch, with fractions. */
export function spanTimeMs(): number {
  return performance.timeOrigin + performance.now()
}

/** The trace that the caller works for; null: none. */
export function activeTrace(): TraceIds | null {
  const scope = storage.getStore()
  return scope?.isOpen === true ? scope.ids : null
}
