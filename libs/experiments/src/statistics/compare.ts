import { normalBeyond, normalQuantile } from './distributions.ts'
import type { UserSums } from './user-sums.ts'

/** A number with its standard error and an interval. */
export interface Estimate {
  readonly value: number
  readonly standardError: number
  readonly low: number
  readonly high: number
}

/** How an arm differs from the control. */
export interface Difference {
  readonly absolute: Estimate
  /** As a share of the control; null: the control is 0. */
  readonly relative: Estimate | null
  /** Two-sided p-value of no difference. */
  readonly p: number
}

/** Which users count, and how sure intervals are. */
export interface CompareOptions {
  /** Rows of users who are left out. */
  readonly without?: ReadonlySet<number>
  /** Probability that an interval contains the truth, for example 0.95. */
  readonly level: number
  /** What a sum is divided by: the feeds of the arm, or its users. */
  readonly per: 'feed' | 'user'
}

/** The sum that is compared: a metric, or the number of feeds. */
export type Measured = number | 'feeds'

/** A ratio with the influence of each user on it, by which its variance follows. */
interface Ratio {
  readonly value: number
  /** By row: (sum − value · divisor) / total divisor. 0: not in the arm. */
  readonly influence: Float64Array
  /** Users of the arm. */
  readonly users: number
}

/**
 * A metric of one arm: Σ sums / Σ feeds over its users. Users are independent of each other, their feeds are not: the variance of the ratio
 * is that of the users' linearised values (delta method; Deng et al. 2018, "Applying the delta method in metric analytics").
 */
export function estimateArm(sums: UserSums, arm: number, measured: Measured, options: CompareOptions): Estimate {
  const { value, influence, users } = ratioOf(sums, arm, measured, options)
  return around(value, errorOf([influence], users), options.level)
}

/** Users who had feeds in an arm. */
export function usersOf(sums: UserSums, arm: number, { without }: Pick<CompareOptions, 'without'>): number {
  let users = 0
  for (let row = 0; row < sums.users; row++) if (sums.feeds(row, arm) > 0 && without?.has(row) !== true) users++
  return users
}

/** Compares an arm with the control. Users may have feeds in both arms: their influences are paired. */
export function compareArms(
  sums: UserSums,
  { arm, control }: { readonly arm: number; readonly control: number },
  measured: Measured,
  options: CompareOptions,
): Difference {
  const treated = ratioOf(sums, arm, measured, options)
  const base = ratioOf(sums, control, measured, options)
  const users = Math.min(treated.users, base.users)
  const value = treated.value - base.value
  const error = errorOf([treated.influence, base.influence.map((each) => -each)], users)
  const relativeTo = base.value
  const relative =
    relativeTo === 0
      ? null
      : around(
          treated.value / relativeTo - 1,
          errorOf(
            [
              treated.influence.map((each) => each / relativeTo),
              base.influence.map((each) => (-each * treated.value) / relativeTo ** 2),
            ],
            users,
          ),
          options.level,
        )
  const p = value === 0 ? 1 : error > 0 ? normalBeyond(value / error) : NaN
  return { absolute: around(value, error, options.level), relative, p }
}

/** A metric of one arm with the influence of each user. */
export function ratioOf(sums: UserSums, arm: number, measured: Measured, { without, per }: CompareOptions): Ratio {
  const totals = { sum: 0, divisor: 0, users: 0 }
  const counts = (row: number): boolean => sums.feeds(row, arm) > 0 && without?.has(row) !== true
  const sumOf = (row: number): number => (measured === 'feeds' ? sums.feeds(row, arm) : sums.sum(row, arm, measured))
  const divisorOf = (row: number): number => (per === 'feed' ? sums.feeds(row, arm) : 1)
  for (let row = 0; row < sums.users; row++) {
    if (!counts(row)) continue
    totals.sum += sumOf(row)
    totals.divisor += divisorOf(row)
    totals.users++
  }
  const value = totals.divisor === 0 ? NaN : totals.sum / totals.divisor
  const influence = new Float64Array(sums.users)
  for (let row = 0; row < sums.users; row++)
    if (counts(row)) influence[row] = (sumOf(row) - value * divisorOf(row)) / totals.divisor
  return { value, influence, users: totals.users }
}

/** Standard error of a sum of influences. `users`: of the smaller arm, for the correction of small samples. */
export function errorOf(parts: readonly Float64Array[], users: number): number {
  if (users < 2) return NaN
  const rows = parts[0]!.length
  let squares = 0
  for (let row = 0; row < rows; row++) squares += parts.reduce((sum, part) => sum + part[row]!, 0) ** 2
  return Math.sqrt((squares * users) / (users - 1))
}

/** An estimate with its interval under the normal distribution. */
export function around(value: number, standardError: number, level: number): Estimate {
  const reach = normalQuantile(0.5 + level / 2) * standardError
  return { value, standardError, low: value - reach, high: value + reach }
}
