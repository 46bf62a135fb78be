/** A series of a metric: its name, its labels and its present value. */
export interface Series {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

const line = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+-?\d+)?$/
const label = /([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"/g

/** Reads the text format of Prometheus. Lines that are not series are left out. */
export function parseMetrics(text: string): readonly Series[] {
  return text.split('\n').flatMap((raw): Series[] => {
    const [, name, labels = '', value] = line.exec(raw.trim()) ?? []
    if (name === undefined || value === undefined) return []
    const pairs = [...labels.matchAll(label)].map(([, key = '', quoted = '']) => [key, unescaped(quoted)] as const)
    const number = numberOf(value)
    return number === null ? [] : [{ name, labels: Object.fromEntries(pairs), value: number }]
  })
}

function numberOf(text: string): number | null {
  if (text === 'NaN') return NaN
  if (text === '+Inf') return Infinity
  if (text === '-Inf') return -Infinity
  const number = Number(text)
  return Number.isNaN(number) ? null : number
}

function unescaped(text: string): string {
  return text.replaceAll(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character))
}

/** The sum of a metric's series with these labels; NaN values count as nothing. null: there is no such series. */
export function sumOf(
  series: readonly Series[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | null {
  const found = series.filter((each) => each.name === name && hasLabels(each, labels))
  if (found.length === 0) return null
  return found.reduce((sum, { value }) => sum + (Number.isNaN(value) ? 0 : value), 0)
}

/** The sums of a metric by the values of one label. */
export function sumsBy(series: readonly Series[], name: string, by: string): Readonly<Record<string, number>> {
  const sums: Record<string, number> = {}
  for (const each of series) {
    const key = each.labels[by]
    if (each.name === name && key !== undefined && !Number.isNaN(each.value)) sums[key] = (sums[key] ?? 0) + each.value
  }
  return sums
}

/** A histogram: cumulative counts up to each bound. JSON has no infinity, so the last bound is null. */
export interface Histogram {
  readonly count: number
  readonly sum: number
  readonly buckets: readonly { readonly upTo: number | null; readonly count: number }[]
}

/** The histogram of a metric over all series with these labels; null: there is none. */
export function histogramOf(
  series: readonly Series[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Histogram | null {
  const counts = new Map<number, number>()
  for (const each of series) {
    if (each.name !== `${name}_bucket` || !hasLabels(each, labels)) continue
    const bound = numberOf(each.labels['le'] ?? '')
    if (bound !== null) counts.set(bound, (counts.get(bound) ?? 0) + each.value)
  }
  if (counts.size === 0) return null
  const bounds = [...counts.keys()].toSorted((a, b) => a - b)
  return {
    count: sumOf(series, `${name}_count`, labels) ?? 0,
    sum: sumOf(series, `${name}_sum`, labels) ?? 0,
    buckets: bounds.map((bound) => ({ upTo: bound === Infinity ? null : bound, count: counts.get(bound) ?? 0 })),
  }
}

function hasLabels(series: Series, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(labels).every(([name, value]) => series.labels[name] === value)
}
