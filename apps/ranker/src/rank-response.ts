import { bytesOf } from '@freshet/contracts/bytes/columns'
import type { RankResponse } from '@freshet/contracts/gen/freshet/ranking/v1/ranking'
import type { PageScores, ServingModel } from '@freshet/ranking/serving/serving-model'

const none = new Uint8Array()

/** The answer with a model's scores. `withFeatures`: with all that the feed's record needs. */
export function toRankResponse(
  model: ServingModel,
  scores: PageScores,
  { withFeatures, fresh }: { readonly withFeatures: boolean; readonly fresh: boolean },
): RankResponse {
  const { utilities, deviations, features, facts, exposed } = scores
  const probabilities = headsOf(model, scores, 'probability')
  const amounts = headsOf(model, scores, 'amount')
  return {
    utilities: bytesOf(utilities),
    actions: probabilities.names,
    probabilities: probabilities.columns,
    featureNames: withFeatures ? [...model.featureNames] : [],
    features: withFeatures ? bytesOf(features) : none,
    modelVersion: model.version,
    planVersion: model.planVersion,
    fresh,
    facts: withFeatures
      ? facts.map(({ name, texts, counts }) => ({ name, texts: [...texts], counts: bytesOf(counts) }))
      : [],
    exposedNames: withFeatures ? [...model.exposedNames] : [],
    exposed: withFeatures ? bytesOf(exposed) : none,
    amountNames: amounts.names,
    amounts: amounts.columns,
    utilityDeviations: deviations === null ? none : bytesOf(deviations),
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
