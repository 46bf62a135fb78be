import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import {
  metricCatalogue,
  type LabelsOf,
  type MetricName,
  type MetricNameOf,
  type MetricSpec,
} from './metric-catalogue.ts'

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
  readonly contentType: string
}

/** Creates metrics with their own registry. `runtime`: include those of the Node.js runtime (memory, event loop, garbage collection). */
export function createMetrics(options?: { readonly runtime?: boolean }): Metrics {
  const registry = new Registry()
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
    counter: (name) => once(counters, name, () => new Counter(common(name))),
    gauge: (name) => once(gauges, name, () => new Gauge(common(name))),
    histogram: (name) =>
      once(histograms, name, () => new Histogram({ ...common(name), buckets: [...metricCatalogue[name].buckets] })),
    beforeScrape(collect, unknown = () => undefined) {
      hooks.push({ collect, unknown, underWay: null })
    },
    async text() {
      await Promise.all(hooks.map(collected))
      return registry.metrics()
    },
    contentType: registry.contentType,
  }
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
