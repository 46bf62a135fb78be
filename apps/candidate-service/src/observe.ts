import { SourceStatus, type RetrieveResponse } from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import type { LogBatch } from '@freshet/contracts/ports/event-log'
import type { Clock } from '@freshet/domain/clock'
import type { RetrievedCandidates } from '@freshet/retrieval/question'
import type { Logger } from '@freshet/service/logging'
import type { Metrics } from '@freshet/service/metrics'
import type { Report } from '@freshet/service/reporting'
import type { CandidateServiceEvent, RunningCandidateService } from './candidate-service.ts'

/** Sets the gauges of the views before every scrape. */
export function observe(service: RunningCandidateService, metrics: Metrics): void {
  const lag = metrics.gauge('freshet_view_lag_records')
  const rows = metrics.gauge('freshet_view_rows')
  const bytes = metrics.gauge('freshet_view_bytes')
  const rejected = metrics.gauge('freshet_view_rejected_records')
  metrics.beforeScrape(
    async () => lag.set({ service: 'candidate-service' }, await service.lag()),
    () => lag.set({ service: 'candidate-service' }, NaN),
  )
  metrics.beforeScrape(() => {
    const stats = service.stats()
    rows.set({ service: 'candidate-service', view: 'pins' }, stats.pins)
    rows.set({ service: 'candidate-service', view: 'sessions' }, stats.sessions)
    for (const [view, size] of Object.entries(stats.bytes)) bytes.set({ service: 'candidate-service', view }, size)
    for (const [reason, count] of Object.entries(stats.rejected))
      rejected.set({ service: 'candidate-service', reason }, count)
  })
}

/** How long engagements took until the views had them, and when the views were last written to a snapshot: for `createCandidateService`. */
export function viewInstruments(
  metrics: Metrics,
  clock: Pick<Clock, 'now'>,
  { writesSnapshots }: { readonly writesSnapshots: boolean },
): { readonly onFolded: (batch: LogBatch) => void; readonly onViewEvent: (event: CandidateServiceEvent) => void } {
  const service = 'candidate-service'
  const seconds = metrics.histogram('freshet_view_event_seconds').labels({ service })
  const startedAtMs = clock.now()
  const noteSnapshot = (): void =>
    metrics.gauge('freshet_view_snapshot_timestamp_seconds').set({ service }, clock.now() / 1000)
  if (writesSnapshots) noteSnapshot()
  return {
    onFolded({ topic, records }) {
      if (topic !== 'engagements.v1') return
      const nowMs = clock.now()
      for (const { appendedAtMs } of records)
        if (appendedAtMs >= startedAtMs) seconds.observe(Math.max(0, nowMs - appendedAtMs) / 1000)
    },
    onViewEvent({ kind }) {
      if (kind === 'snapshot-written') noteSnapshot()
    },
  }
}

const outcomes: Readonly<Record<number, string>> = {
  [SourceStatus.ANSWERED]: 'answered',
  [SourceStatus.EMPTY]: 'empty',
  [SourceStatus.TIMED_OUT]: 'timed-out',
  [SourceStatus.FAILED]: 'failed',
}

/** Records the status and the duration of each source of every answer. */
export function sourceObserver(
  metrics: Metrics,
): (response: RetrieveResponse, times: RetrievedCandidates['times']) => void {
  const sources = metrics.counter('freshet_sources_total')
  const seconds = metrics.histogram('freshet_source_seconds')
  return (response, times) => {
    for (const { source, status } of response.sources) sources.inc({ source, outcome: outcomes[status] ?? 'failed' })
    for (const { name, ms } of times) seconds.observe({ source: name }, ms / 1000)
  }
}

/** Logs events for operators. */
export function eventReporter(logger: Logger, report: Report): (event: CandidateServiceEvent) => void {
  return (event) => {
    if (event.kind === 'reader-error') report(event.error, { part: 'views', ...event.at })
    else if (event.kind === 'snapshot-failed') report(event.error, { part: 'snapshot', outcome: 'retried' })
    else if (event.kind === 'snapshot-unusable') report(event.error, { part: 'snapshot', outcome: 'left-out' })
    else logger.info({ bytes: event.bytes }, event.kind)
  }
}
