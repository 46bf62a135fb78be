import type { Clock } from '@freshet/domain/clock'
import { ContractError } from './errors.ts'
import { identityOf } from './followed-log.ts'
import type { LogProgress } from './log-progress.ts'
import type { EventLog } from './ports/event-log.ts'

/** Asks the log for its identity at intervals, and reports that it was replaced or does not answer. */
export interface LogWatch {
  /** The last known identity of a topic's log; '': not known, or the log has none. */
  id(topic: string): string
  /** Since when and why the log has not answered, for people; null: it answers. */
  silent(): string | null
  /** Asks once. Must not be called while `run` is running. */
  look(): Promise<void>
  /** Asks until the signal is aborted. */
  run(signal: AbortSignal): Promise<void>
}

/** What the watch asks, how often, and whom it informs. */
export interface LogWatchOptions {
  readonly log: Pick<EventLog, 'identity' | 'ends'>
  readonly clock: Clock
  readonly topics: readonly string[]
  /** Pause between two checks, milliseconds. Default 5,000. */
  readonly everyMs?: number
  /** The watch reports silence only after this time, milliseconds. Default 15,000. */
  readonly silentAfterMs?: number
  /** Called once when a topic's log has been replaced: everything folded so far came from a log that no longer exists. */
  readonly onReplaced?: (error: ContractError) => void
}

/** Creates a watch that has not asked yet; until the first answer the log counts as silent. */
export function createLogWatch(options: LogWatchOptions): LogWatch {
  const { log, clock, topics, everyMs = 5_000, silentAfterMs = 15_000 } = options
  const ids = new Map<string, string>()
  let answeredAtMs: number | null = null
  let failure = 'it has not answered yet'
  let reported = false

  async function look(): Promise<void> {
    try {
      const found = await Promise.all(topics.map(async (topic) => [topic, await identityOf(log, topic)] as const))
      answeredAtMs = clock.now()
      for (const [topic, id] of found) {
        const before = ids.get(topic) ?? ''
        if (id === '') continue
        ids.set(topic, id)
        if (before === '' || before === id || reported) continue
        reported = true
        options.onReplaced?.(replacedWhileRead(topic))
      }
    } catch (error) {
      failure = (error as Error).message
    }
  }

  return {
    id: (topic) => ids.get(topic) ?? '',
    silent() {
      if (answeredAtMs === null) return `the log does not answer: ${failure}`
      const quietMs = clock.now() - answeredAtMs
      if (quietMs <= silentAfterMs + everyMs) return null
      return `the log has not answered for ${Math.round(quietMs / 1000)} s: ${failure}`
    },
    look,
    async run(signal) {
      while (!signal.aborted) {
        await look()
        await clock.sleep(everyMs, signal).catch(() => undefined)
      }
    },
  }
}

/**
 * Why a snapshot does not belong to the current log; null: nothing speaks against it. Afterwards `progress`
 * knows which logs it follows.
 */
export async function snapshotProblem(
  log: Pick<EventLog, 'identity' | 'ends'>,
  progress: LogProgress,
  topics: readonly string[],
): Promise<string | null> {
  for (const topic of topics) {
    const [id, ends] = await Promise.all([identityOf(log, topic), log.ends(topic)])
    const before = progress.log(topic) ?? ''
    if (before !== '' && id !== '' && before !== id) return `it was made from another ${topic} than there is now`
    const partition = ends.findIndex((end, at) => (progress.position(topic, at) ?? 0) > end)
    if (partition >= 0)
      return `it is ahead of the log: ${topic}/${partition} ends at ${ends[partition]}, before its position ${progress.position(topic, partition)}`
  }
  return null
}

/** Records in `progress` which logs its positions are in from now on. */
export async function followLogs(
  log: Pick<EventLog, 'identity'>,
  progress: LogProgress,
  topics: readonly string[],
): Promise<void> {
  for (const topic of topics) {
    const id = await identityOf(log, topic)
    if (id !== '') progress.follow(topic, id)
  }
}

function replacedWhileRead(topic: string): ContractError {
  return new ContractError(
    'LOG_REPLACED',
    `${topic} was replaced by another log while it was read; what was folded is of the one before, so this process starts again`,
  )
}
