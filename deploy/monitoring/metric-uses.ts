import { metricCatalogue } from '@freshet/service/metric-catalogue'

/** A metric or a recorded series in an expression, with the labels that its selector names. */
export interface MetricUse {
  readonly name: string
  readonly labels: readonly string[]
}

/** Labels that Prometheus or Kubernetes add, and those of buckets. */
const added = new Set(['namespace', 'release', 'job', 'instance', 'pod', 'le'])

/** The series of an expression of PromQL, `ALERTS` left out. */
export function usesIn(expr: string): readonly MetricUse[] {
  const texts = expr.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""')
  return [...texts.matchAll(/\b((?:freshet|process|nodejs)[_:][\w:]+)(?:\{([^}]*)\})?/g)].map(
    ([, name, selector = '']) => ({
      name: name!,
      labels: [...selector.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label]) => label!),
    }),
  )
}

/** The labels that an expression groups by. */
export function groupedBy(expr: string): readonly string[] {
  return [...expr.matchAll(/\b(?:by|on|without)\s*\(([^)]*)\)/g)].flatMap(([, list]) =>
    list!.split(',').map((label) => label.trim()),
  )
}

/** The metric of the catalogue behind the name of a series: `…_bucket`, `…_sum` and `…_count` belong to histograms. */
export function metricBehind(name: string): keyof typeof metricCatalogue | null {
  const candidates = [name, name.replace(/_(?:bucket|sum|count)$/, '')]
  const found = candidates.find((candidate) => candidate in metricCatalogue) as keyof typeof metricCatalogue | undefined
  if (found === undefined) return null
  const isHistogram = metricCatalogue[found].type === 'histogram'
  return (found !== name) === isHistogram ? found : null
}

/** What is wrong with an expression: series that no process has, or labels that they do not have. `recorded`: labels by recorded series. */
export function problemsIn(expr: string, recorded: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const uses = usesIn(expr)
  const known = new Set(added)
  const problems = uses.flatMap(({ name, labels }) => {
    const own = labelsOf(name, recorded)
    if (own === null) return [`there is no ${name}`]
    for (const label of own) known.add(label)
    return labels
      .filter((label) => !added.has(label) && !own.includes(label))
      .map((label) => `${name} has no label ${label}`)
  })
  const unknown = groupedBy(expr).filter((label) => label !== '' && !known.has(label))
  return [...problems, ...unknown.map((label) => `no series has the label ${label}`)]
}

/** Null: there is no such series. */
function labelsOf(name: string, recorded: ReadonlyMap<string, readonly string[]>): readonly string[] | null {
  if (name.startsWith('freshet:')) return recorded.get(name) ?? null
  // Those of prom-client, which every process has.
  if (!name.startsWith('freshet_')) return ['space', 'type', 'kind', 'version']
  const metric = metricBehind(name)
  return metric === null ? null : metricCatalogue[metric].labels
}
