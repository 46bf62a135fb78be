import type { BlenderConfig } from './config.ts'

/**
 * What a request may set of its own: stages read these from the request, never from the settings. What keeps a promise
 * (windows of what was served, which pins may be shown at all) is not among them.
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
  | 'seed'
>

/** The parameters of a request that sets none. */
export function defaultParams(config: BlenderConfig): FeedParams {
  const { userStateBudgetMs, awaitBudgetMs, retrieveBudgetMs, rankBudgetMs, recordBudgetMs } = config
  const { maxCandidates, minCandidates, recordFeatures, maxUnshownCandidates, seed } = config
  return {
    ...{ userStateBudgetMs, awaitBudgetMs, retrieveBudgetMs, rankBudgetMs, recordBudgetMs },
    ...{ maxCandidates, minCandidates, recordFeatures, maxUnshownCandidates, seed },
  }
}

/** Parameters under which budgets in milliseconds don't hold, only shares of the time that the caller gave. */
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
