import { histogramOf, parseMetrics, sumOf, sumsBy, type Histogram, type Series } from './metrics-text.ts'

/** A process whose operations server is asked. */
export interface ServiceAddress {
  readonly name: string
  /** URL of its operations server. */
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
export function askServices(services: readonly ServiceAddress[]): Promise<readonly ServiceReport[]> {
  return Promise.all(services.map(askService))
}

async function askService({ name, operations }: ServiceAddress): Promise<ServiceReport> {
  const [health, series] = await Promise.all([askHealth(operations), readSeries(operations)])
  return { name, operations, ...health, sample: series === null ? null : sampleOf(series) }
}

/** The metrics of a process; null: they cannot be read. */
export async function readSeries(operations: string): Promise<readonly Series[] | null> {
  try {
    const response = await fetch(new URL('/metrics', operations), { signal: AbortSignal.timeout(timeoutMs) })
    return response.ok ? parseMetrics(await response.text()) : null
  } catch {
    return null
  }
}

async function askHealth(operations: string): Promise<Pick<ServiceReport, 'state' | 'version' | 'reasons'>> {
  try {
    const response = await fetch(new URL('/readyz', operations), { signal: AbortSignal.timeout(timeoutMs) })
    const body = (await response.json()) as { readonly version?: unknown; readonly reasons?: unknown }
    return {
      state: response.ok ? 'ready' : 'unready',
      version: typeof body.version === 'string' ? body.version : '',
      reasons: Array.isArray(body.reasons) ? body.reasons.map(String) : [],
    }
  } catch (error) {
    return { state: 'down', version: '', reasons: [whyDown(error as Error, operations)] }
  }
}

function whyDown({ name, message, cause }: Error, operations: string): string {
  if (name === 'TimeoutError') return `${operations} did not answer within ${timeoutMs / 1000} s`
  const { code = '', message: inner = '' } = (cause ?? {}) as { readonly code?: string; readonly message?: string }
  return `${operations} does not answer: ${inner || code || message}`
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
