import type { Clock } from '@freshet/domain/clock'
import { ContractError } from './errors.ts'
import { identityOf } from './followed-log.ts'
import type { LogProgress } from './log-progress.ts'
import type { EventLog } from './ports/event-log.ts'

/** Asks the log again and again which log it is: who follows it learns that it was replaced, or that it is away. */
export interface LogWatch {
  /** What a topic's log calls itself, as last heard; '': not known, or it cannot say. */
  id(topic: string): string
  /** Since when and why the log does not answer, for people; null: it does. */
  silent(): string | null
  /** Asks once. Must not be called while `run` is at work. */
  look(): Promise<void>
  /** Asks until the signal is aborted. */
  run(signal: AbortSignal): Promise<void>
}

/** What is watched, and who is told. */
export interface LogWatchOptions {
  readonly log: Pick<EventLog, 'identity' | 'ends'>
  readonly clock: Clock
  readonly topics: readonly string[]
  /** Pause between two questions, milliseconds. Default 5,000. */
  readonly everyMs?: number
  /** Silence of the log that is no hiccup any more, milliseconds. Default 15,000. */
  readonly silentAfterMs?: number
  /** Told once when a topic's log turns out to be another one than before: what was folded of it is of a log that is gone. */
  readonly onReplaced?: (error: ContractError) => void
}

/** A watch that has asked nothing yet: the log counts as silent from then on. */
export function createLogWatch(options: LogWatchOptions): LogWatch {
  const { log, clock, topics, everyMs = 5_000, silentAfterMs = 15_000 } = options
  const ids = new Map<string, string>()
  let answeredAtMs: number | null = null
  let failure = 'it has not answered yet'
  let told = false

  async function look(): Promise<void> {
    try {
      const found = await Promise.all(topics.map(async (topic) => [topic, await identityOf(log, topic)] as const))
      answeredAtMs = clock.now()
      for (const [topic, id] of found) {
        const before = ids.get(topic) ?? ''
        if (id === '') continue
        ids.set(topic, id)
        if (before === '' || before === id || told) continue
        told = true
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
 * Why what a snapshot holds is not of the log that there is now; null: it is, as far as can be told. Afterwards `progress`
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

/** Notes in `progress` which logs its positions are in from now on. */
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
