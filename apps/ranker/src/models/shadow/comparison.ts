import type { PageScores, ServingModel } from '@freshet/ranking/serving/serving-model'
import { overlapAtTop, rankCorrelation } from './agreement.ts'

/** How a shadow's scores compare with those of the model that serves, on the same pages. */
export interface ShadowReport {
  readonly version: string
  /** The model that serves. */
  readonly serving: string
  /** Share of the requests that the shadow scores, in (0, 1]. */
  readonly share: number
  /** Pages that both scored. */
  readonly pages: number
  /** Pages on which the shadow failed. */
  readonly failed: number
  /** Pages of the share that were not scored, because the page before was still waiting. */
  readonly skipped: number
  /** Mean share of the best 25 candidates that both have in common; null: no page yet. */
  readonly overlap: number | null
  /** Mean rank correlation of the utilities; null: no page yet on which both have an order. */
  readonly correlation: number | null
  /** Mean predictions over all candidates, by name of head; null: that model does not predict it. */
  readonly predictions: Readonly<Record<string, { readonly serving: number | null; readonly shadow: number | null }>>
}

/** Sums over the pages that two models scored. */
export interface Comparison {
  add(serving: ScoredBy, shadow: ScoredBy): void
  fail(): void
  skip(): void
  report(of: Pick<ShadowReport, 'version' | 'serving' | 'share'>): ShadowReport
}

/** A page as a model scored it. */
export interface ScoredBy {
  readonly model: Pick<ServingModel, 'heads'>
  readonly scores: Pick<PageScores, 'utilities' | 'predictions'>
}

/** As many candidates as a page of a feed shows. */
const shownPins = 25

/** A comparison without pages. */
export function createComparison(): Comparison {
  const pages = { compared: 0, ordered: 0, failed: 0, skipped: 0 }
  const sums = { overlap: 0, correlation: 0 }
  const heads = { serving: new Map<string, Mean>(), shadow: new Map<string, Mean>() }
  return {
    add(serving, shadow) {
      const [a, b] = [serving.scores.utilities, shadow.scores.utilities]
      if (a.length === 0) return
      pages.compared++
      sums.overlap += overlapAtTop(a, b, shownPins)
      const correlation = rankCorrelation(a, b)
      if (correlation !== null) {
        pages.ordered++
        sums.correlation += correlation
      }
      addPredictions(heads.serving, serving)
      addPredictions(heads.shadow, shadow)
    },
    fail() {
      pages.failed++
    },
    skip() {
      pages.skipped++
    },
    report: (of) => ({
      ...of,
      pages: pages.compared,
      failed: pages.failed,
      skipped: pages.skipped,
      overlap: pages.compared === 0 ? null : sums.overlap / pages.compared,
      correlation: pages.ordered === 0 ? null : sums.correlation / pages.ordered,
      predictions: Object.fromEntries(
        [...new Set([...heads.serving.keys(), ...heads.shadow.keys()])].map((head) => [
          head,
          { serving: meanOf(heads.serving.get(head)), shadow: meanOf(heads.shadow.get(head)) },
        ]),
      ),
    }),
  }
}

interface Mean {
  sum: number
  count: number
}

function meanOf(mean: Mean | undefined): number | null {
  return mean === undefined ? null : mean.sum / mean.count
}

function addPredictions(into: Map<string, Mean>, { model: { heads }, scores }: ScoredBy): void {
  const rows = scores.utilities.length
  for (const [at, { name }] of heads.entries()) {
    const mean = into.get(name) ?? { sum: 0, count: 0 }
    into.set(name, mean)
    for (let row = 0; row < rows; row++) mean.sum += scores.predictions[at * rows + row]!
    mean.count += rows
  }
}
