import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import {
  metricCatalogue,
  type LabelsOf,
  type MetricName,
  type MetricNameOf,
  type MetricSpec,
} from './metric-catalogue.ts'

type Metric = Counter | Gauge | Histogram

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
  const made = new Map<MetricName, Metric>()
  const hooks: (() => void | Promise<void>)[] = []

  const metric = (name: MetricName): Metric => {
    const existing = made.get(name)
    if (existing !== undefined) return existing
    const spec: MetricSpec = metricCatalogue[name]
    const created = make(name, spec, registry)
    made.set(name, created)
    return created
  }

  return {
    counter: (name) => metric(name) as Counter,
    gauge: (name) => metric(name) as Gauge,
    histogram: (name) => metric(name) as Histogram,
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

function make(name: string, spec: MetricSpec, registry: Registry): Metric {
  const common = { name, help: spec.help, labelNames: [...spec.labels], registers: [registry] }
  if (spec.type === 'counter') return new Counter(common)
  if (spec.type === 'gauge') return new Gauge(common)
  return new Histogram({ ...common, ...(spec.buckets === undefined ? {} : { buckets: [...spec.buckets] }) })
}
