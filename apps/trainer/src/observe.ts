import type { Metrics } from '@freshet/service/metrics'
import type { Trainer } from './trainer.ts'

/** Sets the gauges of the trainer before every scrape. */
export function observe(trainer: Trainer, metrics: Metrics): void {
  const service = 'trainer'
  const lag = metrics.gauge('freshet_view_lag_records')
  const rows = metrics.gauge('freshet_view_rows')
  const bytes = metrics.gauge('freshet_view_bytes')
  const rejected = metrics.gauge('freshet_view_rejected_records')
  metrics.beforeScrape(
    async () => lag.set({ service }, await trainer.lag()),
    () => lag.set({ service }, NaN),
  )
  metrics.beforeScrape(() => {
    const stats = trainer.stats()
    rows.set({ service, view: 'embeddings' }, stats.pins)
    bytes.set({ service, view: 'embeddings' }, stats.bytes)
    rejected.set({ service, reason: 'CODEC_INVALID' }, stats.rejected)
  })
}
