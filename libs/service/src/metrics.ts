import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import {
  metricCatalogue,
  type LabelsOf,
  type MetricName,
  type MetricNameOf,
  type MetricSpec,
} from './metric-catalogue.ts'

/** A process's metrics: those of `metricCatalogue`, made on first use. */
export interface Metrics {
  counter<Name extends MetricNameOf<'counter'>>(name: Name): Counter<LabelsOf<Name>>
  gauge<Name extends MetricNameOf<'gauge'>>(name: Name): Gauge<LabelsOf<Name>>
  histogram<Name extends MetricNameOf<'histogram'>>(name: Name): Histogram<LabelsOf<Name>>
  /** Runs before every scrape, to set gauges that cost something to find out. A failure leaves the old value. */
  beforeScrape(collect: () => void | Promise<void>): void
  /** Everything in Prometheus's text format. */
  text(): Promise<string>
  readonly contentType: string
}

/** Metrics with a registry of their own. `runtime`: also the Node.js runtime's (memory, event loop, garbage collection). */
export function createMetrics(options?: { readonly runtime?: boolean }): Metrics {
  const registry = new Registry()
  if (options?.runtime === true) collectDefaultMetrics({ register: registry })
  const counters = new Map<string, Counter>()
  const gauges = new Map<string, Gauge>()
  const histograms = new Map<string, Histogram>()
  const hooks: (() => void | Promise<void>)[] = []
  const common = (name: MetricName) => {
    const { help, labels }: MetricSpec = metricCatalogue[name]
    return { name, help, labelNames: [...labels], registers: [registry] }
  }

  return {
    counter: (name) => once(counters, name, () => new Counter(common(name))),
    gauge: (name) => once(gauges, name, () => new Gauge(common(name))),
    histogram: (name) =>
      once(histograms, name, () => new Histogram({ ...common(name), buckets: [...metricCatalogue[name].buckets] })),
    beforeScrape(collect) {
      hooks.push(collect)
    },
    async text() {
      await Promise.allSettled(hooks.map(async (collect) => collect()))
      return registry.metrics()
    },
    contentType: registry.contentType,
  }
}

function once<T>(made: Map<string, T>, name: string, make: () => T): T {
  const existing = made.get(name)
  if (existing !== undefined) return existing
  const created = make()
  made.set(name, created)
  return created
}
