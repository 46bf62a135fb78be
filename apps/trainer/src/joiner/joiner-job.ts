import type { ContractError } from '@freshet/contracts/errors'
import { isContractError } from '@freshet/contracts/errors'
import { createLogProgress } from '@freshet/contracts/log-progress'
import { createPinVersions } from '@freshet/contracts/pin-versions'
import type { LogBatch, TopicPartition } from '@freshet/contracts/ports/event-log'
import { createViewFollower } from '@freshet/contracts/view-follower'
import { joinRows, layoutOf, type RowBatch } from '@freshet/ranking/rows/row-batch'
import type { TrainerConfig } from '../config.ts'
import { doChores } from '../chores.ts'
import { readRows } from '../rows/read-rows.ts'
import type { JoinCounts } from './counts.ts'
import { takeEngagement, takeFeed } from './intake.ts'
import { checkpointJoiner, joinedTopics, openJoiner, type JoinerParts, type JoinerPlaces } from './joiner-parts.ts'
import { createPinFacts } from './pin-facts.ts'
import { writeOutcomes, type OutcomeSink } from './write-outcomes.ts'

/** Dependencies of the job. */
export interface JoinerJobOptions extends Omit<JoinerPlaces, 'config' | 'onError'> {
  readonly config: TrainerConfig
  /**
   * Called with the new rows and corrections, soon after they could be decided. After a crash it is called again with the rows since
   * the last checkpoint; `readRows` gives each exactly once.
   */
  readonly onRows?: (batch: RowBatch) => void
  readonly onError: (error: Error, at?: TopicPartition) => void
  /** Called when another log has replaced the log. If present, the job checks the log's identity every few seconds. */
  readonly onLogReplaced?: (error: ContractError) => void
}

/** What the joiner did and what waits. */
export interface JoinerStats extends JoinCounts {
  readonly waiting: {
    readonly feeds: number
    /** Shown positions of the feeds whose window is open. */
    readonly positions: number
    readonly actions: number
    /** Records of feeds in memory, bytes. */
    readonly bytes: number
    /** Records of feeds that only a file has. */
    readonly spilled: number
  }
  /** New rows of shown pins with this label, since the start. */
  readonly labels: Readonly<Record<string, number>>
  /** Rows in files. */
  readonly stored: number
  /** Records of any topic that could not be decoded, since the start. */
  readonly rejected: number
}

/** Joins served feeds with what users did, and writes training rows. */
export interface JoinerJob {
  /** Takes one batch of any topic of the joiner. The reader calls it; a lockstep run calls it directly. */
  fold(batch: LogBatch): Promise<void>
  /** Closes the windows that have ended by the clock, if the log was read to its end. A run in virtual time calls it after it moved the clock. */
  advance(): Promise<void>
  /** Writes a checkpoint now: the rows so far are final. */
  checkpoint(): Promise<void>
  start(): Promise<void>
  /** Rows of feeds served in [fromMs, toMs), each once with its last correction, newest file first. */
  readRows(fromMs: number, toMs: number): AsyncGenerator<RowBatch, void, void>
  /** One line about a problem that does not stop the job; null: no problem. */
  warning(): string | null
  lag(): Promise<number>
  stats(): JoinerStats | null
  /** Stops reading and writes a last checkpoint. */
  stop(): Promise<void>
}

/** Pins whose versions are kept. */
const maxPinVersions = 4_000_000

/** Composes the job; nothing runs before `start()` or the first `fold`. */
export function createJoinerJob(options: JoinerJobOptions): JoinerJob {
  const { log, clock, artefacts, onError, onRows } = options
  const { joiner: config, maxBatchRecords, checkpointIntervalMs } = options.config
  const facts = createPinFacts()
  const versions = createPinVersions({ maxVersions: maxPinVersions })
  const factsProgress = createLogProgress()
  const labels: Record<string, number> = {}
  const stopping = new AbortController()
  let parts: JoinerParts | null = null
  let lastTurn: Promise<unknown> = Promise.resolve()
  let chores: Promise<unknown> = Promise.resolve()
  let made: RowBatch[] = []
  let rejected = 0
  let isStarted = false

  const following = {
    log,
    clock,
    maxBatchRecords,
    onBatch: fold,
    onError,
  }
  const catalogue = createViewFollower({
    ...following,
    topics: ['pins.v1'],
    subject: 'the topics and creators of pins',
    progress: () => factsProgress,
  })
  const follower = createViewFollower({
    ...following,
    topics: joinedTopics,
    subject: 'the training rows',
    progress: () => parts?.progress ?? createLogProgress(),
    onLogReplaced: options.onLogReplaced,
  })

  /** Runs work one after the other. The first opens the state. */
  function inTurn<T>(work: (parts: JoinerParts) => Promise<T>): Promise<T> {
    const turn = lastTurn.then(async () => work((parts ??= await openJoiner({ ...options, config }))))
    lastTurn = turn.catch(() => undefined)
    return turn
  }

  function fold(batch: LogBatch): Promise<void> {
    return inTurn(async (open) => {
      take(open, batch)
      await settle(open)
    })
  }

  function take(open: JoinerParts, batch: LogBatch): void {
    const { topic, partition, records, next } = batch
    const progress = topic === 'pins.v1' ? factsProgress : open.progress
    const done = progress.position(topic, partition) ?? 0
    // A time in the future would close every window.
    const arrive = (_: unknown, record: { readonly appendedAtMs: number }): number =>
      open.watermark.arrive(topic, partition, Math.min(record.appendedAtMs, clock.now()))
    for (const record of records) {
      if (record.position < done) continue
      try {
        if (topic === 'pins.v1') {
          if (versions.accept(record)) facts.fold(record.key, record.value)
        } else if (topic === 'engagements.v1') takeEngagement({ ...open, arrive }, batch, record)
        else takeFeed({ ...open, arrive }, batch, record)
      } catch (error) {
        if (!isContractError(error, 'CODEC_INVALID')) throw error
        rejected++
      }
    }
    progress.advance(topic, partition, next)
  }

  /** Decides what can be decided, and writes the rows. */
  async function settle(open: JoinerParts): Promise<void> {
    const { join, shelf } = open
    const sampling = { negativeRate: config.negativeRate, seed: config.seed }
    const sink: OutcomeSink = { ...open, facts, sampling, onBatch: note, onError }
    if (!isStarted || catalogue.unready() === null) join.advance(open.watermark.now())
    await writeOutcomes(sink)
    while (artefacts === null && shelf.bytes > config.maxMemoryBytes && join.closeEarly()) await writeOutcomes(sink)
    await shelf.spill()
    deliver()
  }

  function note(batch: RowBatch): void {
    for (const [name, column] of Object.entries(batch.labels)) {
      if (!(column instanceof Uint8Array)) continue
      const count = column.reduce((sum, value, row) => sum + (batch.revision[row] === 0 ? value : 0), 0)
      labels[name] = (labels[name] ?? 0) + count
    }
    if (onRows !== undefined) made.push(batch)
  }

  /** Gives the new rows to `onRows`, those of one layout together. */
  function deliver(): void {
    const batches = made
    made = []
    for (let from = 0; from < batches.length;) {
      const layout = layoutOf(batches[from] as RowBatch)
      let to = from + 1
      while (to < batches.length && layoutOf(batches[to] as RowBatch) === layout) to++
      onRows?.(joinRows(batches.slice(from, to).map((batch) => ({ batch, rows: null }))))
      from = to
    }
  }

  function advance(): Promise<void> {
    return inTurn(async (open) => {
      // What is appended after this moment arrives after it.
      const askedMs = clock.now()
      for (const topic of joinedTopics) {
        const ends = await log.ends(topic, { signal: stopping.signal })
        ends.forEach((end, partition) => {
          if ((open.progress.position(topic, partition) ?? 0) >= end) open.watermark.lift(topic, partition, askedMs)
        })
      }
      await settle(open)
    })
  }

  async function checkpoint(): Promise<void> {
    if (artefacts === null) return
    await inTurn(async (open) => {
      await settle(open)
      await checkpointJoiner(artefacts, open)
    })
  }

  return {
    fold,
    advance,
    checkpoint,
    async start() {
      await inTurn(() => Promise.resolve())
      isStarted = true
      await catalogue.start()
      await follower.start()
      chores = doChores(
        [
          [config.advanceIntervalMs, advance],
          [checkpointIntervalMs, checkpoint],
        ],
        { clock, signal: stopping.signal, onError },
      )
    },
    async *readRows(fromMs, toMs) {
      if (artefacts === null) return
      await inTurn(({ writer }) => writer.flush())
      yield* readRows(artefacts, { fromMs, toMs, newestFirst: true, onDamaged: onError })
    },
    warning: () => follower.warning(),
    lag: async () => (await follower.lag()) + (await catalogue.lag()),
    stats() {
      if (parts === null) return null
      const { counts, join, shelf, segments, writer } = parts
      return {
        ...counts,
        waiting: { ...join.waiting(), bytes: shelf.bytes, spilled: shelf.spilled },
        labels,
        stored: (segments?.rows ?? 0) + writer.pending,
        rejected,
      }
    },
    async stop() {
      const isReading = follower.isReading()
      stopping.abort()
      await chores
      await Promise.all([follower.stop(), catalogue.stop()])
      if (isReading) await checkpoint().catch((error: unknown) => onError(error as Error))
    },
  }
}
