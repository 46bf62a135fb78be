import type { HeadMetrics } from '../artefact/manifest.ts'
import type { OrderComparison } from './order.ts'

/** The results of a head and what they are compared with. */
export interface HeadComparison extends HeadMetrics {
  /** The log loss if each row is predicted by the mean label of the training rows. */
  readonly meanLogLoss: number
  /** Mean prediction by weight. */
  readonly meanPrediction: number
  /** Standard error of the difference of `logLoss` and what it is compared with: `servingLogLoss`, else `meanLogLoss`. */
  readonly differenceError: number
}

/** What the gate decided, in a word. */
export type VerdictCode = 'passed' | 'no-labels' | 'worse-than-serving' | 'worse-than-mean' | 'worse-than-retrieval'

/** Whether a model may be published, and why. */
export interface Verdict {
  readonly passed: boolean
  readonly code: VerdictCode
  /** For people, with the figures that decided. */
  readonly reason: string
}

/** A loss this much higher is never a reason: where an action is so rare that both losses are almost 0, shares say nothing. */
const leastDifference = 0.001
/** The loss of one row more or less, natural logarithm. Rows without any action have no deviation that would show the chance. */
const rowLoss = 1

/**
 * Compares a model with the one that serves, on rows that neither learned from. It may not be worse in the log loss of any head by
 * more than `margin` (a share of the serving loss) and more than chance explains (two standard errors of the difference, or one row). Without a
 * comparable model it must not be worse than always predicting the mean of the training rows, and its order of the feeds must not
 * be worse than that of retrieval by the same measure. `order`: null, if there is nothing to compare.
 */
export function judge(
  metrics: ReadonlyMap<string, HeadComparison>,
  margin: number,
  order: OrderComparison | null,
): Verdict {
  if (metrics.size === 0) return { passed: false, code: 'no-labels', reason: 'no held-out row has a label' }
  const compared = [...metrics].map(([head, { rows, logLoss, servingLogLoss, meanLogLoss, differenceError }]) => {
    const bar = servingLogLoss ?? meanLogLoss
    const allowed = Math.max(margin * bar, leastDifference, rowLoss / rows, 2 * differenceError)
    return { head, logLoss, bar, isServing: servingLogLoss !== null, passes: logLoss - bar <= allowed }
  })
  const worse = compared.filter(({ passes }) => !passes)
  const figures = (worse.length > 0 ? worse : compared)
    .map(
      ({ head, logLoss, bar, isServing }) =>
        `${head} ${logLoss.toFixed(4)} (${isServing ? 'serving' : 'mean'} ${bar.toFixed(4)})`,
    )
    .join(', ')
  if (worse.length > 0)
    return {
      passed: false,
      code: worse.some(({ isServing }) => isServing) ? 'worse-than-serving' : 'worse-than-mean',
      reason: `worse by more than ${margin * 100} %: log loss ${figures}`,
    }
  if (order !== null && isWorseOrder(order, margin))
    return {
      passed: false,
      code: 'worse-than-retrieval',
      reason: `orders feeds worse than retrieval does: ${ndcgs(order)}`,
    }
  const ordered = order === null ? '' : `; ${ndcgs(order)}`
  return { passed: true, code: 'passed', reason: `passed the gate: log loss ${figures}${ordered}` }
}

function isWorseOrder({ ndcg, retrievalNdcg, differenceError }: OrderComparison, margin: number): boolean {
  return retrievalNdcg - ndcg > Math.max(margin * retrievalNdcg, 2 * differenceError)
}

function ndcgs({ ndcg, retrievalNdcg, feeds }: OrderComparison): string {
  return `NDCG ${ndcg.toFixed(4)} (retrieval ${retrievalNdcg.toFixed(4)}) over ${feeds} feeds`
}
