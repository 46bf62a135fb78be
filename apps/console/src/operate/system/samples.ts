import { between, merged, quantile, type Histogram } from '../shared/histogram.ts'

/** Counts of a process since its start, as the console server reads them from its metrics. */
export interface ServiceSample {
  readonly startedAtMs: number | null
  readonly memoryBytes: number | null
  readonly heapBytes: number | null
  readonly cpuSeconds: number | null
  readonly eventLoopP99Ms: number | null
  readonly lag: Readonly<Record<string, number>>
  readonly events: Readonly<Record<string, number>>
  readonly feeds: Readonly<Record<string, number>>
  readonly feedSeconds: Histogram | null
  readonly freshnessSeconds: Histogram | null
  readonly records: Readonly<Record<string, number>>
  readonly failingPartitions: number | null
  readonly shed: number | null
  readonly errors: readonly {
    readonly part: string
    readonly code: string
    readonly outcome: string
    readonly count: number
  }[]
}

/** What a process says about itself. */
export interface ServiceReport {
  readonly name: string
  readonly operations: string
  readonly state: 'ready' | 'unready' | 'down'
  readonly version: string
  readonly reasons: readonly string[]
  readonly sample: ServiceSample | null
}

/** All processes at one time. */
export interface ServicesAnswer {
  readonly atMs: number
  readonly services: readonly ServiceReport[]
}

/** Figures of the time between two answers. null: not known, or not measured. */
export interface Moment {
  readonly atMs: number
  readonly eventsPerSecond: number | null
  readonly feedsPerSecond: number | null
  readonly feedP50Ms: number | null
  readonly feedP99Ms: number | null
  readonly freshP50Ms: number | null
  readonly freshP99Ms: number | null
  readonly memoryBytes: number | null
  readonly lag: number | null
}

/** How long quantiles look back: few feeds are answered between two samples. */
const quantileWindow = 15

/** The figures of a history of answers, oldest first: one for each answer but the first. */
export function momentsOf(answers: readonly ServicesAnswer[]): readonly Moment[] {
  return answers
    .slice(1)
    .map((later, at) => momentOf(answers[at]!, later, answers[Math.max(0, at + 1 - quantileWindow)]!))
}

function momentOf(earlier: ServicesAnswer, later: ServicesAnswer, longBefore: ServicesAnswer): Moment {
  const seconds = Math.max(0.001, (later.atMs - earlier.atMs) / 1_000)
  const rate = (of: (sample: ServiceSample) => number): number | null => {
    const changes = pairs(earlier, later).map(([before, after]) => {
      // A process that began again counts from zero.
      const from = before === null || of(before) > of(after) ? 0 : of(before)
      return before === null ? null : of(after) - from
    })
    const known = changes.filter((change) => change !== null)
    return known.length === 0 ? null : known.reduce((sum, change) => sum + change, 0) / seconds
  }
  const ofTime = (of: (sample: ServiceSample) => Histogram | null, share: number): number | null => {
    const histogram = merged(
      pairs(longBefore, later).map(([before, after]) => {
        const now = of(after)
        return now === null ? null : between(before === null ? null : of(before), now)
      }),
    )
    const value = histogram === null ? null : quantile(histogram, share)
    return value === null ? null : 1_000 * value
  }
  return {
    atMs: later.atMs,
    eventsPerSecond: rate(({ events }) => events['accepted'] ?? 0),
    feedsPerSecond: rate(({ feeds }) => total(feeds)),
    feedP50Ms: ofTime(({ feedSeconds }) => feedSeconds, 0.5),
    feedP99Ms: ofTime(({ feedSeconds }) => feedSeconds, 0.99),
    freshP50Ms: ofTime(({ freshnessSeconds }) => freshnessSeconds, 0.5),
    freshP99Ms: ofTime(({ freshnessSeconds }) => freshnessSeconds, 0.99),
    memoryBytes: sumKnown(later.services.map(({ sample }) => sample?.memoryBytes ?? null)),
    lag: sumKnown(later.services.map(({ sample }) => (sample === null ? null : total(sample.lag)))),
  }
}

/** The samples of each process in both answers; null: it was not there before. */
function pairs(
  earlier: ServicesAnswer,
  later: ServicesAnswer,
): readonly (readonly [ServiceSample | null, ServiceSample])[] {
  return later.services.flatMap(({ name, operations, sample }) => {
    const before = earlier.services.find((each) => each.name === name && each.operations === operations)
    return sample === null ? [] : [[before?.sample ?? null, sample] as const]
  })
}

/** The sum of counts. */
export function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}

/** Counts of all processes by name. */
export function summed(
  services: readonly ServiceReport[],
  of: (sample: ServiceSample) => Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  const sums: Record<string, number> = {}
  for (const { sample } of services)
    if (sample !== null) for (const [name, count] of Object.entries(of(sample))) sums[name] = (sums[name] ?? 0) + count
  return sums
}

function sumKnown(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0)
}
