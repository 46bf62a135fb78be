import type { ExperimentBucket } from '@freshet/contracts/gen/freshet/feed/v1/feed'

/** The candidate sources that a request is restricted to. */
export interface SourceChoice {
  /** Empty: all. */
  readonly only: readonly string[]
  readonly without: readonly string[]
}

/**
 * What the experiments say about one request. An experiment counts as exposed from the moment when a stage reads a parameter that some
 * arm of it sets, whether or not the arm of this request sets it: so the arms are compared on the same feeds.
 */
export interface RequestExperiments {
  /** Version of the experiment file; '': none. */
  readonly version: string
  /** For the stage that retrieves. */
  sources(): SourceChoice
  /** For the stage that ranks. '': the ranker decides. */
  model(): string
  /** For the stage that ranks: factors on heads in the utility, those of utility tuning too. */
  headFactors(): ReadonlyMap<string, number>
  /** The buckets of the exposed experiments, in the order of the layers, after that of the hold-out. */
  exposed(): ExperimentBucket[]
}

const allSources: SourceChoice = { only: [], without: [] }

/** A request that is in no experiment. */
export const noExperiments: RequestExperiments = {
  version: '',
  sources: () => allSources,
  model: () => '',
  headFactors: () => new Map(),
  exposed: () => [],
}
