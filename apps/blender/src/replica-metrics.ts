import type { ReplicaEvent, ResilienceOptions } from '@freshet/adapters/shared/replicas/replicated-call'
import type { CallConfig } from '@freshet/adapters/settings'
import type { Metrics } from '@freshet/service/metrics'

const stateNumbers = { closed: 0, 'half-open': 1, open: 2 } as const

/** How the blender calls the replicas of a service, with metrics of what it does beside the first call. */
export function resilienceOf(
  service: 'candidate-service' | 'ranker',
  { extraCallShare: extraShare, minHedgeMs, breakerFailures, breakerOpenMs }: CallConfig,
  metrics: Metrics,
): ResilienceOptions {
  const extra = metrics.counter('freshet_call_extra_total')
  const breaker = metrics.gauge('freshet_call_breaker')
  const onEvent = (event: ReplicaEvent): void => {
    if (event.kind === 'breaker') breaker.set({ service, replica: event.replica }, stateNumbers[event.state])
    else extra.inc({ service, kind: event.kind })
  }
  return { extraShare, minHedgeMs, breakerFailures, breakerOpenMs, onEvent }
}
