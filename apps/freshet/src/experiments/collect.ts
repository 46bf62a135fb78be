import type { FeedServed } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import type { EventLog } from '@freshet/contracts/ports/event-log'
import { createUserSums, type UserSums } from '@freshet/experiments/statistics/user-sums'
import type { Terminal } from '../operations/terminal.ts'
import { readJoinedFeeds, type JoinedFeedsOptions } from './joined-feeds.ts'
import type { LoggedFeedsChoice } from './log-arguments.ts'
import { feedMetrics } from './metrics.ts'

/** The arms of an experiment may be at most so many. */
const maxArms = 20

/** An experiment as its feeds record it. */
export interface CollectedExperiment {
  readonly layer: string
  readonly name: string
  /** In the order of their first buckets. */
  readonly arms: readonly CollectedArm[]
  /** Sums by user; the place of an arm in them is `place`. */
  readonly sums: UserSums
  /** Versions of the experiment file. */
  readonly versions: readonly string[]
}

/** An arm as its feeds record it. */
export interface CollectedArm {
  readonly name: string
  readonly place: number
  readonly feeds: number
  readonly lowestBucket: number
  readonly highestBucket: number
  /** Distinct sessions and feeds, for layers that draw by them. */
  readonly sessions: number
  readonly pageSessions: number
}

/** The experiments of a log. */
export interface Collected {
  readonly experiments: readonly CollectedExperiment[]
  /** Feeds in the chosen time. */
  readonly feeds: number
  /** Records of feeds that cannot be used. */
  readonly damaged: number
}

interface Arm {
  readonly place: number
  feeds: number
  lowestBucket: number
  highestBucket: number
  readonly sessions: Set<string>
  readonly pageSessions: Set<string>
}

interface Experiment {
  readonly layer: string
  readonly name: string
  readonly arms: Map<string, Arm>
  readonly sums: UserSums
  readonly versions: Set<string>
}

/** What is kept of a feed. */
type Facts = Pick<FeedServed, 'userId' | 'sessionId' | 'experiments'> & {
  readonly startedAtMs: number
  readonly version: string
  /** Whether it is in the chosen time; earlier feeds say what users did before. */
  readonly counts: boolean
}

/** What a user did so far. */
interface History {
  feeds: number
  readonly sums: Float64Array
}

/**
 * Reads the feeds of a log that were exposed to experiments, with what users did then and what they did before their first exposure,
 * before the chosen time too. A feed without a user counts under its session. `reading`: where to begin to read, and how many partitions at once; default: at the beginning, one.
 */
export async function collectExperiments(
  log: EventLog,
  { fromMs, toMs, windowMs }: LoggedFeedsChoice,
  { signal, progress }: Pick<Terminal, 'signal' | 'progress'>,
  reading: Pick<JoinedFeedsOptions<unknown>, 'startAt' | 'atOnce'> = {},
): Promise<Collected> {
  const experiments = new Map<string, Experiment>()
  const histories = new Map<string, History>()
  let feeds = 0
  const { damaged } = await readJoinedFeeds<Facts>({
    ...{ log, windowMs, signal, ...reading },
    onError: (error) => progress.write(`freshet: ${error.message}; retrying\n`),
    pick(served) {
      if (served.atMs >= toMs) return null
      const counts = served.atMs >= fromMs
      if (counts) feeds++
      const { userId, sessionId, experiments: buckets, context, versions } = served
      const startedAtMs = context?.pageSessionStartedAtMs ?? served.atMs
      return { userId, sessionId, experiments: buckets, startedAtMs, version: versions?.experiments ?? '', counts }
    },
    onFeed(facts, labels) {
      const values = feedMetrics.map((metric) => metric.of(labels))
      const user = userOf(facts)
      const history = historyOf(histories, user)
      for (const bucket of facts.experiments) {
        if (bucket.experiment === '') continue
        const experiment = experimentOf(experiments, bucket)
        experiment.sums.begin(user, history.feeds, history.sums)
        if (facts.counts) addFeed(experiment, bucket, facts, values)
      }
      history.feeds++
      for (const [metric, value] of values.entries()) history.sums[metric]! += value
    },
  })
  const seen = [...experiments.values()].filter(({ arms }) => arms.size > 0)
  return { experiments: seen.map(finished), feeds, damaged }
}

function userOf({ userId, sessionId }: Pick<Facts, 'userId' | 'sessionId'>): string {
  return userId === '' ? `session/${sessionId}` : `user/${userId}`
}

function historyOf(histories: Map<string, History>, user: string): History {
  const known = histories.get(user)
  if (known !== undefined) return known
  const made = { feeds: 0, sums: new Float64Array(feedMetrics.length) }
  histories.set(user, made)
  return made
}

type Bucket = FeedServed['experiments'][number]

function experimentOf(experiments: Map<string, Experiment>, { layer, experiment: name }: Bucket): Experiment {
  const key = `${layer}/${name}`
  const known = experiments.get(key)
  if (known !== undefined) return known
  const sums = createUserSums(maxArms, feedMetrics.length)
  const made = { layer, name, arms: new Map<string, Arm>(), sums, versions: new Set<string>() }
  experiments.set(key, made)
  return made
}

function addFeed(experiment: Experiment, { arm: name, bucket }: Bucket, facts: Facts, values: readonly number[]): void {
  const { arms, sums, versions } = experiment
  let arm = arms.get(name)
  if (arm === undefined) {
    if (arms.size === maxArms) return
    const sets = { sessions: new Set<string>(), pageSessions: new Set<string>() }
    arm = { place: arms.size, feeds: 0, lowestBucket: bucket, highestBucket: bucket, ...sets }
    arms.set(name, arm)
  }
  const { userId, sessionId, startedAtMs, version } = facts
  arm.feeds++
  arm.lowestBucket = Math.min(arm.lowestBucket, bucket)
  arm.highestBucket = Math.max(arm.highestBucket, bucket)
  arm.sessions.add(`${userId}/${sessionId}`)
  arm.pageSessions.add(`${userId}/${sessionId}/${startedAtMs}`)
  versions.add(version)
  sums.add(userOf(facts), arm.place, values)
}

function finished({ layer, name, arms, sums, versions }: Experiment): CollectedExperiment {
  const all = [...arms].map(([arm, { sessions, pageSessions, ...rest }]): CollectedArm => {
    return { name: arm, ...rest, sessions: sessions.size, pageSessions: pageSessions.size }
  })
  all.sort((a, b) => a.lowestBucket - b.lowestBucket)
  return { layer, name, arms: all, sums, versions: [...versions] }
}
