import { bytesOf } from '@freshet/contracts/bytes/columns'
import type { RankResponse } from '@freshet/contracts/gen/freshet/ranking/v1/ranking'
import type { RankAnswer } from '@freshet/contracts/ports/calls'
import type { HeadFactors } from '@freshet/ranking/model/utility'
import type { PageScores, ReadRows, ServingModel } from '@freshet/ranking/serving/serving-model'
import { toHeadFactors } from './head-factors.ts'
import type { Recorded } from './models/spec-features.ts'

const none = new Uint8Array()

/**
 * The answer with a model's scores. `recorded`: what the feed's record needs of the values that were read; null: nothing. If
 * `readsRows`, the answer can read them for the rows that the caller chooses, and has no columns of them.
 */
export function toRankResponse(
  model: ServingModel,
  scores: PageScores,
  {
    recorded,
    readsRows,
    fresh,
    headFactors,
  }: {
    readonly recorded: Recorded | null
    readonly readsRows: boolean
    readonly fresh: boolean
    readonly headFactors: HeadFactors | undefined
  },
): RankAnswer {
  const { utilities, deviations, exposed } = scores
  const probabilities = headsOf(model, scores, 'probability')
  const amounts = headsOf(model, scores, 'amount')
  return {
    utilities: bytesOf(utilities),
    actions: probabilities.names,
    probabilities: probabilities.columns,
    featureNames: [...(recorded?.featureNames ?? [])],
    modelVersion: model.version,
    planVersion: model.planVersion,
    fresh,
    ...(recorded === null || readsRows ? { features: none, facts: [] } : columnsOf(recorded.read(null))),
    ...(recorded !== null && readsRows && { readRows: (rows: Int32Array) => columnsOf(recorded.read(rows)) }),
    exposedNames: recorded === null ? [] : [...model.exposedNames],
    exposed: recorded === null ? none : bytesOf(exposed),
    amountNames: amounts.names,
    amounts: amounts.columns,
    utilityDeviations: deviations === null ? none : bytesOf(deviations),
    headFactors: toHeadFactors(model, headFactors),
  }
}

function columnsOf({ features, facts }: ReadRows): Pick<RankResponse, 'features' | 'facts'> {
  return {
    features: bytesOf(features),
    facts: facts.map(({ name, texts, counts }) => ({ name, texts: [...texts], counts: bytesOf(counts) })),
  }
}

/** Names and columns of the heads of one kind. */
function headsOf(
  { heads }: ServingModel,
  { predictions, utilities }: PageScores,
  kind: ServingModel['heads'][number]['kind'],
): { readonly names: string[]; readonly columns: Uint8Array } {
  const rows = utilities.length
  const places = [...heads.keys()].filter((place) => heads[place]!.kind === kind)
  const names = places.map((place) => heads[place]!.name)
  if (names.length === heads.length) return { names, columns: bytesOf(predictions) }
  const columns = new Float32Array(places.length * rows)
  for (const [at, place] of places.entries())
    columns.set(predictions.subarray(place * rows, (place + 1) * rows), at * rows)
  return { names, columns: bytesOf(columns) }
}
