import {
  collectDefaultMetrics,
  Counter,
  Gauge,
  Histogram,
  Registry,
  type MetricConfiguration,
  type OpenMetricsContentType,
} from 'prom-client'
import {
  metricCatalogue,
  type LabelsOf,
  type MetricName,
  type MetricNameOf,
  type MetricSpec,
} from './metric-catalogue.ts'
import { boundCounter, boundHistogram } from './bound-metrics.ts'
import { activeTrace } from './tracing/active-trace.ts'

/** A process's metrics: those of `metricCatalogue`, created on first use. */
export interface Metrics {
  counter<Name extends MetricNameOf<'counter'>>(name: Name): Counter<LabelsOf<Name>>
  gauge<Name extends MetricNameOf<'gauge'>>(name: Name): Gauge<LabelsOf<Name>>
  histogram<Name extends MetricNameOf<'histogram'>>(name: Name): Histogram<LabelsOf<Name>>
  /**
   * Runs `collect` before every scrape, to set gauges that are expensive to compute. If it fails or takes more than half a
   * second, the scrape continues without it and runs `unknown`, which sets such gauges to NaN: an old value would look current.
   */
  beforeScrape(collect: () => void | Promise<void>, unknown?: () => void): void
  /** Everything in Prometheus's text format. */
  text(): Promise<string>
  /** Everything in the format of OpenMetrics, with exemplars: ids of recorded traces beside the counts of histograms. */
  openMetrics(): Promise<string>
  readonly contentTypes: { readonly text: string; readonly openMetrics: string }
}

/** Creates metrics with their own registry. `runtime`: include those of the Node.js runtime (memory, event loop, garbage collection). */
export function createMetrics(options?: { readonly runtime?: boolean }): Metrics {
  const registry = new Registry()
  // A registry of the plain text format takes no histograms with exemplars, but it shows them.
  const withExemplars = new Registry<OpenMetricsContentType>()
  withExemplars.setContentType(Registry.OPENMETRICS_CONTENT_TYPE)
  if (options?.runtime === true) collectDefaultMetrics({ register: registry })
  const counters = new Map<string, Counter>()
  const gauges = new Map<string, Gauge>()
  const histograms = new Map<string, Histogram>()
  const hooks: Hook[] = []
  const common = (name: MetricName) => {
    const { help, labels }: MetricSpec = metricCatalogue[name]
    return { name, help, labelNames: [...labels], registers: [registry] }
  }

  return {
    counter: (name) =>
      once(counters, name, () => {
        const counter = new Counter(common(name))
        return Object.assign(counter, { labels: (labels: BoundLabels) => boundCounter(counter, labels) })
      }),
    gauge: (name) => once(gauges, name, () => new Gauge(common(name))),
    histogram: (name) =>
      once(histograms, name, () => {
        const { buckets } = metricCatalogue[name]
        const histogram = exemplified({ ...common(name), buckets: [...buckets], registers: [withExemplars] })
        registry.registerMetric(histogram)
        return histogram
      }),
    beforeScrape(collect, unknown = () => undefined) {
      hooks.push({ collect, unknown, underWay: null })
    },
    async text() {
      await Promise.all(hooks.map(collected))
      return registry.metrics()
    },
    async openMetrics() {
      await Promise.all(hooks.map(collected))
      const shown = registry.getMetricsAsArray().map(async (metric) => {
        const { name, type } = metric as unknown as { readonly name: string; readonly type: string }
        if (histograms.has(name)) return withExemplars.getSingleMetricAsString(name)
        const text = await registry.getSingleMetricAsString(name)
        return type === 'counter' ? withoutTotal(text, name) : text
      })
      return `${(await Promise.all(shown)).join('\n')}\n# EOF\n`
    },
    contentTypes: { text: Registry.PROMETHEUS_CONTENT_TYPE, openMetrics: Registry.OPENMETRICS_CONTENT_TYPE },
  }
}

type BoundLabels = Parameters<typeof boundCounter>[1]

/** What prom-client keeps of exemplars. Its types do not name it. */
interface Exemplified {
  observeWithoutExemplar(labels: object, value: number): void
  updateExemplar(labels: object, value: number, exemplar: Readonly<Record<string, string>>): void
}

/** A histogram that keeps the trace of the last value in each bucket, if the trace is recorded. */
function exemplified(config: MetricConfiguration<string> & { readonly buckets: number[] }): Histogram {
  const histogram = new Histogram({ ...config, enableExemplars: true })
  const kept = histogram as unknown as Exemplified
  const addExemplar = (labels: object, seen: number): void => {
    const trace = activeTrace()
    if (trace?.sampled === true) kept.updateExemplar(labels, seen, { trace_id: trace.traceId, span_id: trace.spanId })
  }
  const observe = (given: number | object, value?: number): void => {
    const [labels, seen] = typeof given === 'number' ? [{}, given] : [given, value ?? NaN]
    kept.observeWithoutExemplar(labels, seen)
    addExemplar(labels, seen)
  }
  const startTimer = (labels: object = {}) => {
    const startMs = performance.now()
    return (more: object = {}): number => {
      const seconds = (performance.now() - startMs) / 1000
      observe({ ...labels, ...more }, seconds)
      return seconds
    }
  }
  const labels = (given: BoundLabels) => {
    const add = boundHistogram(histogram, given, (own, seen) => kept.observeWithoutExemplar(own, seen))
    const observeBound = (seen: number): void => {
      add(seen)
      addExemplar(given, seen)
    }
    return {
      observe: observeBound,
      startTimer: () => {
        const startMs = performance.now()
        return () => observeBound((performance.now() - startMs) / 1000)
      },
    }
  }
  return Object.assign(histogram, { observe, startTimer, labels })
}

/** In OpenMetrics a counter is named without `_total`, and its sample with it. */
function withoutTotal(text: string, name: string): string {
  const bare = name.replace(/_total$/, '')
  return text.replace(`# HELP ${name} `, `# HELP ${bare} `).replace(`# TYPE ${name} `, `# TYPE ${bare} `)
}

interface Hook {
  readonly collect: () => void | Promise<void>
  readonly unknown: () => void
  /** A collection that an earlier scrape started and that has not ended: only one runs at a time. */
  underWay: Promise<boolean> | null
}

const longestWaitMs = 500

async function collected(hook: Hook): Promise<void> {
  hook.underWay ??= (async () => hook.collect())().then(
    () => true,
    () => false,
  )
  const { underWay } = hook
  void underWay.then(() => (hook.underWay = null))
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), longestWaitMs)
  })
  if (!(await Promise.race([underWay, late]))) hook.unknown()
  clearTimeout(timer)
}

function once<T>(made: Map<string, T>, name: string, make: () => T): T {
  const existing = made.get(name)
  if (existing !== undefined) return existing
  const created = make()
  made.set(name, created)
  return created
}
