import type { EventLog } from '@freshet/contracts/ports/event-log'
import type { Terminal } from '../../operations/terminal.ts'
import { readJoinedFeeds } from '../joined-feeds.ts'
import type { LoggedFeedsChoice } from '../log-arguments.ts'
import { drawnFeedOf, type DrawnFeed, type DrawnFeedProblem, type RewardedFeed } from './drawn-feeds.ts'
import { rewardOf, type RewardName } from './rewards.ts'

/** The drawn feeds of a log, and how many it has that cannot be judged. */
export interface DrawnFeeds {
  readonly feeds: readonly RewardedFeed[]
  readonly leftOut: Record<DrawnFeedProblem, number>
}

/** What is read of drawn feeds. */
interface DrawnChoice extends Omit<LoggedFeedsChoice, 'level'> {
  readonly reward: RewardName
  /** The heads whose predictions are kept: those of all heads would take several times the memory. */
  readonly heads: ReadonlySet<string>
}

/** Reads the feeds whose order was drawn at random, with what users did. */
export async function collectDrawn(
  log: EventLog,
  { fromMs, toMs, windowMs, reward, heads }: DrawnChoice,
  { signal, progress }: Pick<Terminal, 'signal' | 'progress'>,
): Promise<DrawnFeeds> {
  const feeds: RewardedFeed[] = []
  const leftOut = { 'not-whole': 0, 'values-unknown': 0, damaged: 0 }
  const { damaged } = await readJoinedFeeds<DrawnFeed>({
    ...{ log, windowMs, signal },
    onError: (error) => progress.write(`freshet: ${error.message}; retrying\n`),
    pick(served) {
      if (served.atMs < fromMs || served.atMs >= toMs) return null
      const drawn = drawnFeedOf(served)
      if (drawn === null) return null
      if (typeof drawn !== 'string') return withHeads(drawn, heads)
      leftOut[drawn]++
      return null
    },
    onFeed: (feed, labels) =>
      void feeds.push({ feed, rewards: Float64Array.from(labels, (each) => rewardOf(reward, each)) }),
  })
  // A record that cannot be read may be of a drawn feed.
  leftOut.damaged += damaged
  return { feeds, leftOut }
}

function withHeads(feed: DrawnFeed, heads: ReadonlySet<string>): DrawnFeed {
  const kept = (predictions: DrawnFeed['predictions']) => new Map([...predictions].filter(([head]) => heads.has(head)))
  return { ...feed, predictions: kept(feed.predictions), restPredictions: kept(feed.restPredictions) }
}
