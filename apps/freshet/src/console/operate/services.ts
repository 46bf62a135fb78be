import type { IncomingMessage } from 'node:http'
import { json, text } from 'node:stream/consumers'
import { ConsoleError } from '../errors.ts'
import { callUpstream } from '../proxy/call.ts'
import type { Connections } from '../proxy/upstreams.ts'
import { histogramOf, parseMetrics, sumOf, sumsBy, type Histogram, type Series } from './metrics-text.ts'

/** A process whose operations server is asked. */
export interface ServiceAddress {
  readonly name: string
  /** URL of its operations server, without a slash at the end. */
  readonly operations: string
}

/** What a process says about itself. */
export interface ServiceReport {
  readonly name: string
  readonly operations: string
  /** `down`: it does not answer. `unready`: it answers, and says why it takes no traffic. */
  readonly state: 'ready' | 'unready' | 'down'
  readonly version: string
  /** Why it is not ready, or warnings of a ready one. */
  readonly reasons: readonly string[]
  /** null: its metrics cannot be read. */
  readonly sample: ServiceSample | null
}

/** Counts since the start of a process. Rates are the differences of two samples. */
export interface ServiceSample {
  readonly startedAtMs: number | null
  readonly memoryBytes: number | null
  readonly heapBytes: number | null
  readonly cpuSeconds: number | null
  /** The 99th percentile of the delay of its event loop, milliseconds. */
  readonly eventLoopP99Ms: number | null
  /** Waiting records by reader. */
  readonly lag: Readonly<Record<string, number>>
  /** Events by outcome: `accepted` or a code. */
  readonly events: Readonly<Record<string, number>>
  /** Answered feeds by degradation. */
  readonly feeds: Readonly<Record<string, number>>
  readonly feedSeconds: Histogram | null
  /** From the acknowledgement of a canary event until its state was readable. */
  readonly freshnessSeconds: Histogram | null
  /** Folded records of the first stage by outcome. */
  readonly records: Readonly<Record<string, number>>
  readonly failingPartitions: number | null
  /** Refused because too many requests were under way. */
  readonly shed: number | null
  /** Errors that did not end the process, the most frequent first. */
  readonly errors: readonly {
    readonly part: string
    readonly code: string
    readonly outcome: string
    readonly count: number
  }[]
}

const timeoutMs = 1_500
const maxErrors = 20

/** Asks each process whether it is ready and for its metrics. Never throws: a process that does not answer is `down`. */
export function askServices(
  services: readonly ServiceAddress[],
  connections: Connections,
): Promise<readonly ServiceReport[]> {
  return Promise.all(services.map((service) => askService(service, connections)))
}

async function askService(service: ServiceAddress, connections: Connections): Promise<ServiceReport> {
  const [health, series] = await Promise.all([askHealth(service, connections), readSeries(service, connections)])
  return { ...service, ...health, sample: series === null ? null : sampleOf(series) }
}

/** The metrics of a process; null: they cannot be read. */
export async function readSeries(service: ServiceAddress, connections: Connections): Promise<readonly Series[] | null> {
  try {
    const answer = await ask(service, connections, '/metrics')
    const content = await text(answer)
    return isSuccess(answer) ? parseMetrics(content) : null
  } catch {
    return null
  }
}

async function askHealth(
  service: ServiceAddress,
  connections: Connections,
): Promise<Pick<ServiceReport, 'state' | 'version' | 'reasons'>> {
  try {
    const answer = await ask(service, connections, '/readyz')
    const body = (await json(answer)) as { readonly version?: unknown; readonly reasons?: unknown }
    return {
      state: isSuccess(answer) ? 'ready' : 'unready',
      version: typeof body.version === 'string' ? body.version : '',
      reasons: Array.isArray(body.reasons) ? body.reasons.map(String) : [],
    }
  } catch (error) {
    const { message } = error as Error
    const why = error instanceof ConsoleError ? message : `${service.operations} does not answer: ${message}`
    return { state: 'down', version: '', reasons: [why] }
  }
}

/** Silence ends a call after `timeoutMs`, and an answer that goes on for long after twice that. */
function ask({ name, operations }: ServiceAddress, connections: Connections, path: string): Promise<IncomingMessage> {
  return callUpstream(
    connections,
    { name, url: operations },
    { ...{ method: 'GET', path, headers: {}, body: null }, timeoutMs, signal: AbortSignal.timeout(2 * timeoutMs) },
  )
}

function isSuccess({ statusCode = 500 }: IncomingMessage): boolean {
  return statusCode >= 200 && statusCode < 300
}

/** The figures of a process that the page shows. */
function sampleOf(series: readonly Series[]): ServiceSample {
  const started = sumOf(series, 'process_start_time_seconds')
  const loop = sumOf(series, 'nodejs_eventloop_lag_p99_seconds')
  const views = sumsBy(series, 'freshet_view_lag_records', 'service')
  const updater = sumOf(series, 'freshet_updater_lag_records')
  const joiner = sumOf(series, 'freshet_joiner_lag_records')
  const answers = sumsBy(series, 'freshet_feed_answers_total', 'degradation')
  return {
    startedAtMs: started === null ? null : 1_000 * started,
    memoryBytes: sumOf(series, 'process_resident_memory_bytes'),
    heapBytes: sumOf(series, 'nodejs_heap_size_used_bytes'),
    cpuSeconds: sumOf(series, 'process_cpu_seconds_total'),
    eventLoopP99Ms: loop === null ? null : 1_000 * loop,
    lag: {
      ...(updater === null ? {} : { 'feature-updater': updater }),
      ...views,
      ...(joiner === null ? {} : { joiner }),
    },
    events: sumsBy(series, 'freshet_ingest_events_total', 'outcome'),
    feeds: Object.fromEntries(
      Object.entries(answers).map(([name, count]) => [name.replace('DEGRADATION_', ''), count]),
    ),
    feedSeconds: histogramOf(series, 'freshet_feed_answer_seconds'),
    freshnessSeconds: histogramOf(series, 'freshet_updater_canary_seconds', { stage: 'user' }),
    records: sumsBy(
      series.filter(({ labels }) => labels['stage'] === 'user'),
      'freshet_updater_records_total',
      'outcome',
    ),
    failingPartitions: sumOf(series, 'freshet_updater_failing_partitions'),
    shed: sumOf(series, 'freshet_feed_shed_total'),
    errors: series
      .filter(({ name, value }) => name === 'freshet_errors_total' && value > 0)
      .map(({ labels: { part = '', code = '', outcome = '' }, value: count }) => ({ part, code, outcome, count }))
      .toSorted((a, b) => b.count - a.count)
      .slice(0, maxErrors),
  }
}
