import { requestFeatures } from '@freshet/domain/features/request'
import { retrievalFeatures } from '@freshet/domain/features/retrieval'
import { planFeatures } from '@freshet/ranking/features/plan'
import { readCandidates } from '@freshet/ranking/features/read-candidates'
import { noPinFacts, type RankingPage } from '@freshet/ranking/serving/page'

/** Features whose inputs a feed records: those of retrieval and of the time of the request. */
const derivable: ReadonlySet<string> = new Set([...retrievalFeatures, ...requestFeatures].map(({ name }) => name))

/** Features of a feed's pins, computed again: one row of `names` per pin. */
export interface LoggedFeatures {
  readonly names: readonly string[]
  readonly values: Float32Array
}

/**
 * Computes again those of the named features whose inputs a feed records. The others read the state of the user and of the pins,
 * which no feed records.
 */
export function featuresOfRecord(page: RankingPage, featureNames: readonly string[]): LoggedFeatures {
  const plan = planFeatures(featureNames.filter((name) => derivable.has(name)))
  return { names: plan.names, values: readCandidates(plan, page, noPinFacts).features }
}
