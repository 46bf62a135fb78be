import { mulberry32 } from '@freshet/domain/mulberry32'
import { estimators } from './estimators.ts'
import type { Slate } from './slate.ts'

/** What an estimator says about the target policy. */
export interface PolicyEstimate {
  readonly estimator: string
  /** Mean reward per slate. */
  readonly value: number
  readonly low: number
  readonly high: number
  /** Value minus that of the logged policy on the same slates, with its interval. */
  readonly lift: number
  readonly liftLow: number
  readonly liftHigh: number
}

/** How far the target policy is from the logged one. */
export interface Overlap {
  readonly slates: number
  readonly users: number
  /** (Σ w)² / Σ w² of the weights of whole slates: as many slates of the target policy would say as much. */
  readonly effectiveSlates: number
  /** Mean weight: 1 if the probabilities are right. */
  readonly meanWeight: number
  /** Standard error of the mean weight, by user; NaN: there is only one user. */
  readonly meanWeightError: number
  /** Share of the sum of all weights that the slate with the highest one has. */
  readonly largestShare: number
}

/** The value of a policy by each estimator. */
export interface PolicyReport {
  /** Mean reward per logged slate, with its interval. */
  readonly logged: { readonly value: number; readonly low: number; readonly high: number }
  readonly estimates: readonly PolicyEstimate[]
  readonly overlap: Overlap
  readonly warnings: readonly string[]
}

/** How intervals are made. */
export interface EvaluateOptions {
  /** In (0, 1). */
  readonly level: number
  readonly resamples: number
  readonly seed: number
}

/** Sums of one user. */
interface UserSums {
  /** Slates, and the rewards of all of them. */
  readonly totals: Float64Array
  /** Slates by position. */
  readonly reached: Float64Array
  /** By estimator: its pairs by position. */
  readonly pairs: readonly Float64Array[]
}

/**
 * Estimates the value of the target policy. Intervals are percentiles of a bootstrap over users, since slates of one user are alike. An
 * estimator that lacks something for a slate, such as probabilities of places, is left out.
 */
export function evaluatePolicy(slates: readonly Slate[], options: EvaluateOptions): PolicyReport {
  const places = slates.reduce((most, { rewards }) => Math.max(most, rewards.length), 0)
  const users = new Map<string, UserSums>()
  const usable = new Set(estimators.keys())
  for (const slate of slates) addSlate(slate, sumsOf(users, slate.userId, places), usable)
  const all = [...users.values()]
  const whole = combine(all, new Float64Array(all.length).fill(1), places)
  const draws = resampled(all, places, options)
  const quantiles = (values: readonly number[]) => {
    const sorted = [...values].sort((a, b) => a - b)
    const at = (p: number): number => sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))] ?? NaN
    return { low: at((1 - options.level) / 2), high: at((1 + options.level) / 2) }
  }
  const overlap = overlapOf(slates, users.size)
  return {
    logged: { value: whole.logged, ...quantiles(draws.map(({ logged }) => logged)) },
    estimates: [...usable].map((at) => {
      const lifts = quantiles(draws.map(({ logged, values }) => values[at]! - logged))
      return {
        estimator: estimators[at]!.name,
        value: whole.values[at]!,
        ...quantiles(draws.map(({ values }) => values[at]!)),
        lift: whole.values[at]! - whole.logged,
        liftLow: lifts.low,
        liftHigh: lifts.high,
      }
    }),
    overlap,
    warnings: warningsOf(overlap),
  }
}

function sumsOf(users: Map<string, UserSums>, userId: string, places: number): UserSums {
  const known = users.get(userId)
  if (known !== undefined) return known
  const pairs = estimators.map(({ parts }) => new Float64Array(places * parts * 2))
  const sums = { totals: new Float64Array(2), reached: new Float64Array(places), pairs }
  users.set(userId, sums)
  return sums
}

function addSlate(slate: Slate, sums: UserSums, usable: Set<number>): void {
  sums.totals[0]! += 1
  sums.totals[1]! += slate.rewards.reduce((sum, reward) => sum + reward, 0)
  for (const place of slate.rewards.keys()) sums.reached[place]! += 1
  for (const at of [...usable]) {
    const { parts, add } = estimators[at]!
    const own = new Float64Array(slate.rewards.length * parts * 2)
    if (!add(slate, own)) usable.delete(at)
    const into = sums.pairs[at]!
    for (let cell = 0; cell < own.length; cell++) into[cell]! += own[cell]!
  }
}

interface Values {
  readonly logged: number
  /** By estimator. */
  readonly values: readonly number[]
}

/** The values if each user counts as often as `times` says. */
function combine(users: readonly UserSums[], times: Float64Array, places: number): Values {
  const totals = addUp(users, times, 2, ({ totals: own }) => own)
  const reached = addUp(users, times, places, ({ reached: own }) => own)
  const slates = totals[0]!
  const values = estimators.map(({ parts, selfNormalised }, at) => {
    const sums = addUp(users, times, places * parts * 2, ({ pairs }) => pairs[at]!)
    let value = 0
    for (let pair = 0; pair < places * parts; pair++) {
      const [weighted, weight] = [sums[2 * pair]!, sums[2 * pair + 1]!]
      const share = reached[Math.floor(pair / parts)]! / slates
      if (!selfNormalised) value += weighted / slates
      else if (weight > 0) value += (share * weighted) / weight
    }
    return value
  })
  return { logged: totals[1]! / slates, values }
}

function addUp(
  users: readonly UserSums[],
  times: Float64Array,
  width: number,
  columnOf: (sums: UserSums) => Float64Array,
): Float64Array {
  const sums = new Float64Array(width)
  for (let user = 0; user < users.length; user++) {
    const count = times[user]!
    if (count === 0) continue
    const own = columnOf(users[user]!)
    for (let cell = 0; cell < width; cell++) sums[cell]! += count * own[cell]!
  }
  return sums
}

function resampled(users: readonly UserSums[], places: number, { resamples, seed }: EvaluateOptions): Values[] {
  const random = mulberry32(seed)
  return Array.from({ length: users.length < 2 ? 0 : resamples }, () => {
    const times = new Float64Array(users.length)
    for (let n = 0; n < users.length; n++) times[Math.floor(random() * users.length)]! += 1
    return combine(users, times, places)
  })
}

function overlapOf(slates: readonly Slate[], users: number): Overlap {
  let [sum, squares, largest] = [0, 0, 0]
  const byUser = new Map<string, { weights: number; slates: number }>()
  for (const { userId, steps, targetSteps } of slates) {
    const weight = steps.reduce((product, step, place) => (product * targetSteps[place]!) / step, 1)
    sum += weight
    squares += weight ** 2
    largest = Math.max(largest, weight)
    const own = byUser.get(userId) ?? { weights: 0, slates: 0 }
    byUser.set(userId, { weights: own.weights + weight, slates: own.slates + 1 })
  }
  const meanWeight = sum / slates.length
  const spread = [...byUser.values()].reduce((total, own) => total + (own.weights - meanWeight * own.slates) ** 2, 0)
  return {
    slates: slates.length,
    users,
    effectiveSlates: squares > 0 ? sum ** 2 / squares : 0,
    meanWeight,
    meanWeightError: users < 2 ? NaN : Math.sqrt(spread) / slates.length,
    largestShare: sum > 0 ? largest / sum : 0,
  }
}

/** Below this share of effective slates, or this number, estimates of whole slates are mostly noise. */
const leastShare = 0.05
const leastSlates = 100
const mostOfOne = 0.1
const mostErrors = 4

function warningsOf({ slates, effectiveSlates, largestShare, meanWeight, meanWeightError }: Overlap): string[] {
  const isThin = effectiveSlates < Math.max(leastSlates, leastShare * slates)
  return [
    ...(isThin
      ? [
          `the overlap is poor: ${slates} slates count as much as ${effectiveSlates.toFixed(0)}. The standard estimator is mostly noise, and intervals may be too narrow; prefer reward interaction, a target closer to the logged policy, or more drawn feeds`,
        ]
      : []),
    ...(largestShare > mostOfOne
      ? [`one slate has ${(100 * largestShare).toFixed(0)} % of all weights: the result depends on a single user`]
      : []),
    ...(Math.abs(meanWeight - 1) > mostErrors * meanWeightError && Math.abs(meanWeight - 1) > 0.01
      ? [
          `the mean weight is ${meanWeight.toFixed(3)} and should be 1: the recorded probabilities do not fit, or the tail of the weights was not seen`,
        ]
      : []),
  ]
}
