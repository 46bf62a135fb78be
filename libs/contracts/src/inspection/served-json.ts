import { float32Column, uint16Column } from '../bytes/columns.ts'
import { degradationToJSON, freshnessToJSON } from '../gen/freshet/blending/v1/blending.ts'
import { surfaceToJSON } from '../gen/freshet/engagement/v1/engagement.ts'
import type { FeedContext, FeedServed, PinMoves } from '../gen/freshet/feed/v1/feed.ts'
import { servedCandidates, type ServedCandidate } from './served-candidates.ts'
import { unshownJson, type UnshownJson } from './served-unshown.ts'
import { isoTime } from './user-json.ts'

/** One pin of a served slate, as recorded. */
export interface ServedPin extends ServedCandidate {
  /** Position in the whole feed, from 0. */
  readonly position: number
  readonly utility: number
  /** What exploration added to the utility; null: there was none. */
  readonly exploration: number | null
  /** The probability with which ordering put it there. */
  readonly propensity: number
  /** Why ordering moved it: the stage, a slash, the reason; from and to are positions in that stage's slate. */
  readonly moves: readonly ServedMove[]
  /** P(action) by action; empty if the ranker did not score it. */
  readonly probabilities: Readonly<Record<string, number>>
  /** The feature values that the ranker used; empty if the ranker did not score it. */
  readonly features: Readonly<Record<string, number>>
  /** Amounts predicted, for example seconds of dwell, by name; empty: none, or not recorded. */
  readonly amounts: Readonly<Record<string, number>>
  /** The values that the ranking spec exposes, by name; null: missing. Empty: none, or not recorded. */
  readonly exposed: Readonly<Record<string, number | null>>
  /** The pin's creator and topics as the ranker read them, by name; empty: it read none, or not recorded. */
  readonly facts: Readonly<Record<string, readonly string[]>>
}

/** One move of a pin. */
export interface ServedMove {
  readonly why: string
  readonly from: number
  readonly to: number
}

/** A served slate, as JSON for people. */
export interface ServedJson {
  readonly feedId: string
  readonly userId: string
  /** RFC 3339. */
  readonly at: string
  readonly surface: string
  readonly degradation: string
  /** Empty: nothing was ranked. */
  readonly modelVersion: string
  /** Empty: not a related-pins request. */
  readonly relatedToPinId: string
  /** The request; null: not recorded. */
  readonly context: Readonly<Record<string, unknown>> | null
  readonly experiments: FeedServed['experiments']
  /** null: not recorded. */
  readonly versions: NonNullable<FeedServed['versions']> | null
  readonly pins: readonly ServedPin[]
  readonly stages: FeedServed['stages']
  /** null: not recorded. */
  readonly unshown: UnshownJson | null
}

/** Turns the columns of a `feeds-served.v1` record into rows. */
export function servedJson(served: FeedServed): ServedJson {
  return {
    feedId: served.feedId,
    userId: served.userId,
    at: isoTime(served.atMs),
    surface: surfaceToJSON(served.surface).replace('SURFACE_', '').toLowerCase(),
    degradation: degradationToJSON(served.degradation).replace('DEGRADATION_', ''),
    modelVersion: served.modelVersion,
    relatedToPinId: served.relatedToPinId,
    context: served.context === undefined ? null : contextJson(served.context),
    experiments: served.experiments,
    versions: served.versions ?? null,
    pins: servedPins(served),
    stages: served.stages,
    unshown: unshownJson(served),
  }
}

function contextJson({
  freshness,
  pageSessionStartedAtMs,
  ...context
}: FeedContext): Readonly<Record<string, unknown>> {
  return {
    ...context,
    pageSessionStartedAt: isoTime(pageSessionStartedAtMs),
    freshness: freshnessToJSON(freshness).replace('FRESHNESS_', ''),
  }
}

/** Turns the columns of a record into one row for each pin of the page. */
export function servedPins(served: FeedServed): ServedPin[] {
  const utilities = float32Column(served.utilities)
  const exploration = float32Column(served.exploration)
  const propensities = float32Column(served.propensities)
  const features = float32Column(served.features)
  const probabilities = float32Column(served.probabilities)
  const amounts = float32Column(served.amounts)
  const exposed = float32Column(served.exposed)
  const facts = served.facts.map(({ name, texts, counts }) => [name, listsOf(texts, counts)] as const)
  const width = served.featureNames.length
  const rows = served.pinIds.length
  const moves = movesByPin(served.moves)
  return servedCandidates(served, served.sources).map((candidate, row) => ({
    ...candidate,
    position: served.firstPosition + row,
    utility: utilities[row] ?? 0,
    exploration: exploration[row] ?? null,
    propensity: propensities[row] ?? 1,
    moves: moves.get(row) ?? [],
    probabilities: Object.fromEntries(
      served.actions.map((action, at) => [action, probabilities[at * rows + row] ?? 0] as const),
    ),
    features: Object.fromEntries(
      served.featureNames.map((name, at) => [name, features[row * width + at] ?? 0] as const),
    ),
    amounts: Object.fromEntries(served.amountNames.map((name, at) => [name, amounts[at * rows + row] ?? 0] as const)),
    exposed: Object.fromEntries(
      served.exposedNames.map(
        (name, at) => [name, knownOrNull(exposed[row * served.exposedNames.length + at])] as const,
      ),
    ),
    facts: Object.fromEntries(facts.map(([name, lists]) => [name, lists[row] ?? []] as const)),
  }))
}

function knownOrNull(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value
}

/** The texts of each pin. */
function listsOf(texts: readonly string[], counts: Uint8Array): readonly (readonly string[])[] {
  let next = 0
  return Array.from(uint16Column(counts), (count) => texts.slice(next, (next += count)))
}

function movesByPin(moves: PinMoves | undefined): ReadonlyMap<number, readonly ServedMove[]> {
  const byPin = new Map<number, ServedMove[]>()
  if (moves === undefined) return byPin
  const [from, to] = [uint16Column(moves.from), uint16Column(moves.to)]
  for (const [at, pin] of uint16Column(moves.pins).entries()) {
    const why = moves.reasons[moves.reasonIndices[at] ?? -1] ?? ''
    const ofPin = byPin.get(pin) ?? []
    ofPin.push({ why, from: from[at] ?? 0, to: to[at] ?? 0 })
    byPin.set(pin, ofPin)
  }
  return byPin
}
