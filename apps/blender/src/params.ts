import type { BlenderConfig } from './config.ts'

/**
 * The parameters that each request can have its own values of. Stages read them from the request, never from the settings.
 * Settings on which a guarantee depends (the served window, which pins may be shown) are not among them.
 */
export type FeedParams = Pick<
  BlenderConfig,
  | 'userStateBudgetMs'
  | 'awaitBudgetMs'
  | 'retrieveBudgetMs'
  | 'rankBudgetMs'
  | 'recordBudgetMs'
  | 'maxCandidates'
  | 'minCandidates'
  | 'recordFeatures'
  | 'maxUnshownCandidates'
  | 'explorationOptimism'
  | 'explorationChance'
  | 'seed'
>

/** The parameters of a request that sets no values. */
export function defaultParams(config: BlenderConfig): FeedParams {
  const { userStateBudgetMs, awaitBudgetMs, retrieveBudgetMs, rankBudgetMs, recordBudgetMs } = config
  const { maxCandidates, minCandidates, recordFeatures, maxUnshownCandidates, seed } = config
  const { explorationOptimism, explorationChance } = config
  return {
    ...{ userStateBudgetMs, awaitBudgetMs, retrieveBudgetMs, rankBudgetMs, recordBudgetMs },
    ...{
      maxCandidates,
      minCandidates,
      recordFeatures,
      maxUnshownCandidates,
      explorationOptimism,
      explorationChance,
      seed,
    },
  }
}

/** The same parameters without budgets in milliseconds: only shares of the caller's deadline apply. */
export function withoutBudgets(params: FeedParams): FeedParams {
  return {
    ...params,
    userStateBudgetMs: Infinity,
    awaitBudgetMs: Infinity,
    retrieveBudgetMs: Infinity,
    rankBudgetMs: Infinity,
    recordBudgetMs: Infinity,
  }
}
