/** A query of a panel, and what its series are called. */
export type Query = readonly [expr: string, legend: string]

/** A panel of a dashboard. */
export interface Panel {
  readonly title: string
  /** What it shows and what to think of it. */
  readonly description: string
  /** A unit of Grafana, e.g. `s`, `bytes`, `percentunit`. */
  readonly unit: string
  readonly queries: readonly Query[]
  /** Default: a graph over time. `stat`: the last values. */
  readonly kind?: 'graph' | 'stat'
  /** Why it may have no data on a system that runs well; absent: it always has. */
  readonly empty?: string
}

/** A dashboard: rows of panels, each with a heading. */
export interface Dashboard {
  readonly uid: string
  readonly title: string
  readonly description: string
  readonly rows: readonly { readonly title: string; readonly panels: readonly Panel[] }[]
}

/** A series of the chosen releases. */
export function chosen(metric: string, labels = ''): string {
  return `${metric}{namespace=~"$namespace",release=~"$release"${labels === '' ? '' : `,${labels}`}}`
}

/** What a counter grows by in a second, by labels. */
export function perSecond(metric: string, by: string, labels = ''): string {
  return `sum by (${by}) (rate(${chosen(metric, labels)}[$__rate_interval]))`
}

/** Quantiles of a histogram, by labels. */
export function quantiles(
  histogram: string,
  by: string,
  legend: string,
  wanted: readonly number[] = [0.5, 0.99],
): readonly Query[] {
  return wanted.map((quantile) => [
    `histogram_quantile(${quantile}, sum by (le, ${by}) (rate(${chosen(`${histogram}_bucket`)}[$__rate_interval])))`,
    `p${100 * quantile} ${legend}`,
  ])
}

/** A gauge, summed or its largest value, by labels. */
export function gauge(metric: string, by: string, labels = '', how: 'sum' | 'max' | 'min' = 'sum'): string {
  return `${how} by (${by}) (${chosen(metric, labels)})`
}
