import { decodeEngagement } from '@freshet/contracts/codecs/engagement'
import { decodePinChange } from '@freshet/contracts/codecs/pin'
import { bytesOf } from '@freshet/contracts/bytes/columns'
import { ContractError, isContractError } from '@freshet/contracts/errors'
import { PinEmbedding } from '@freshet/contracts/gen/freshet/model/v1/model'
import { createLogProgress } from '@freshet/contracts/log-progress'
import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'
import { createLogWatch, followLogs, snapshotProblem } from '@freshet/contracts/log-watch'
import type {
  EventLog,
  LogBatch,
  LogReader,
  LogRecord,
  NewRecord,
  TopicPartition,
} from '@freshet/contracts/ports/event-log'
import type { TopicName } from '@freshet/contracts/topics'
import { encodeMessage } from '@freshet/contracts/bytes/wire'
import type { Clock } from '@freshet/domain/clock'
import { positiveActions } from '@freshet/domain/engagement'
import { SnapshotError } from '@freshet/columns/errors'
import { createPin2Vec, type Pin2Vec } from '@freshet/embeddings/pin2vec'
import type { TrainerConfig } from './config.ts'

/** The topics that the trainer learns from. */
const trainingTopics = ['pins.v1', 'engagements.v1'] as const satisfies readonly TopicName[]

/** What the trainer needs from outside. */
export interface TrainerOptions {
  readonly log: EventLog
  readonly clock: Clock
  readonly config: TrainerConfig
  /** Where checkpoints are kept; null: nowhere. */
  readonly checkpoints: ArtefactStore | null
  readonly onError: (error: Error, at?: TopicPartition) => void
  /** Told when the log turns out to be another one than before; given, it is asked now and then which one it is. */
  readonly onLogReplaced?: (error: ContractError) => void
}

/** Learns pin embeddings from the stream and publishes the rows that changed. */
export interface Trainer {
  /** Learns from one batch, and publishes where it is time; what the reader calls, and what a lockstep run calls itself. */
  fold(batch: LogBatch): Promise<void>
  /** Publishes what has changed, now. */
  publish(): Promise<void>
  start(): Promise<void>
  /** What is wrong though it goes on, in one line; null: nothing. */
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

const checkpointName = 'trainer/pin2vec.checkpoint'

/** Composes the trainer; nothing runs before `start()`. */
export function createTrainer(options: TrainerOptions): Trainer {
  const { log, clock, config, checkpoints, onError } = options
  const space = `pin2vec-${config.dimensions}-${config.seed}`
  let model = emptyModel()
  let progress = createLogProgress()
  let reader: LogReader | null = null
  let publishedAtMs = Number.NEGATIVE_INFINITY
  let publishing: Promise<void> = Promise.resolve()
  let published = 0
  let rejected = 0
  const ending = new AbortController()
  let chores: Promise<void> = Promise.resolve()
  const logWatch = createLogWatch({
    log,
    clock,
    topics: trainingTopics,
    ...(options.onLogReplaced && { onReplaced: options.onLogReplaced }),
  })

  function emptyModel(): Pin2Vec {
    return createPin2Vec({ dimensions: config.dimensions, maxPins: config.maxPins, seed: config.seed })
  }

  function foldRecord(topic: string, { key, value }: LogRecord): void {
    if (topic === 'pins.v1') return model.foldPin(decodePinChange(key, value))
    // The updater's tombstone of a user who was erased.
    if (value === null) return model.forgetUser(key)
    const { subject, action, userId, sessionId, occurredAtMs } = decodeEngagement(value)
    if (subject.kind !== 'pin') return
    const act = { userId, sessionId, pinId: subject.pinId, atMs: occurredAtMs }
    if (positiveActions.includes(action)) model.fold(act)
    else if (action === 'unsave') model.withdraw(act)
  }

  async function publishNow(): Promise<void> {
    publishedAtMs = clock.now()
    const touched = model.takeTouched(config.maxPublishRows)
    if (touched.length === 0) return
    try {
      await log.append(
        'pin-embeddings.v1',
        touched.map(({ pinId, vector }): NewRecord => ({
          key: pinId,
          value:
            vector === null
              ? null
              : encodeMessage(PinEmbedding, { pinId, vector: bytesOf(vector), space, updatedAtMs: publishedAtMs }),
          partition: null,
        })),
      )
    } catch (error) {
      model.putBack(touched)
      throw error
    }
    published += touched.length
  }

  /** One after another, so that no rows are on their way out while another takes some or the model is saved. */
  function inTurn(work: () => Promise<void>): Promise<void> {
    publishing = publishing.then(work).catch((error: unknown) => onError(error as Error))
    return publishing
  }

  /** Rows that could not be written are written the next time. */
  function publish(): Promise<void> {
    return inTurn(publishNow)
  }

  async function checkpoint(): Promise<void> {
    if (checkpoints === null) return
    await publish()
    await inTurn(() => checkpoints.put(checkpointName, model.checkpoint(progress.save())))
  }

  async function restore(): Promise<void> {
    if (checkpoints === null) return
    try {
      progress.load(model.restore(await checkpoints.get(checkpointName)))
      const problem = await snapshotProblem(log, progress, trainingTopics)
      if (problem === null) return
      // What was learned is no less true for that: only the places in the log are of no use.
      progress = createLogProgress()
      onError(new ContractError('LOG_REPLACED', `the checkpoint keeps what was learned, not its positions: ${problem}`))
    } catch (error) {
      if (isContractError(error, 'ARTEFACT_MISSING')) return
      if (!(error instanceof SnapshotError)) throw error
      onError(error)
      model = emptyModel()
      progress = createLogProgress()
    }
  }

  async function every(intervalMs: number, work: () => Promise<void>): Promise<void> {
    while (!ending.signal.aborted) {
      await clock.sleep(intervalMs, ending.signal).catch(() => undefined)
      if (!ending.signal.aborted) await work()
    }
  }

  return {
    async fold(batch) {
      const done = progress.position(batch.topic, batch.partition) ?? 0
      for (const record of batch.records) {
        if (record.position < done) continue
        try {
          foldRecord(batch.topic, record)
        } catch {
          // The updater puts what can't be decoded aside; here it teaches nothing.
          rejected++
        }
      }
      progress.advance(batch.topic, batch.partition, batch.next)
      if (clock.now() - publishedAtMs >= config.publishIntervalMs) await publish()
    },
    publish,
    async start() {
      await restore()
      await followLogs(log, progress, trainingTopics)
      reader = await log.readAll({
        topics: trainingTopics,
        maxBatchRecords: config.maxBatchRecords,
        startAt: ({ topic, partition }) => progress.position(topic, partition),
        onBatch: async (batch) => {
          await this.fold(batch)
        },
        onError,
      })
      chores = Promise.all([
        every(config.publishIntervalMs, publish),
        every(config.checkpointIntervalMs, checkpoint),
        options.onLogReplaced === undefined ? undefined : logWatch.run(ending.signal),
      ]).then(() => undefined)
    },
    warning: () => (options.onLogReplaced === undefined ? null : logWatch.silent()),
    lag: async () => (reader === null ? 0 : reader.lag()),
    stats: () => ({ pins: model.pins, pairs: model.pairs, published, bytes: model.bytes(), rejected }),
    async stop() {
      ending.abort()
      await chores
      await reader?.stop()
      await publish()
      if (reader !== null) await checkpoint()
    },
  }
}
