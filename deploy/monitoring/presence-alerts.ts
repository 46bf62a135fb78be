import type { Alert } from './alert.ts'

/** A service and a series that each of its processes has. */
interface Presence {
  readonly alert: string
  readonly service: string
  readonly series: string
  readonly severity: Alert['severity']
  readonly means: string
}

const view = (service: string): string => `freshet_view_lag_records{service="${service}"}`

const presences: readonly Presence[] = [
  {
    alert: 'FreshetIngestGone',
    service: 'event-ingest',
    series: 'freshet_ingest_in_flight_bytes',
    severity: 'page',
    means: 'nobody accepts events',
  },
  {
    alert: 'FreshetUpdaterGone',
    service: 'feature-updater',
    series: 'freshet_updater_lag_records',
    severity: 'page',
    means: 'events are kept in the log, and feeds do not reflect them',
  },
  {
    alert: 'FreshetCandidateServiceGone',
    service: 'candidate-service',
    series: view('candidate-service'),
    severity: 'page',
    means: 'feeds are the last good ones, or what is popular',
  },
  {
    alert: 'FreshetRankerGone',
    service: 'ranker',
    series: view('ranker'),
    severity: 'page',
    means: 'feeds are in retrieval order',
  },
  {
    alert: 'FreshetBlenderGone',
    service: 'blender',
    series: view('blender'),
    severity: 'page',
    means: 'nobody answers requests for feeds',
  },
  {
    alert: 'FreshetTrainerGone',
    service: 'trainer',
    series: view('trainer'),
    severity: 'ticket',
    means: 'embeddings and models stay as they are',
  },
]

/**
 * One alert for each service, because no other alert fires for a service that reports nothing: all of its processes are
 * gone, or Prometheus does not reach them. A release that reported within the last hour is named. Where none did, the
 * first half fires, so that an alert never depends on what Prometheus remembers.
 */
export const presenceAlerts: readonly Alert[] = presences.map(({ alert, service, series, severity, means }) => ({
  name: alert,
  expr: [
    `absent(present_over_time(${series}[1h]))`,
    'or',
    `(group by (namespace, release) (present_over_time(${series}[1h])) unless group by (namespace, release) (${series}))`,
  ].join('\n'),
  for: '3m',
  severity,
  summary: `no process of ${service} reports metrics: ${means}`,
  runbook: 'service-gone',
  panel: ['freshet-overview', 'Processes'],
  labels: { service },
}))
