import type { Metrics } from '@freshet/service/metrics'
import type { Pin2VecJob } from './pin2vec-job.ts'

/** Sets the gauges of the job before every scrape. */
export function observePin2Vec(job: Pin2VecJob, metrics: Metrics): void {
  const service = 'trainer'
  const lag = metrics.gauge('freshet_view_lag_records')
  const rows = metrics.gauge('freshet_view_rows')
  const bytes = metrics.gauge('freshet_view_bytes')
  const rejected = metrics.gauge('freshet_view_rejected_records')
  metrics.beforeScrape(
    async () => lag.set({ service }, await job.lag()),
    () => lag.set({ service }, NaN),
  )
  metrics.beforeScrape(() => {
    const stats = job.stats()
    rows.set({ service, view: 'embeddings' }, stats.pins)
    bytes.set({ service, view: 'embeddings' }, stats.bytes)
    rejected.set({ service, reason: 'CODEC_INVALID' }, stats.rejected)
  })
}
