import { accessErrorCatalogue } from '@freshet/access/errors'
import { errorCatalogue } from '@freshet/contracts/errors'
import { ingestProblems } from '@freshet/contracts/json/problems'
import type { ErrorKind } from '@freshet/domain/coded-error'

/** Rules and panels keep these labels of the scrape: a release of the chart is one installation of Freshet. */
export const groupLabels = ['namespace', 'release'] as const

/** `sum by (namespace, release) (…)`. */
export function summed(expression: string): string {
  return `sum by (${groupLabels.join(', ')}) (${expression})`
}

/** A series that Prometheus did not read for this long counts as new. */
const longestOutage = '6h'

/**
 * What a counter grew by in a window. What a process counted that started in it counts whole, and so does a series that began in it, also
 * if an earlier run of the process had one: the process was read at the begin of the window, and the series was not there. If
 * Prometheus read nothing at the begin of the window, the last value before counts: an outage of Prometheus makes old counts neither new
 * nor lost.
 */
export function grew(selector: string, window: string): string {
  const before = `last_over_time(${selector}[${longestOutage}] offset ${window})`
  const onProcess = `on (${[...groupLabels, 'instance'].join(', ')})`
  return summed(
    [
      `increase(${selector}[${window}]) > 0`,
      `(${selector} and ${onProcess} time() - process_start_time_seconds < ${secondsOf(window)}) > 0`,
      `((${selector} unless ${selector} offset ${window}) and ${onProcess} freshet_service_ready offset ${window}) > 0`,
      `${selector} - ${before} > 0`,
      `(${selector} < ${before}) > 0`,
      `(${selector} unless ${before}) > 0`,
    ].join(' or '),
  )
}

const unitSeconds = { m: 60, h: 3_600 } as const

/** The seconds of a time such as `5m` or `1h`. */
function secondsOf(time: string): number {
  return Number.parseInt(time, 10) * unitSeconds[time.at(-1) as keyof typeof unitSeconds]
}

/** An objective for a share of good events. */
export interface Slo {
  /** The value of the label `slo`, and the name of the runbook. */
  readonly id: string
  /** Begins the names of its alerts. */
  readonly alert: string
  /** Share of good events, 0 to 1. */
  readonly objective: number
  /** What counts as a good event, for the README. */
  readonly indicator: string
  readonly why: string
  /** A selector of all events that count, without the range. */
  readonly events: readonly string[]
  /** What selects bad events: a selector of its own, or the good ones of a histogram. */
  readonly bad: { readonly selectors: readonly string[] } | { readonly allBut: readonly string[] }
}

/** The window over which objectives hold. */
export const sloWindowDays = 30

/** The codes of a catalogue for which the caller is not to blame. */
function oursIn(catalogue: Readonly<Record<string, ErrorKind>>): string[] {
  return Object.entries(catalogue).flatMap(([code, { fault }]) => (fault === 'client' ? [] : [code]))
}

/** Prometheus 3 writes the bound 1 of a bucket as `1.0`. */
function bound(le: number): string {
  return Number.isInteger(le) ? `le=~"${le}(\\\\.0)?"` : `le="${le}"`
}

const accessFailures = oursIn(accessErrorCatalogue).filter(
  (code) => accessErrorCatalogue[code as keyof typeof accessErrorCatalogue].http > 0,
)
const ingestFailures = [...oursIn(ingestProblems), ...accessFailures].join('|')
const feedFailures = oursIn(errorCatalogue).join('|')

/** The objectives. The thresholds of histograms are bounds of their buckets. */
export const slos: readonly Slo[] = [
  {
    id: 'ingest-availability',
    alert: 'FreshetIngestAvailability',
    objective: 0.999,
    indicator:
      'Requests to event-ingest that it answered as it should, of all requests for which the caller is not to blame',
    why: 'A client keeps what ingest refuses and sends it again, but a page that is closed loses it',
    events: [`freshet_ingest_requests_total{outcome=~"accepted|rejected|${ingestFailures}"}`],
    bad: { selectors: [`freshet_ingest_requests_total{outcome=~"${ingestFailures}"}`] },
  },
  {
    id: 'freshness',
    alert: 'FreshetFreshness',
    objective: 0.99,
    indicator:
      'Events that are in the state within 1 s of their append to the log, in both stages, canaries not counted',
    why: 'The next feed reads the state: what a user did counts there from then on',
    events: ['freshet_updater_event_seconds_count'],
    bad: { allBut: [`freshet_updater_event_seconds_bucket{${bound(1)}}`] },
  },
  {
    id: 'feed-availability',
    alert: 'FreshetFeedAvailability',
    objective: 0.999,
    indicator:
      'Requests for feeds that got a feed, of all that the blender began to answer and for which the caller is not to blame; prefetches are not counted',
    why: 'The ladder makes a feed even without the other services: no feed means an empty page',
    events: [`freshet_feed_requests_total{kind="request",outcome=~"answered|${feedFailures}"}`],
    bad: { selectors: [`freshet_feed_requests_total{kind="request",outcome=~"${feedFailures}"}`] },
  },
  {
    id: 'feed-latency',
    alert: 'FreshetFeedLatency',
    objective: 0.99,
    indicator: 'Feeds that the blender answered within 250 ms',
    why: 'A feed is the first thing on a page',
    events: ['freshet_feed_answer_seconds_count'],
    bad: { allBut: [`freshet_feed_answer_seconds_bucket{${bound(0.25)}}`] },
  },
  {
    id: 'feed-degradation',
    alert: 'FreshetFeedDegradation',
    objective: 0.99,
    indicator:
      'Answered feeds in which every stage took part (`DEGRADATION_NONE`, or `DEGRADATION_EXHAUSTED`: the user has seen every pin)',
    why: 'A degraded feed is there, but it is a worse one',
    events: ['freshet_feed_answers_total'],
    bad: { selectors: ['freshet_feed_answers_total{degradation!~"DEGRADATION_NONE|DEGRADATION_EXHAUSTED"}'] },
  },
]

/** A rule of the rule file. */
export interface RecordingRule {
  readonly record: string
  readonly expr: string
  readonly labels?: Readonly<Record<string, string>>
}

/** The windows of burn rates, and the one of the objective. The long ones change slowly and read many samples. */
const shortWindows = ['5m', '30m', '1h', '2h', '6h'] as const
const longWindows = ['1d', '3d', `${sloWindowDays}d`] as const

const rate = (selector: string): string => summed(`rate(${selector}[5m])`)
const all = (selectors: readonly string[]): string => selectors.map(rate).join(' + ')

/** Events, bad events, and the share of bad ones in short windows, which come from the recorded rates: these are few. */
export function sloRecordings(slo: Slo): readonly RecordingRule[] {
  const { id, events, bad } = slo
  const labels = { slo: id }
  const total = all(events)
  // A counter of failures that has never been counted does not exist: 0 then.
  const badEvents = 'allBut' in bad ? `(${total}) - (${all(bad.allBut)})` : `(${all(bad.selectors)}) or 0 * (${total})`
  return [
    { record: 'freshet:slo_events:rate5m', expr: total, labels },
    { record: 'freshet:slo_bad_events:rate5m', expr: badEvents, labels },
    ...shortWindows.map((window) => ratioRecording(slo, window)),
  ]
}

/** The share of bad events in long windows, and what is left of the budget. */
export function longSloRecordings(slo: Slo): readonly RecordingRule[] {
  const { id, objective } = slo
  return [
    ...longWindows.map((window) => ratioRecording(slo, window)),
    {
      record: 'freshet:slo_error_budget_remaining:ratio',
      expr: `1 - freshet:slo_error_ratio:avg${sloWindowDays}d{slo="${id}"} / ${budgetOf(objective)}`,
      labels: { slo: id },
    },
  ]
}

function ratioRecording({ id }: Slo, window: string): RecordingRule {
  const average = (name: string): string => `avg_over_time(freshet:${name}:rate5m{slo="${id}"}[${window}])`
  return {
    record: `freshet:slo_error_ratio:avg${window}`,
    expr: `${average('slo_bad_events')} / (${average('slo_events')} > 0)`,
    labels: { slo: id },
  }
}

/** The share of events that may be bad. */
export function budgetOf(objective: number): number {
  return Number((1 - objective).toFixed(6))
}
