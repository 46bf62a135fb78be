import { around, errorOf, ratioOf, type CompareOptions, type Estimate, type Measured } from './compare.ts'
import { normalBeyond } from './distributions.ts'
import type { UserSums } from './user-sums.ts'

/** How an arm differs from the control, without what its users did before anyway. */
export interface Adjusted {
  readonly absolute: Estimate
  /** Two-sided p-value of no difference. */
  readonly p: number
  /** By which share the variance of the difference is smaller, in [0, 1]. */
  readonly varianceReduction: number
}

/**
 * Compares an arm with the control, given what users did before their first feed in an arm (CUPED; Deng et al. 2013, "Improving the
 * sensitivity of online controlled experiments by utilizing pre-experiment data"). The covariate of a user is the same metric before, as its
 * part in the ratio: sum − ratio · feeds; a user without earlier feeds has 0. Its mean differs between the arms by chance only, so
 * `difference − θ · difference of the covariate` has the same expectation; θ is chosen for the least variance. null: no covariate varies.
 */
export function adjustDifference(
  sums: UserSums,
  { arm, control }: { readonly arm: number; readonly control: number },
  measured: Measured,
  options: CompareOptions,
): Adjusted | null {
  const [treated, base] = [arm, control].map((each) => ratioOf(sums, each, measured, options))
  const covariate = covariateOf(sums, measured)
  const [before, beforeBase] = [arm, control].map((each) => meanOf(sums, each, covariate, options))
  const effects = treated!.influence.map((each, row) => each - base!.influence[row]!)
  const balance = before!.influence.map((each, row) => each - beforeBase!.influence[row]!)
  const spread = dot(balance, balance)
  const users = Math.min(treated!.users, base!.users)
  if (!(spread > 0) || users < 3) return null
  const theta = dot(effects, balance) / spread
  const value = treated!.value - base!.value - theta * (before!.value - beforeBase!.value)
  const rest = effects.map((each, row) => each - theta * balance[row]!)
  // One more number was estimated than for the difference itself.
  const error = errorOf([rest], users) * Math.sqrt((users - 1) / (users - 2))
  const variance = dot(effects, effects)
  return {
    absolute: around(value, error, options.level),
    p: value === 0 ? 1 : error > 0 ? normalBeyond(value / error) : NaN,
    varianceReduction: variance > 0 ? Math.max(0, 1 - dot(rest, rest) / variance) : 0,
  }
}

/** By row: what the user did before, around what users did on average. */
function covariateOf(sums: UserSums, measured: Measured): Float64Array {
  const rows = Array.from({ length: sums.users }, (_, row) => row)
  if (measured === 'feeds') return Float64Array.from(rows, (row) => sums.feedsBefore(row))
  const total = rows.reduce((all, row) => all + sums.sumBefore(row, measured), 0)
  const feeds = rows.reduce((all, row) => all + sums.feedsBefore(row), 0)
  const ratio = feeds > 0 ? total / feeds : 0
  return Float64Array.from(rows, (row) => sums.sumBefore(row, measured) - ratio * sums.feedsBefore(row))
}

/** The mean of a covariate over the users of an arm, with the influence of each. */
function meanOf(
  sums: UserSums,
  arm: number,
  covariate: Float64Array,
  { without }: CompareOptions,
): { readonly value: number; readonly influence: Float64Array } {
  const isIn = covariate.map((_, row) => (sums.feeds(row, arm) > 0 && without?.has(row) !== true ? 1 : 0))
  const users = isIn.reduce((sum, each) => sum + each, 0)
  const value = dot(isIn, covariate) / users
  return { value, influence: covariate.map((each, row) => (isIn[row]! * (each - value)) / users) }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let at = 0; at < a.length; at++) sum += a[at]! * b[at]!
  return sum
}
