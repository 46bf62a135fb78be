import type { Alert } from './alert.ts'
import { grew } from './slos.ts'

/** Objectives without a budget: nothing may be lost, and models must be young and see what they learned from. */
export const objectiveAlerts: readonly Alert[] = [
  {
    name: 'FreshetEventsLost',
    expr: 'freshet:lost_events:increase1h > 0',
    severity: 'page',
    summary: '{{ $value | humanize }} events were lost or cannot be accounted for in the last hour',
    runbook: 'events-lost',
    panel: ['freshet-overview', 'Lost or unaccounted events'],
  },
  {
    name: 'FreshetModelOld',
    expr: 'max by (namespace, release) (freshet_ranking_model_age_seconds) > 3 * 86400',
    for: '15m',
    severity: 'ticket',
    summary: 'the newest ranking model was trained {{ $value | humanizeDuration }} ago',
    runbook: 'model-age',
    panel: ['freshet-overview', 'Age of the newest model'],
  },
  {
    name: 'FreshetModelMissing',
    // NaN is the only value that is not equal to itself: the trainer has no model yet.
    expr: 'freshet_ranking_model_age_seconds != freshet_ranking_model_age_seconds',
    for: '1d',
    severity: 'ticket',
    summary: 'the trainer has published no ranking model for a day',
    runbook: 'model-age',
    panel: ['freshet-overview', 'Age of the newest model'],
  },
  {
    name: 'FreshetFeatureDrift',
    expr: 'max by (namespace, release, check) (freshet_ranker_health_crossed{check=~"missing|frequent|drift"}) > 0',
    for: '1h',
    severity: 'ticket',
    summary: '{{ $value }} features crossed the threshold of {{ $labels.check }}: serving differs from training',
    runbook: 'feature-drift',
    panel: ['freshet-models', 'Features beyond a threshold'],
  },
]

/** A process that comes back after retention counts its losses at once: its series begins with them. */
const lostIn = (selector: string): string => `(${grew(selector, '1h')} or 0 * freshet:processes:count)`

/** What `FreshetEventsLost` adds up: each counter covers one part of the way of an event, see the README. */
export const objectiveRecordings = [
  {
    record: 'freshet:processes:count',
    expr: 'count by (namespace, release) (freshet_service_ready)',
  },
  {
    record: 'freshet:lost_events:increase1h',
    expr: [
      'freshet_ingest_log_lost_records_total',
      'freshet_connector_events_total{outcome="lost"}',
      'freshet_updater_unaccounted_records_total',
      'freshet_updater_records_total{outcome="lost"}',
    ]
      .map(lostIn)
      .join('\n+ '),
  },
]
