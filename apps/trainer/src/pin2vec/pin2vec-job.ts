import type { ContractError } from '@freshet/contracts/errors'
import { createLogProgress } from '@freshet/contracts/log-progress'
import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'
import type { EventLog, LogBatch, TopicPartition } from '@freshet/contracts/ports/event-log'
import { createViewFollower } from '@freshet/contracts/view-follower'
import type { Clock } from '@freshet/domain/clock'
import { createPin2Vec, type Pin2Vec } from '@freshet/embeddings/pin2vec'
import type { TrainerConfig } from '../config.ts'
import { restoreCheckpoint, saveCheckpoint, type Learned } from './checkpoint.ts'
import { learnedTopics, learnRecord } from './learn.ts'
import { publishTouched } from './publish.ts'

/** What the job needs from outside. */
export interface Pin2VecJobOptions {
  readonly log: EventLog
  readonly clock: Clock
  readonly config: TrainerConfig
  /** Where checkpoints are kept; null: nowhere. */
  readonly checkpoints: ArtefactStore | null
  readonly onError: (error: Error, at?: TopicPartition) => void
  /** Called when the log was replaced by another one. Where it is given, the job asks the log every few seconds which one it is. */
  readonly onLogReplaced?: (error: ContractError) => void
}

/** Learns pin embeddings from the stream and publishes the rows that changed. */
export interface Pin2VecJob {
  /** Learns from one batch, and publishes where it is time; what the reader calls, and what a lockstep run calls itself. */
  fold(batch: LogBatch): Promise<void>
  /** Publishes what has changed, now. */
  publish(): Promise<void>
  start(): Promise<void>
  /** What is wrong although the job goes on, in one line; null: nothing. */
  warning(): string | null
  lag(): Promise<number>
  stats(): {
    readonly pins: number
    readonly pairs: number
    readonly published: number
    readonly bytes: number
    readonly rejected: number
  }
  /** Stops reading, publishes the rest and writes a last checkpoint. */
  stop(): Promise<void>
}

/** Composes the job; nothing runs before `start()`. */
export function createPin2VecJob(options: Pin2VecJobOptions): Pin2VecJob {
  const { log, clock, config, checkpoints, onError } = options
  const space = `pin2vec-${config.dimensions}-${config.seed}`
  let learned: Learned = { model: emptyModel(), progress: createLogProgress() }
  let publishedAtMs = Number.NEGATIVE_INFINITY
  let lastTurn: Promise<void> = Promise.resolve()
  let published = 0
  let rejected = 0
  const stopping = new AbortController()
  let chores: Promise<unknown> = Promise.resolve()
  const follower = createViewFollower({
    log,
    clock,
    topics: learnedTopics,
    maxBatchRecords: config.maxBatchRecords,
    subject: 'the embeddings',
    progress: () => learned.progress,
    onBatch: fold,
    onError,
    onLogReplaced: options.onLogReplaced,
  })

  function emptyModel(): Pin2Vec {
    return createPin2Vec({ dimensions: config.dimensions, maxPins: config.maxPins, seed: config.seed })
  }

  async function fold({ topic, partition, records, next }: LogBatch): Promise<void> {
    const { model, progress } = learned
    const done = progress.position(topic, partition) ?? 0
    for (const record of records) {
      if (record.position < done) continue
      try {
        learnRecord(model, topic, record)
      } catch {
        // The updater sets aside what cannot be decoded; here it teaches nothing.
        rejected++
      }
    }
    progress.advance(topic, partition, next)
    if (clock.now() - publishedAtMs >= config.publishIntervalMs) await publish()
  }

  /** One after another, so that no rows are on their way out while others are taken or the model is saved. */
  function inTurn(work: () => Promise<void>): Promise<void> {
    lastTurn = lastTurn.then(work).catch((error: unknown) => onError(error as Error))
    return lastTurn
  }

  /** Rows that could not be written are written the next time. */
  function publish(): Promise<void> {
    return inTurn(async () => {
      publishedAtMs = clock.now()
      published += await publishTouched(learned.model, {
        log,
        space,
        maxRows: config.maxPublishRows,
        nowMs: publishedAtMs,
      })
    })
  }

  async function checkpoint(): Promise<void> {
    if (checkpoints === null) return
    await publish()
    await inTurn(() => saveCheckpoint(checkpoints, learned))
  }

  async function every(intervalMs: number, work: () => Promise<void>): Promise<void> {
    while (!stopping.signal.aborted) {
      await clock.sleep(intervalMs, stopping.signal).catch(() => undefined)
      if (!stopping.signal.aborted) await work()
    }
  }

  return {
    fold,
    publish,
    async start() {
      if (checkpoints !== null)
        learned = await restoreCheckpoint({ log, checkpoints, emptyModel, onProblem: (error) => onError(error) })
      await follower.start()
      chores = Promise.all([every(config.publishIntervalMs, publish), every(config.checkpointIntervalMs, checkpoint)])
    },
    warning: () => follower.warning(),
    lag: () => follower.lag(),
    stats: () => ({
      pins: learned.model.pins,
      pairs: learned.model.pairs,
      published,
      bytes: learned.model.bytes(),
      rejected,
    }),
    async stop() {
      const wasReading = follower.isReading()
      stopping.abort()
      await chores
      await follower.stop()
      await publish()
      if (wasReading) await checkpoint()
    },
  }
}
