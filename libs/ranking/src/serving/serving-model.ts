import type { InputStatistics } from '../artefact/manifest.ts'
import type { PinFacts, ReadCandidates } from '../features/read-candidates.ts'
import type { PlanHead, PlanInput } from '../plan/plan.ts'
import type { RankingPage } from './page.ts'
import type { PinFact } from './pin-facts.ts'

/** What a model read about some candidates, before any transform. */
export interface ReadRows {
  /** One row of `featureNames.length` numbers per candidate. */
  readonly features: Float32Array
  /** From the catalogue: `pin.creator` and `pin.topics`, each only if the plan of the model reads it. */
  readonly facts: readonly PinFact[]
}

/** Scores of a page, in the order of its candidates. `features` and `facts` are of all candidates; a model whose scores need none of them reads them when they are asked for. */
export interface PageScores extends ReadRows {
  /** One utility per candidate. */
  readonly utilities: Float32Array
  /** For each head a column with all candidates: probabilities in [0, 1], or amounts ≥ 0 in the unit of the label. */
  readonly predictions: Float32Array
  /** The standard deviation of each utility, at least 0: how little is known; null: the model has no exploration. */
  readonly deviations: Float32Array | null
  /** The values that the spec exposes: one row of `exposedNames.length` numbers per candidate; NaN: missing. */
  readonly exposed: Float32Array
  /** The same features and facts, only of the candidates at these rows. */
  readRows(rows: Int32Array): ReadRows
}

/** A model that scores pages. Its creator must call `dispose` once. */
export interface ServingModel {
  /** The name that the author gave the model. */
  readonly version: string
  /** A hash of the plan from which the model was built. It distinguishes two models with the same name. */
  readonly planVersion: string
  /** What the model predicts, in the order of the columns of `predictions`. */
  readonly heads: readonly Pick<PlanHead, 'name' | 'kind'>[]
  /** Names of the features of the catalogue that the model reads. */
  readonly featureNames: readonly string[]
  /** The inputs of its plan that only the ranker knows: `pin.creator` and `pin.topics`, each only if the plan reads it. */
  readonly pinInputs: readonly PlanInput[]
  /** Names of the values that the spec exposes. */
  readonly exposedNames: readonly string[]
  /** The most candidates of a page that its first phase leaves to the model; null: there is no first phase. */
  readonly firstPhaseKeep: number | null
  /** Scores a page. Without a first phase, not even the last bit of a candidate's score depends on the other candidates. */
  score(page: RankingPage, facts: PinFacts): PageScores
  /** Scores a page from what an earlier call read about it. The numbers are the same to the last bit. */
  rescore(page: RankingPage, read: ReadCandidates): PageScores
  /** The values from which the model learned, by name of feature; empty: not known. */
  readonly trained: ReadonlyMap<string, InputStatistics>
  /** Frees the tensors. */
  dispose(): void
}

/** Builds a model: from the file of a ranking spec, or from a trained artefact. */
export interface ModelSource {
  /** The origin of the model for messages, for example the path of its file. */
  readonly name: string
  /** Loads the model. */
  build(): Promise<ServingModel>
}
