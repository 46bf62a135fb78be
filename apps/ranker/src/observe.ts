import type { Metrics } from '@freshet/service/metrics'
import { healthChecks } from './models/health/health.ts'
import type { RunningRanker } from './ranker.ts'

/** Sets the gauges of the views and of the model before every scrape. */
export function observe(ranker: RunningRanker, metrics: Metrics): void {
  const lag = metrics.gauge('freshet_view_lag_records')
  const rows = metrics.gauge('freshet_view_rows')
  const rejected = metrics.gauge('freshet_view_rejected_records')
  const serving = metrics.gauge('freshet_ranker_model')
  const swaps = metrics.gauge('freshet_ranker_model_swaps')
  const refusedModels = metrics.gauge('freshet_ranker_models_refused')
  metrics.beforeScrape(
    async () => lag.set({ service: 'ranker' }, await ranker.lag()),
    () => lag.set({ service: 'ranker' }, NaN),
  )
  metrics.beforeScrape(() => {
    const { version, plan, swapped, refused } = ranker.model()
    serving.reset()
    serving.set({ model: version, plan }, 1)
    swaps.set({ outcome: 'swapped' }, swapped)
    swaps.set({ outcome: 'refused' }, refused)
    refusedModels.set({}, ranker.refusedModels())
  })
  metrics.beforeScrape(() => {
    const stats = ranker.stats()
    rows.set({ service: 'ranker', view: 'pins' }, stats.pins)
    rows.set({ service: 'ranker', view: 'states' }, stats.states)
    rejected.set({ service: 'ranker', reason: 'CAP_REACHED' }, stats.refused)
    for (const [reason, count] of Object.entries(stats.rejected)) rejected.set({ service: 'ranker', reason }, count)
  })
  observeHealth(ranker, metrics)
  observeShadow(ranker, metrics)
}

/** The labels are the features of one model, so that their number is bounded; a model that is replaced takes its own with it. */
function observeHealth(ranker: RunningRanker, metrics: Metrics): void {
  const missing = metrics.gauge('freshet_ranker_feature_missing_ratio')
  const frequent = metrics.gauge('freshet_ranker_feature_frequent_ratio')
  const drift = metrics.gauge('freshet_ranker_feature_drift')
  const mixed = metrics.gauge('freshet_ranker_mixed_pages_ratio')
  const crossed = metrics.gauge('freshet_ranker_health_crossed')
  metrics.beforeScrape(() => {
    for (const gauge of [missing, frequent, drift, mixed, crossed]) gauge.reset()
    const health = ranker.health()
    if (health === null) return
    for (const feature of health.features) {
      const { name } = feature
      missing.set({ feature: name, where: 'serving' }, feature.missing)
      if (feature.trainedMissing !== null) missing.set({ feature: name, where: 'training' }, feature.trainedMissing)
      if (feature.frequent !== null) frequent.set({ feature: name, where: 'serving' }, feature.frequent)
      if (feature.trainedFrequent !== null) frequent.set({ feature: name, where: 'training' }, feature.trainedFrequent)
      if (feature.drift !== null) drift.set({ feature: name }, feature.drift)
    }
    if (health.mixedShare !== null) mixed.set({}, health.mixedShare)
    for (const check of healthChecks) crossed.set({ check }, health.crossed[check].length)
  })
}

function observeShadow(ranker: RunningRanker, metrics: Metrics): void {
  const pages = metrics.gauge('freshet_ranker_shadow_pages')
  const overlap = metrics.gauge('freshet_ranker_shadow_overlap_ratio')
  const correlation = metrics.gauge('freshet_ranker_shadow_rank_correlation')
  const predictions = metrics.gauge('freshet_ranker_shadow_prediction')
  metrics.beforeScrape(() => {
    for (const gauge of [pages, overlap, correlation, predictions]) gauge.reset()
    const shadow = ranker.shadow()
    if (shadow === null) return
    pages.set({ outcome: 'compared' }, shadow.pages)
    pages.set({ outcome: 'failed' }, shadow.failed)
    pages.set({ outcome: 'skipped' }, shadow.skipped)
    if (shadow.overlap !== null) overlap.set({}, shadow.overlap)
    if (shadow.correlation !== null) correlation.set({}, shadow.correlation)
    for (const [head, means] of Object.entries(shadow.predictions)) {
      if (means.serving !== null) predictions.set({ head, model: 'serving' }, means.serving)
      if (means.shadow !== null) predictions.set({ head, model: 'shadow' }, means.shadow)
    }
  })
}
