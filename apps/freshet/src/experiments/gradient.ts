import { float32Column } from '@freshet/contracts/bytes/columns'
import type { FeedServed } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import type { EventLog } from '@freshet/contracts/ports/event-log'
import { compareArms, usersOf, type Difference, type Estimate } from '@freshet/experiments/statistics/compare'
import { createUserSums, type UserSums } from '@freshet/experiments/statistics/user-sums'
import { OperationError } from '../operations/errors.ts'
import { openLog, withOpen } from '../operations/platform.ts'
import type { Terminal } from '../operations/terminal.ts'
import { readJoinedFeeds } from './joined-feeds.ts'
import { choiceOf, type LoggedFeedsArguments, type LoggedFeedsChoice } from './log-arguments.ts'
import { feedMetrics } from './metrics.ts'
import { interval, neverLines, pText, tableLines } from './report-text.ts'

/** What the weight of a head does to a metric. */
interface Effect {
  readonly metric: string
  /** Change of the metric when the weight grows by the factor e. */
  readonly perLogWeight: Estimate
  /** As a share of the metric of the users with the lower weight; null: it is 0. */
  readonly relative: Estimate | null
  readonly p: number
}

/** What the weight of a head does. */
export interface HeadGradient {
  readonly head: string
  /** Half of the mean distance between the logarithms of both factors. */
  readonly sigma: number
  readonly usersAbove: number
  readonly usersBelow: number
  /** Users who met both factors; they are left out. */
  readonly crossovers: number
  readonly effects: readonly Effect[]
}

const [below, above] = [0, 1] as const
/** Prints effects of a weight that is higher by 10 %. */
const printedStep = Math.log(1.1)
const maxHeads = 64

/**
 * `freshet experiments gradient`: what the weight of each head in the utility does to each metric, from feeds of utility tuning: the
 * difference between the users with the higher and with the lower weight, divided by the distance of the logarithms of both weights.
 * Throws EXPERIMENTS_EMPTY if no feed has factors.
 */
export async function runExperimentsGradient(given: LoggedFeedsArguments, terminal: Terminal): Promise<void> {
  const choice = choiceOf(given)
  const heads = await withOpen(openLog(given), ({ log }) => measureGradient(log, choice, terminal))
  if (heads.length === 0)
    throw new OperationError(
      'EXPERIMENTS_EMPTY',
      'no feed in this time has factors on heads; set blender.utilityTuning, or another --from and --to',
    )
  if (given.json === true) terminal.write(`${JSON.stringify({ level: choice.level, heads })}\n`)
  else for (const line of gradientLines(heads, choice.level)) terminal.write(`${line}\n`)
}

interface Head {
  readonly sums: UserSums
  /** Sum of the logarithms of the factors, and number of feeds, of each side. */
  readonly logs: [number, number]
  readonly feeds: [number, number]
}

/** Reads the feeds with factors on heads. A head with only one factor has no gradient. */
export async function measureGradient(
  log: EventLog,
  { fromMs, toMs, windowMs, level }: LoggedFeedsChoice,
  { signal, progress }: Pick<Terminal, 'signal' | 'progress'>,
): Promise<HeadGradient[]> {
  const heads = new Map<string, Head>()
  const { damaged } = await readJoinedFeeds<Pick<FeedServed, 'userId' | 'headFactors'>>({
    ...{ log, windowMs, signal },
    onError: (error) => progress.write(`freshet: ${error.message}; retrying\n`),
    pick({ atMs, userId, headFactors }) {
      const counts = atMs >= fromMs && atMs < toMs && userId !== '' && headFactors !== undefined
      return counts ? { userId, headFactors } : null
    },
    onFeed({ userId, headFactors }, labels) {
      const values = feedMetrics.map((metric) => metric.of(labels))
      const factors = float32Column(headFactors!.factors)
      for (const [at, name] of headFactors!.heads.entries())
        addFeed(heads, name, Math.log(factors[at]!), userId, values)
    },
  })
  if (damaged > 0) progress.write(`freshet: ${damaged} records cannot be read\n`)
  return [...heads].flatMap(([name, head]) => gradientOf(name, head, level))
}

function addFeed(
  heads: Map<string, Head>,
  name: string,
  logFactor: number,
  userId: string,
  values: readonly number[],
): void {
  if (!Number.isFinite(logFactor) || logFactor === 0) return
  let head = heads.get(name)
  if (head === undefined) {
    if (heads.size === maxHeads) return
    head = { sums: createUserSums(2, feedMetrics.length), logs: [0, 0], feeds: [0, 0] }
    heads.set(name, head)
  }
  const side = logFactor > 0 ? above : below
  head.logs[side] += logFactor
  head.feeds[side]++
  head.sums.add(userId, side, values)
}

function gradientOf(name: string, { sums, logs, feeds }: Head, level: number): HeadGradient[] {
  if (feeds[below] === 0 || feeds[above] === 0) return []
  const distance = logs[above] / feeds[above] - logs[below] / feeds[below]
  const crossovers = sums.crossovers()
  const options = { without: new Set(crossovers), level, per: 'feed' } as const
  return [
    {
      head: name,
      sigma: distance / 2,
      usersAbove: usersOf(sums, above, options),
      usersBelow: usersOf(sums, below, options),
      crossovers: crossovers.length,
      effects: feedMetrics.map(({ name: metric }, measured) => {
        const difference = compareArms(sums, { arm: above, control: below }, measured, options)
        return effectOf(`${metric} per feed`, difference, distance)
      }),
    },
  ]
}

function effectOf(metric: string, { absolute, relative, p }: Difference, distance: number): Effect {
  return {
    metric,
    perLogWeight: times(absolute, 1 / distance),
    relative: relative === null ? null : times(relative, 1 / distance),
    p,
  }
}

function times({ value, standardError, low, high }: Estimate, factor: number): Estimate {
  return { value: value * factor, standardError: standardError * factor, low: low * factor, high: high * factor }
}

function gradientLines(heads: readonly HeadGradient[], level: number): string[] {
  return [
    `Change of each metric if the weight of a head grows by 10 %. Intervals of ${Math.round(100 * level)} %, variances by user`,
    ...heads.flatMap(({ head, sigma, usersAbove, usersBelow, crossovers, effects }) => {
      const left = crossovers === 0 ? '' : `; ${crossovers} users met both and are left out`
      const title = `head ${head}, sigma ${Number(sigma.toFixed(3))}: ${usersAbove} users above, ${usersBelow} below${left}`
      const seen = effects.filter(({ perLogWeight }) => perLogWeight.standardError !== 0)
      const rows = seen.map(({ metric, perLogWeight, relative, p }) => [
        metric,
        interval(times(perLogWeight, printedStep), 1, true),
        relative === null ? 'it is 0' : `${interval(times(relative, printedStep), 100, true)} %`,
        pText(p),
      ])
      const never = effects.filter((effect) => !seen.includes(effect)).map(({ metric }) => metric)
      return ['', title, ...tableLines([['metric', 'change', 'relative', 'p'], ...rows]), ...neverLines(never)]
    }),
  ]
}
