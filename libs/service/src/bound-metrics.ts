import type { Counter, Histogram } from 'prom-client'

/** The values of a metric as prom-client keeps them, by a text that it computes from the labels. Its types do not name them. */
type Kept<Values> = Readonly<Record<string, Values & { readonly labels: object }>>

interface CounterValues {
  value: number
}

interface HistogramValues {
  readonly bucketValues: Record<string, number>
  sum: number
  count: number
}

type Labels = Readonly<Record<string, string | number>>

/** Increments a counter with fixed labels. It finds the value once; `inc` of prom-client computes a text from the labels each time, which costs more than the counting. */
export function boundCounter(counter: Counter, labels: Labels): { inc(more?: number): void } {
  let own: CounterValues | null = null
  return {
    inc(more = 1) {
      if (own === null || !(more >= 0 && more < Infinity)) {
        counter.inc(labels, more)
        own = valuesOf<CounterValues>(counter, labels)
      } else own.value += more
    },
  }
}

/** Observes values of a histogram with fixed labels, likewise. `observe`: as the histogram has it, for the first value. */
export function boundHistogram(
  histogram: Histogram,
  labels: Labels,
  observe: (labels: Labels, value: number) => void,
): (value: number) => void {
  const { upperBounds } = histogram as unknown as { readonly upperBounds: readonly number[] }
  let own: HistogramValues | null = null
  return (value) => {
    if (own === null || !Number.isFinite(value)) {
      observe(labels, value)
      own = valuesOf<HistogramValues>(histogram, labels)
      return
    }
    own.sum += value
    own.count += 1
    for (let i = 0; i < upperBounds.length; i++) {
      const bound = upperBounds[i]!
      if (value > bound) continue
      own.bucketValues[bound]! += 1
      return
    }
  }
}

function valuesOf<Values>(metric: object, labels: Labels): Values | null {
  const { hashMap } = metric as { readonly hashMap: Kept<Values> }
  const names = Object.keys(labels)
  const found = Object.values(hashMap).find((values) => {
    const known = values.labels as Labels
    return Object.keys(known).length === names.length && names.every((name) => known[name] === labels[name])
  })
  return found ?? null
}
