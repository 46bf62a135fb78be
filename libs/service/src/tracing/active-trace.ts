import { AsyncLocalStorage } from 'node:async_hooks'
import type { TraceHeaders, TraceIds } from '@freshet/domain/tracing'

const storage = new AsyncLocalStorage<TraceIds>()
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

/** Runs something with this trace as the active one, across everything that it waits for. */
export function runInTrace<Result>(trace: TraceHeaders, work: () => Result): Result {
  const ids = traceIds(trace)
  return ids === null ? work() : storage.run(ids, work)
}

/** Milliseconds since the epoch, with fractions. */
export function spanTimeMs(): number {
  return performance.timeOrigin + performance.now()
}

/** The trace that the caller works for; null: none. */
export function activeTrace(): TraceIds | null {
  return storage.getStore() ?? null
}
