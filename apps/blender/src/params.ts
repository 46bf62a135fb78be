import { blenderSchema, type BlenderConfig } from './config.ts'

/** The settings that each request can have its own values of. */
const perRequest = {
  userStateBudgetMs: true,
  awaitBudgetMs: true,
  retrieveBudgetMs: true,
  rankBudgetMs: true,
  recordBudgetMs: true,
  maxCandidates: true,
  relatedCandidates: true,
  relatedOrder: true,
  relatedTopicFactor: true,
  minCandidates: true,
  pagesRankedAgain: true,
  recordFeatures: true,
  recordTrace: true,
  maxUnshownCandidates: true,
  explorationOptimism: true,
  explorationChance: true,
  ordering: true,
  seed: true,
} as const

/**
 * The parameters that each request can have its own values of. Stages read them from the request, never from the settings.
 * Settings on which a guarantee depends (the served window, which pins may be shown) are not among them.
 */
export type FeedParams = Pick<BlenderConfig, keyof typeof perRequest>

/** Checks parameters, for example those of an experiment. */
export const feedParamsSchema = blenderSchema.pick(perRequest)

/** The parameters of a request that sets no values. */
export function defaultParams(config: BlenderConfig): FeedParams {
  const names = Object.keys(perRequest) as (keyof FeedParams)[]
  return Object.fromEntries(names.map((name) => [name, config[name]])) as FeedParams
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
