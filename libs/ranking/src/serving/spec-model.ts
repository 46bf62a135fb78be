import { planFeatures } from '../features/plan.ts'
import { readCandidates } from '../features/read-candidates.ts'
import { createLogisticScorer } from '../model/logistic.ts'
import type { RankingSpec } from '../spec/spec.ts'
import type { ServingModel } from './serving-model.ts'

/** The model of a ranking spec in JSON with the weights that the spec itself gives. */
export function createSpecModel(spec: RankingSpec): ServingModel {
  const features = planFeatures(spec.features.map(({ name }) => name))
  const scorer = createLogisticScorer(spec)
  return {
    version: scorer.version,
    planVersion: scorer.planVersion,
    heads: scorer.actions.map((name) => ({ name, kind: 'probability' })),
    featureNames: features.names,
    score(page, facts) {
      const { features: rows } = readCandidates(features, page, facts)
      const { utilities, probabilities } = scorer.score(rows, page.pinIds.length)
      return { utilities, predictions: probabilities, features: rows }
    },
    dispose: () => scorer.dispose(),
  }
}
