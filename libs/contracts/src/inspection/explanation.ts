import { float32Column } from '../bytes/columns.ts'
import type { ExplainedPin, ExplainedValue, ExplainFeedResponse } from '../gen/freshet/blending/v1/blending.ts'
import { Degradation, Freshness } from '../gen/freshet/blending/v1/blending.ts'
import type { FeedServed } from '../gen/freshet/feed/v1/feed.ts'
import { explainAbsence, removalsOf } from './absence.ts'
import { sourcesOf } from './explained-sources.ts'
import { namedSeeds } from './feed-seeds.ts'
import { servedPins, type ServedPin } from './served-json.ts'

/** Why the pins of a served feed are there, from its record alone. `pinId`: explain only this pin; empty: every pin of the page. */
export function explainServed(served: FeedServed, pinId: string): ExplainFeedResponse {
  const { context, versions } = served
  const shown = explainedPins(served).filter((pin) => pinId === '' || pin.pinId === pinId)
  return {
    feedId: served.feedId,
    userId: served.userId,
    atMs: served.atMs,
    surface: served.surface,
    relatedToPinId: served.relatedToPinId,
    sessionId: served.sessionId,
    locale: context?.locale ?? '',
    client: context?.client,
    filter: context?.filter,
    excludedPins: context?.excludedPins ?? 0,
    seenPins: context?.seenPins ?? 0,
    onlySources: [...(context?.onlySources ?? [])],
    withoutSources: [...(context?.withoutSources ?? [])],
    degradation: served.degradation === Degradation.UNSPECIFIED ? Degradation.NONE : served.degradation,
    reasons: [...(context?.reasons ?? [])],
    freshness: context?.freshness ?? Freshness.UNSPECIFIED,
    modelVersion: served.modelVersion,
    rankingPlan: versions?.rankingPlan ?? '',
    userStateFold: versions?.userStateFold ?? 0,
    experiments: served.experiments.map(({ layer, bucket, experiment, arm }) => ({ layer, bucket, experiment, arm })),
    stages: served.stages,
    removals: removalsOf(served),
    pins: shown,
    absence: pinId === '' || shown.length > 0 ? undefined : explainAbsence(served, pinId),
    contributionMethod: '',
    contributionProblem:
      served.featureNames.length === 0 ? 'the record has no features' : 'the log has no model; ask a blender',
  }
}

function explainedPins(served: FeedServed): ExplainedPin[] {
  const factors = factorsOf(served)
  const seeds = new Map(namedSeeds(served.sources, served.seeds).map(({ source, seeds: of }) => [source, of]))
  const steps = served.ordering.map((step) => ({ ...step, added: float32Column(step.added) }))
  return servedPins(served).map((pin, row) => ({
    pinId: pin.pinId,
    position: pin.position,
    sources: sourcesOf(pin).map((found) => ({ ...found, seeds: seeds.get(found.source) ?? [] })),
    ...(pin.retrievalRank !== null && { retrievalRank: pin.retrievalRank }),
    ...(pin.retrievalScore !== null && { retrievalScore: pin.retrievalScore }),
    utility: pin.utility,
    ...(pin.exploration !== null && { exploration: pin.exploration }),
    propensity: pin.propensity,
    heads: headsOf(pin, factors),
    features: Object.entries(pin.features).map(([name, value]) => ({ name, value, headContributions: [] })),
    facts: Object.entries(pin.facts).map(([name, texts]) => ({ name, texts: [...texts] })),
    exposed: Object.entries(pin.exposed).map(([name, value]) => ({ name, value: value ?? NaN })),
    ordering: steps.map(({ step, added }): ExplainedValue => ({ name: step, value: added[row] ?? NaN })),
    moves: pin.moves.map(({ why, from, to }) => ({ why, from, to })),
    notes: steps.flatMap(({ step, notes, noted }) => {
      const note = notes[(noted[row] ?? 0) - 1]
      return note === undefined ? [] : [`${step}/${note}`]
    }),
  }))
}

function headsOf({ probabilities, amounts }: ServedPin, factors: ReadonlyMap<string, number>): ExplainedPin['heads'] {
  return Object.entries({ ...probabilities, ...amounts }).map(([head, value]) => ({
    head,
    value,
    factor: factors.get(head) ?? 1,
  }))
}

function factorsOf({ headFactors }: FeedServed): ReadonlyMap<string, number> {
  if (headFactors === undefined) return new Map()
  const factors = float32Column(headFactors.factors)
  return new Map(headFactors.heads.map((head, at) => [head, factors[at] ?? 1]))
}
