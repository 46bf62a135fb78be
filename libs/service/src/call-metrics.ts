import type { TraceHeaders } from '@freshet/domain/tracing'
import type { Metrics } from './metrics.ts'
import { runInTrace } from './tracing/active-trace.ts'

/** Counts and times each call, including the calls on a stream, which gRPC sees as one long call. */
export function callObserver(
  metrics: Metrics,
): (call: string, status: string, ms: number, headers: TraceHeaders) => void {
  const calls = metrics.counter('freshet_calls_total')
  const seconds = metrics.histogram('freshet_call_seconds')
  return (call, status, ms, headers) => {
    calls.inc({ call, status })
    runInTrace(headers, () => seconds.observe({ call }, ms / 1000))
  }
}
