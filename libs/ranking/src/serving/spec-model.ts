import { planFeatures } from '../features/plan.ts'
import { readCandidates, type ReadCandidates } from '../features/read-candidates.ts'
import { createLogisticScorer } from '../model/logistic.ts'
import type { RankingSpec } from '../spec/spec.ts'
import { rowsOfRead } from './page-rows.ts'
import type { RankingPage } from './page.ts'
import type { PageScores, ServingModel } from './serving-model.ts'

/** The model of a ranking spec in JSON with the weights that the spec itself gives. */
export function createSpecModel(spec: RankingSpec): ServingModel {
  const features = planFeatures(spec.features.map(({ name }) => name))
  const scorer = createLogisticScorer(spec)
  const rescore = (page: RankingPage, read: ReadCandidates): PageScores => {
    const { features: rows } = read
    const { utilities, probabilities } = scorer.score(rows, page.pinIds.length, page.headFactors)
    const found = { utilities, predictions: probabilities, features: rows, facts: [], exposed: new Float32Array() }
    return { ...found, deviations: null, readRows: (places) => rowsOfRead(read, places, []) }
  }
  return {
    version: scorer.version,
    planVersion: scorer.planVersion,
    heads: scorer.actions.map((name) => ({ name, kind: 'probability' })),
    featureNames: features.names,
    pinInputs: [],
    exposedNames: [],
    firstPhaseKeep: null,
    trained: new Map(),
    score: (page, facts) => rescore(page, readCandidates(features, page, facts)),
    rescore,
    dispose: () => scorer.dispose(),
  }
}
