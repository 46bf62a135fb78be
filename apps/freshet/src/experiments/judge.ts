import type { Experiment, Experiments, Unit } from '@freshet/experiments/experiments'
import { adjustDifference, type Adjusted } from '@freshet/experiments/statistics/adjust'
import {
  compareArms,
  estimateArm,
  usersOf,
  type Difference,
  type Estimate,
} from '@freshet/experiments/statistics/compare'
import { sampleRatioOf, type SampleRatio } from '@freshet/experiments/statistics/sample-ratio'
import type { CollectedArm, CollectedExperiment } from './collect.ts'
import { feedMetrics } from './metrics.ts'

/** What a metric is in one arm. */
export interface MetricReport {
  readonly metric: string
  readonly estimate: Estimate
  /** null: this is the control. */
  readonly difference: Difference | null
  /** The difference without what users did before their exposure anyway; null: nothing is known, or users are not drawn. */
  readonly adjusted: Adjusted | null
}

/** What one arm did. */
export interface ArmReport {
  readonly arm: string
  readonly users: number
  readonly feeds: number
  readonly metrics: readonly MetricReport[]
}

/** The result of an experiment. */
export interface ExperimentReport {
  readonly layer: string
  readonly experiment: string
  readonly unit: Unit
  readonly control: string
  /** Whether control, unit and shares are from the experiment file. */
  readonly isPlanned: boolean
  readonly versions: readonly string[]
  readonly arms: readonly ArmReport[]
  /** In the order of the arms, then the arms of the file that were not seen; null: shares are not known. */
  readonly sampleRatio: SampleRatio | null
  /** Users who met more than one arm. If users are drawn, they are left out. */
  readonly crossovers: number
  readonly warnings: readonly string[]
}

const fewUsers = 30

/**
 * Judges an experiment. Without an experiment file, the control is the arm with the first buckets, users are drawn, and the
 * shares are those of the buckets that were seen.
 */
export function judge(collected: CollectedExperiment, plan: Experiments | null, level: number): ExperimentReport {
  const { layer, name, arms, sums, versions } = collected
  const planned = plannedOf(collected, plan)
  const unit = planned?.unit ?? 'user'
  const control = arms.find((arm) => arm.name === planned?.experiment.control) ?? arms[0]!
  const crossovers = sums.crossovers()
  const without = new Set(unit === 'user' ? crossovers : [])
  const ordered = [control, ...arms.filter((arm) => arm !== control)]
  const reports = ordered.map((arm): ArmReport => {
    const measures = [
      ...feedMetrics.map(({ name: metric }, measured) => ({
        metric: `${metric} per feed`,
        measured,
        per: 'feed' as const,
      })),
      { metric: 'feeds per user', measured: 'feeds' as const, per: 'user' as const },
    ]
    return {
      arm: arm.name,
      users: usersOf(sums, arm.place, { without }),
      feeds: arm.feeds,
      metrics: measures.map(({ metric, measured, per }) => {
        const options = { without, level, per }
        const places = { arm: arm.place, control: control.place }
        return {
          metric,
          estimate: estimateArm(sums, arm.place, measured, options),
          difference: arm === control ? null : compareArms(sums, places, measured, options),
          adjusted: arm === control || unit !== 'user' ? null : adjustDifference(sums, places, measured, options),
        }
      }),
    }
  })
  // An arm that lost all its users is the largest mismatch of all.
  const unseen = (planned?.experiment.arms ?? []).filter(({ name: own }) => !arms.some((arm) => arm.name === own))
  const counts = [...ordered.map((arm, at) => unitsOf(arm, unit, reports[at]!.users)), ...unseen.map(() => 0)]
  const weights = [
    ...ordered.map((arm) => weightOf(arm, planned?.experiment)),
    ...unseen.map(({ firstBucket, endBucket }) => endBucket - firstBucket),
  ]
  const sampleRatio = weights.length < 2 || weights.includes(0) ? null : sampleRatioOf(counts, weights)
  return {
    ...{ layer, experiment: name, unit, control: control.name, isPlanned: planned !== null, versions },
    ...{ arms: reports, sampleRatio, crossovers: crossovers.length },
    warnings: [
      ...unseen.map((arm) => `the arm ${arm.name} of the experiment file was not seen`),
      ...warningsOf(reports, sampleRatio, { unit, crossovers: crossovers.length }),
    ],
  }
}

function plannedOf({ layer, name }: CollectedExperiment, plan: Experiments | null) {
  const found = plan?.layers.find((each) => each.name === layer)
  const experiment = found?.experiments.find((each) => each.name === name)
  return found === undefined || experiment === undefined ? null : { unit: found.unit, experiment }
}

function unitsOf({ sessions, pageSessions }: CollectedArm, unit: Unit, users: number): number {
  return unit === 'user' ? users : unit === 'session' ? sessions : pageSessions
}

function weightOf({ name, lowestBucket, highestBucket }: CollectedArm, experiment: Experiment | undefined): number {
  if (experiment === undefined) return highestBucket - lowestBucket + 1
  const arm = experiment.arms.find((each) => each.name === name)
  return arm === undefined ? 0 : arm.endBucket - arm.firstBucket
}

function warningsOf(
  arms: readonly ArmReport[],
  ratio: SampleRatio | null,
  { unit, crossovers }: { readonly unit: Unit; readonly crossovers: number },
): string[] {
  return [
    ...(arms.length < 2 ? ['only one arm was seen: there is nothing to compare'] : []),
    ...(ratio === null && arms.length > 1
      ? ['the experiment file does not have all arms: the sample ratio is not known']
      : []),
    ...(ratio?.isMismatch === true
      ? [
          'sample-ratio mismatch: the arms do not have the users that their shares promise. Do not trust the differences',
        ]
      : []),
    ...(crossovers > 0 && unit === 'user'
      ? [
          `${crossovers} users met more than one arm and are left out: shares or salts have changed, or the log has several versions of the file`,
        ]
      : []),
    ...arms
      .filter(({ users }) => users < fewUsers)
      .map(({ arm, users }) => `${arm} has only ${users} users: its intervals are too narrow`),
  ]
}
