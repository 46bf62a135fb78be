import { float32Column } from '@freshet/contracts/bytes/columns'
import { Surface } from '@freshet/contracts/gen/freshet/engagement/v1/engagement'
import type { FeedServed } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import { servedCandidates, type ServedCandidate } from '@freshet/contracts/inspection/served-candidates'
import { unshownJson } from '@freshet/contracts/inspection/served-unshown'
import { hash32 } from '@freshet/domain/hash'
import { emptyColumn, noPosition, numbersBy, textsBy, type RowBatch } from '@freshet/ranking/rows/row-batch'
import { bitOf, isActedOn, labelActions, noLabels, type PinLabels } from './labels.ts'
import type { PinFactsView } from './pin-facts.ts'
import { servedFacts } from './served-facts.ts'

/** How rows are made. */
export interface RowSampling {
  /** Share of the rows without an action (beyond the impression) that are kept. */
  readonly negativeRate: number
  readonly seed: number
}

/** What a row is made of, besides its feed. */
interface RowPlan {
  readonly candidate: ServedCandidate
  /** Index in the feed's columns; -1: not shown. */
  readonly pin: number
  readonly labels: PinLabels
  readonly revision: number
  readonly weight: number
}

/** The rows of a feed. */
export interface RowsOfFeed {
  /** null: every row was sampled away. */
  readonly batch: RowBatch | null
  readonly shown: number
  readonly unshown: number
  /** Shown pins that were sampled away. */
  readonly sampledAway: number
}

/** A row for each shown pin that sampling keeps, then one for each sampled candidate that was not shown. */
export function rowsOfFeed(
  served: FeedServed,
  labels: Readonly<Record<number, PinLabels>>,
  facts: PinFactsView,
  sampling: RowSampling,
): RowsOfFeed {
  const candidates = servedCandidates(served, served.sources)
  const shown = candidates.flatMap((candidate, pin) =>
    planRow(served, { candidate, pin, labels: labels[pin] ?? noLabels, revision: 0 }, sampling),
  )
  const unshown = (unshownJson(served)?.pins ?? []).map((candidate) => ({
    candidate,
    pin: -1,
    labels: noLabels,
    revision: 0,
    weight: 1 / candidate.samplingProbability,
  }))
  return {
    batch: makeRows(served, [...shown, ...unshown], facts, sampling),
    shown: shown.length,
    unshown: unshown.length,
    sampledAway: candidates.length - shown.length,
  }
}

/** The row of one shown pin after a late action; null: it is a negative that sampling does not keep. */
export function correctedRow(
  served: FeedServed,
  { pin, labels, revision }: Pick<RowPlan, 'pin' | 'labels' | 'revision'>,
  facts: PinFactsView,
  sampling: RowSampling,
): RowBatch | null {
  const candidate = servedCandidates(served, served.sources)[pin]
  if (candidate === undefined) return null
  return makeRows(served, planRow(served, { candidate, pin, labels, revision }, sampling), facts, sampling)
}

/** Sampling depends on feed and pin alone, so that a row and its corrections share their fate. */
function planRow(
  { feedId }: FeedServed,
  row: Omit<RowPlan, 'weight'>,
  { negativeRate, seed }: RowSampling,
): readonly RowPlan[] {
  if (isActedOn(row.labels)) return [{ ...row, weight: 1 }]
  const draw = hash32(`${feedId} ${row.candidate.pinId}`, seed) / 2 ** 32
  return draw < negativeRate ? [{ ...row, weight: 1 / negativeRate }] : []
}

function makeRows(
  served: FeedServed,
  plans: readonly RowPlan[],
  facts: PinFactsView,
  { negativeRate }: RowSampling,
): RowBatch | null {
  const rows = plans.length
  if (rows === 0) return null
  const { featureNames, sources } = served
  const width = featureNames.length
  const features = float32Column(served.features)
  const propensities = float32Column(served.propensities)
  const number = (of: (plan: RowPlan) => number): Float32Array => Float32Array.from(plans, of)
  const label = (bit: number): Uint8Array => Uint8Array.from(plans, ({ labels }) => Number((labels.bits & bit) !== 0))
  const perSource = (of: (candidate: ServedCandidate) => Readonly<Record<string, number>>): Float32Array =>
    Float32Array.from(plans.flatMap(({ candidate }) => sources.map((source) => of(candidate)[source] ?? NaN)))
  // As the ranker used them, else as they are now. Of pins that were not shown nothing is recorded.
  const asServed = servedFacts(served)
  const pinFacts = plans.map(({ candidate, pin }) => ({ ...facts.of(candidate.pinId), ...asServed[pin] }))
  const everyRow = (text: string): string[] => plans.map(() => text)
  return {
    rows,
    featureNames,
    features: Float32Array.from({ length: rows * width }, (_, at) => {
      const { pin } = plans[Math.floor(at / width)] as RowPlan
      return pin < 0 ? NaN : (features[pin * width + (at % width)] ?? NaN)
    }),
    sourceNames: sources,
    sourceRanks: perSource(({ sourceRanks }) => sourceRanks),
    sourceScores: perSource(({ sourceScores }) => sourceScores),
    labels: {
      ...Object.fromEntries(labelActions.map((action) => [action, label(bitOf(action))])),
      dwellSeconds: number(({ labels: { dwellMs } }) => (dwellMs < 0 ? NaN : dwellMs / 1000)),
    },
    ...numbersBy((name) => emptyColumn(name, rows)),
    atMs: new Float64Array(rows).fill(served.atMs),
    position: Uint16Array.from(plans, ({ pin }) =>
      pin < 0 ? noPosition : Math.min(noPosition - 1, served.firstPosition + pin),
    ),
    shown: Uint8Array.from(plans, ({ pin }) => Number(pin >= 0)),
    revision: Uint8Array.from(plans, ({ revision }) => revision),
    weight: number(({ weight }) => weight),
    logOdds: number(({ pin }) => (pin < 0 ? 0 : Math.log(negativeRate))),
    propensity: number(({ pin }) => (pin < 0 ? NaN : (propensities[pin] ?? 1))),
    retrievalRank: number(({ candidate }) => candidate.retrievalRank ?? NaN),
    retrievalScore: number(({ candidate }) => candidate.retrievalScore ?? NaN),
    ...textsBy(() => []),
    feedIds: everyRow(served.feedId),
    userIds: everyRow(served.userId),
    pinIds: plans.map(({ candidate }) => candidate.pinId),
    creatorIds: pinFacts.map(({ creatorId }) => creatorId),
    surfaces: everyRow(served.surface === Surface.RELATED ? 'related' : 'home'),
    locales: everyRow(served.context?.locale ?? ''),
    modelVersions: everyRow(served.modelVersion),
    planVersions: everyRow(served.versions?.rankingPlan ?? ''),
    topics: pinFacts.map(({ topics }) => topics),
  }
}
