import type { HeadMetrics } from '../artefact/manifest.ts'

/** The results of a head and what they are compared with. */
export interface HeadComparison extends HeadMetrics {
  /** The log loss if each row is predicted by the mean label of the training rows. */
  readonly meanLogLoss: number
  /** Standard error of the difference of `logLoss` and what it is compared with: `servingLogLoss`, else `meanLogLoss`. */
  readonly differenceError: number
}

/** Whether a model may be published, and why. */
export interface Verdict {
  readonly passed: boolean
  /** For people, with the figures that decided. */
  readonly reason: string
}

/** A loss this much higher is never a reason: where an action is so rare that both losses are almost 0, shares say nothing. */
const leastDifference = 0.001

/**
 * Compares a model with the one that serves, on rows that neither learned from. It may not be worse in the log loss of any head by
 * more than `margin` (a share of the serving loss) and more than chance explains (two standard errors of the difference). Without a
 * comparable model it must not be worse than always predicting the mean of the training rows.
 */
export function judge(metrics: ReadonlyMap<string, HeadComparison>, margin: number): Verdict {
  if (metrics.size === 0) return { passed: false, reason: 'no held-out row has a label' }
  const compared = [...metrics].map(([head, { logLoss, servingLogLoss, meanLogLoss, differenceError }]) => {
    const bar = servingLogLoss ?? meanLogLoss
    const allowed = Math.max(margin * bar, leastDifference, 2 * differenceError)
    return {
      head,
      logLoss,
      bar,
      against: servingLogLoss === null ? 'mean' : 'serving',
      passes: logLoss - bar <= allowed,
    }
  })
  const worse = compared.filter(({ passes }) => !passes)
  const figures = (worse.length > 0 ? worse : compared)
    .map(({ head, logLoss, bar, against }) => `${head} ${logLoss.toFixed(4)} (${against} ${bar.toFixed(4)})`)
    .join(', ')
  return worse.length > 0
    ? { passed: false, reason: `worse by more than ${margin * 100} %: log loss ${figures}` }
    : { passed: true, reason: `passed the gate: log loss ${figures}` }
}
