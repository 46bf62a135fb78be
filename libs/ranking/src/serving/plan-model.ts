import type { InputStatistics } from '../artefact/manifest.ts'
import { readCandidates, type ReadCandidates } from '../features/read-candidates.ts'
import { ModelError } from '../model/model-error.ts'
import { createPlanScorer } from '../model/plan-scorer.ts'
import type { TrainedModel } from '../model/trained-model.ts'
import { hashOfPlan, type Plan } from '../plan/plan.ts'
import { createDeviations } from './deviations.ts'
import { pageInputsOf, type PageInputs } from './page-inputs.ts'
import { rowsOfPage, rowsOfRead } from './page-rows.ts'
import type { RankingPage } from './page.ts'
import { createPinColumns } from './pin-columns.ts'
import { pinFactsOf, pinInputsOf } from './pin-facts.ts'
import type { PageScores, ServingModel } from './serving-model.ts'

/**
 * Serves a trained model. `from` is its origin, for messages; `trained` are the values from which it learned, by name of feature.
 * Throws a ModelError (MODEL_MISMATCHED) if the plan reads inputs that serving does not have, and a PlanError if its statistics
 * do not fit.
 */
export function createPlanModel(
  model: TrainedModel,
  version: string,
  from: string,
  trained: ReadonlyMap<string, InputStatistics> = new Map(),
): ServingModel {
  const { plan } = model
  const pinColumns = createPinColumns(model)
  const scorer = createPlanScorer(model, version, pinColumns.nodes)
  const deviations = createDeviations(model)
  const pinInputs = pinInputsOf(plan)
  const inputs = inputsOf(plan, version, from, plan.exploration === undefined ? scorer.reads : null)
  const rescore = (page: RankingPage, read: ReadCandidates): PageScores => {
    const candidates = page.pinIds.length
    const { features, pins } = read
    const columns = new Map([...inputs.columns(page, read), ...pinColumns.of(page, pins)])
    const { utilities, predictions, exposed, kept } = scorer.score(columns, candidates, page.headFactors)
    const found = { utilities, predictions, features, facts: pinFactsOf(pinInputs, pins), exposed }
    const readRows = (rows: Int32Array) => rowsOfRead(read, rows, pinInputs)
    return { ...found, deviations: deviations(columns, candidates, kept), readRows }
  }
  return {
    version,
    planVersion: scorer.planHash,
    heads: plan.heads,
    featureNames: inputs.features.names,
    pinInputs,
    exposedNames: plan.exposed,
    firstPhaseKeep: plan.firstPhase?.keep ?? null,
    trained,
    score: (page, facts) => rescore(page, readCandidates(inputs.features, page, facts)),
    rescore,
    dispose: () => scorer.dispose(),
  }
}

/**
 * Serves a plan that nothing has learned yet: the candidates keep the order of retrieval, because their utility is the merged
 * retrieval score, and nothing is predicted. The features of the plan are read all the same, so that feeds record them for training;
 * as no score depends on them, only those of the pins that a feed records.
 */
export function createUntrainedModel(plan: Plan, from: string): ServingModel {
  const version = `${plan.spec}-untrained`
  const inputs = inputsOf(plan, version, from)
  const pinInputs = pinInputsOf(plan)
  const scoresOf = (page: RankingPage, read: () => ReadCandidates, readRows: PageScores['readRows']): PageScores => ({
    utilities: page.retrievalScores.slice(),
    predictions: new Float32Array(),
    get features() {
      return read().features
    },
    get facts() {
      return pinFactsOf(pinInputs, read().pins)
    },
    exposed: new Float32Array(),
    deviations: null,
    readRows,
  })
  return {
    version,
    planVersion: hashOfPlan(plan),
    heads: [],
    featureNames: inputs.features.names,
    pinInputs,
    exposedNames: [],
    firstPhaseKeep: null,
    trained: new Map(),
    score(page, facts) {
      const read = (of: RankingPage): ReadCandidates => readCandidates(inputs.features, of, facts)
      let all: ReadCandidates | null = null
      return scoresOf(
        page,
        () => (all ??= read(page)),
        (rows) => {
          const { features, pins } = read(rowsOfPage(page, rows))
          return { features, facts: pinFactsOf(pinInputs, pins) }
        },
      )
    },
    rescore: (page, read) =>
      scoresOf(
        page,
        () => read,
        (rows) => rowsOfRead(read, rows, pinInputs),
      ),
    dispose: () => undefined,
  }
}

function inputsOf(plan: Plan, version: string, from: string, needed: ReadonlySet<string> | null = null): PageInputs {
  try {
    return pageInputsOf(plan, needed)
  } catch (error) {
    throw new ModelError(
      'MODEL_MISMATCHED',
      `the model ${version} (plan ${hashOfPlan(plan)}, from ${from}) does not fit this version: ${(error as Error).message}`,
      { cause: error },
    )
  }
}
