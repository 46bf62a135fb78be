/** The product's own figures of a run. */
export interface ProductFigures {
  readonly asks: number
  /** Asks that were answered with at least one pin. */
  readonly pages: number
  readonly pins: number
  readonly engagements: number
  /** Engagements that name a feed which this run did not show, or a pin that was not on it. They count, but no served feed learns from them. */
  readonly engagementsElsewhere: number
  /** Engagements with a pin that no line described. */
  readonly engagementsOnUnknownPins: number
  readonly virtualDays: number
  /** Time of the product for an ask, milliseconds. */
  readonly latencyMs: { readonly p50: number; readonly p99: number }
  /** Share of the asks by degradation. */
  readonly degradation: Readonly<Record<string, number>>
  readonly modelsPromoted: number
  readonly seconds: number
}

/** Counts what happens in a run. */
export function createFigures(elapsedMs: () => number) {
  const startedMs = elapsedMs()
  const latencies: number[] = []
  const degradations = new Map<string, number>()
  const pagesOf = new Map<string, ReadonlySet<string>>()
  const pinIds = new Set<string>()
  let pages = 0
  let engagements = 0
  let elsewhere = 0
  let onUnknownPins = 0
  let modelsPromoted = 0
  return {
    pin: (pinId: string): void => void pinIds.add(pinId),
    engagement(pinId: string | null, feedId: string | null): void {
      engagements++
      if (pinId !== null && !pinIds.has(pinId)) onUnknownPins++
      if (feedId !== null && pinId !== null && pagesOf.get(feedId)?.has(pinId) !== true) elsewhere++
    },
    answered(page: {
      readonly feedId: string
      readonly pinIds: readonly string[]
      readonly degradation: string
      readonly tookMs: number
    }): void {
      latencies.push(page.tookMs)
      degradations.set(page.degradation, (degradations.get(page.degradation) ?? 0) + 1)
      if (page.pinIds.length > 0) pages++
      pagesOf.set(page.feedId, new Set(page.pinIds))
    },
    promoted(): void {
      modelsPromoted++
    },
    total(virtualDays: number): ProductFigures {
      const sorted = latencies.toSorted((a, b) => a - b)
      const quantile = (share: number): number =>
        round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0)
      return {
        asks: latencies.length,
        pages,
        pins: pinIds.size,
        engagements,
        engagementsElsewhere: elsewhere,
        engagementsOnUnknownPins: onUnknownPins,
        virtualDays: round(virtualDays),
        latencyMs: { p50: quantile(0.5), p99: quantile(0.99) },
        degradation: Object.fromEntries(
          [...degradations].sort().map(([name, count]) => [name, round(count / latencies.length)]),
        ),
        modelsPromoted,
        seconds: round((elapsedMs() - startedMs) / 1000),
      }
    },
  }
}

/** The figures for people, on a few lines. */
export function describeFigures(figures: ProductFigures): string {
  const { latencyMs, degradation } = figures
  const elsewhere =
    figures.engagementsElsewhere + figures.engagementsOnUnknownPins === 0
      ? []
      : [
          `${figures.engagementsElsewhere} engagements name a feed or a place that was not shown, ${figures.engagementsOnUnknownPins} a pin that no line described`,
        ]
  return [
    `product: ${figures.asks} asks, ${figures.pages} pages, ${figures.pins} pins, ${figures.engagements} engagements in ${figures.virtualDays} virtual days, ${figures.seconds} s`,
    `an ask p50 ${latencyMs.p50} ms, p99 ${latencyMs.p99} ms; ${figures.modelsPromoted} models promoted`,
    `degradation: ${Object.entries(degradation)
      .map(([name, share]) => `${name} ${(share * 100).toFixed(1)} %`)
      .join(', ')}`,
    ...elsewhere,
  ]
    .map((line) => `${line}\n`)
    .join('')
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000
}
