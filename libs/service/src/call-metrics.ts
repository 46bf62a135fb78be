import type { Metrics } from './metrics.ts'

/** Counts and times each call, including the calls on a stream, which gRPC sees as one long call. */
export function callObserver(metrics: Metrics): (call: string, status: string, ms: number) => void {
  const calls = metrics.counter('freshet_calls_total')
  const seconds = metrics.histogram('freshet_call_seconds')
  return (call, status, ms) => {
    calls.inc({ call, status })
    seconds.observe({ call }, ms / 1000)
  }
}
