import type { Metrics } from '@freshet/service/metrics'
import type { RunningCandidateService } from './candidate-service.ts'

/** Sets the gauges of the views before every scrape. */
export function observe(service: RunningCandidateService, metrics: Metrics): void {
  const lag = metrics.gauge('freshet_view_lag_records')
  const rows = metrics.gauge('freshet_view_rows')
  const bytes = metrics.gauge('freshet_view_bytes')
  const rejected = metrics.gauge('freshet_view_rejected_records')
  metrics.beforeScrape(async () => {
    lag.set({ service: 'candidate-service' }, await service.lag())
    const stats = service.stats()
    rows.set({ service: 'candidate-service', view: 'pins' }, stats.pins)
    rows.set({ service: 'candidate-service', view: 'sessions' }, stats.sessions)
    for (const [view, size] of Object.entries(stats.bytes)) bytes.set({ service: 'candidate-service', view }, size)
    for (const [reason, count] of Object.entries(stats.rejected))
      rejected.set({ service: 'candidate-service', reason }, count)
  })
}
