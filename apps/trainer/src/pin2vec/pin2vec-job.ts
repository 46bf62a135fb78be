import type { ContractError } from '@freshet/contracts/errors'
import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'
import type { EventLog, LogBatch, TopicPartition } from '@freshet/contracts/ports/event-log'
import { createViewFollower } from '@freshet/contracts/view-follower'
import type { Clock } from '@freshet/domain/clock'
import { createPin2Vec, type Pin2Vec } from '@freshet/embeddings/pin2vec'
import type { TrainerConfig } from '../config.ts'
import { doChores } from '../chores.ts'
import { atStart, restoreCheckpoint, saveCheckpoint, type Learned } from './checkpoint.ts'
import { learnedTopics, learnRecord } from './learn.ts'
import { publishTouched } from './publish.ts'

/** Dependencies of the job. */
export interface Pin2VecJobOptions {
  readonly log: EventLog
  readonly clock: Clock
  readonly config: TrainerConfig
  /** Where to keep checkpoints; null: no checkpoints. */
  readonly checkpoints: ArtefactStore | null
  readonly onError: (error: Error, at?: TopicPartition) => void
  /** Called when another log has replaced the log. If present, the job checks the log's identity every few seconds. */
  readonly onLogReplaced?: (error: ContractError) => void
}

/** Learns pin embeddings from the stream and publishes the rows that changed. */
export interface Pin2VecJob {
  /** Learns from one batch, and publishes if it is time. The reader calls it; a lockstep run calls it directly. */
  fold(batch: LogBatch): Promise<void>
  /** Publishes the changed rows now. */
  publish(): Promise<void>
  start(): Promise<void>
  /** One line about a problem that does not stop the job; null: no problem. */
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
  const maxVersions = 2 * config.maxPins
  let learned: Learned = atStart(emptyModel(), maxVersions)
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
    const { model, progress, versions } = learned
    const done = progress.position(topic, partition) ?? 0
    for (const record of records) {
      if (record.position < done) continue
      if (topic === 'pins.v1' && !versions.accept(record)) continue
      try {
        learnRecord(model, topic, record)
      } catch {
        // The feature updater writes invalid records to the dead letters. The trainer skips them.
        rejected++
      }
    }
    progress.advance(topic, partition, next)
    if (clock.now() - publishedAtMs >= config.publishIntervalMs) await publish()
  }

  /** Runs work one after the other, so that no rows are being published while others are taken or the model is saved. */
  function inTurn(work: () => Promise<void>): Promise<void> {
    lastTurn = lastTurn.then(work).catch((error: unknown) => onError(error as Error))
    return lastTurn
  }

  /** Publishes changed rows. Rows that could not be written are written the next time. */
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

  return {
    fold,
    publish,
    async start() {
      if (checkpoints !== null)
        learned = await restoreCheckpoint({
          log,
          checkpoints,
          emptyModel,
          maxVersions,
          onProblem: (error) => onError(error),
        })
      await follower.start()
      const regularly = [
        [config.publishIntervalMs, publish],
        [config.checkpointIntervalMs, checkpoint],
      ] as const
      chores = doChores(regularly, { clock, signal: stopping.signal, onError })
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
