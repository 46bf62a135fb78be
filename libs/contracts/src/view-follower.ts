import type { Clock } from '@freshet/domain/clock'
import type { ContractError } from './errors.ts'
import type { LogProgress, Wanted } from './log-progress.ts'
import { createLogWatch, followLogs } from './log-watch.ts'
import type { BatchHandler, EventLog, LogReader, TopicPartition } from './ports/event-log.ts'

/** Keeps views in step with the log: reads topics from where the views are, and knows whether they have caught up. */
export interface ViewFollower {
  /** Starts reading. The views have caught up when they reach the log's end at the time of this call. */
  start(): Promise<void>
  /** Why the views are not ready, for people; null: they have caught up with the log's end at the start. */
  unready(): string | null
  /** Why the log does not answer, for people; null: it answers, or the follower does not watch it. */
  warning(): string | null
  /** Records that are not folded yet; 0 before the start. */
  lag(): Promise<number>
  /** Whether `start` has begun to read. */
  isReading(): boolean
  /** Stops reading and waits for the batch in progress. */
  stop(): Promise<void>
}

/** What a follower reads, and who handles it. */
export interface ViewFollowerOptions {
  readonly log: EventLog
  readonly clock: Clock
  readonly topics: readonly string[]
  readonly maxBatchRecords: number
  /** Names the views in messages, plural, e.g. `the views`. */
  readonly subject: string
  /** How far the views are; called at every use, because a restored snapshot may replace it. */
  readonly progress: () => LogProgress
  readonly onBatch: BatchHandler
  readonly onError: (error: Error, at?: TopicPartition) => void
  /** Called when the log was replaced by another one. If present, the follower asks the log for its identity every few seconds. */
  readonly onLogReplaced?: ((error: ContractError) => void) | undefined
}

/** Creates a follower; it does nothing before `start()`. */
export function createViewFollower(options: ViewFollowerOptions): ViewFollower {
  const { log, clock, topics, subject, progress, onLogReplaced } = options
  const isWatched = onLogReplaced !== undefined
  const stopping = new AbortController()
  const logWatch = createLogWatch({ log, clock, topics, ...(isWatched && { onReplaced: onLogReplaced }) })
  let watching: Promise<void> = Promise.resolve()
  let goal: readonly Wanted[] | null = null
  let reader: LogReader | null = null

  return {
    async start() {
      await followLogs(log, progress(), topics)
      if (isWatched) watching = logWatch.run(stopping.signal)
      goal = await endsOf(log, topics, stopping.signal)
      reader = await log.readAll({
        topics,
        maxBatchRecords: options.maxBatchRecords,
        startAt: ({ topic, partition }) => progress().position(topic, partition),
        onBatch: options.onBatch,
        onError: options.onError,
      })
    },
    unready() {
      if (goal === null) return `${subject} have not started to read the log`
      const behind = progress().missing(goal).length
      return behind === 0 ? null : `${subject} are catching up: ${behind} of ${goal.length} partitions are behind`
    },
    warning: () => (isWatched ? logWatch.silent() : null),
    lag: async () => (reader === null ? 0 : reader.lag()),
    isReading: () => reader !== null,
    async stop() {
      stopping.abort()
      await watching
      await reader?.stop()
    },
  }
}

async function endsOf(
  log: Pick<EventLog, 'ends'>,
  topics: readonly string[],
  signal: AbortSignal,
): Promise<readonly Wanted[]> {
  const byTopic = await Promise.all(
    topics.map(async (topic) => {
      const ends = await log.ends(topic, { signal })
      return ends.map((position, partition) => ({ topic, partition, position }))
    }),
  )
  return byTopic.flat()
}
