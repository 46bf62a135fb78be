import type { RetrieveResponse } from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import type { CandidateService, TrailShard } from '@freshet/contracts/ports/calls'
import type { EventLog, LogBatch, LogReader, TopicPartition } from '@freshet/contracts/ports/event-log'
import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'
import { ContractError, isContractError } from '@freshet/contracts/errors'
import { createLogWatch, followLogs, snapshotProblem } from '@freshet/contracts/log-watch'
import { waitForPositions, type Wanted } from '@freshet/contracts/log-progress'
import type { Clock } from '@freshet/domain/clock'
import type { Lesson } from '@freshet/retrieval/learning'
import { createRetrieval, type Retrieval, type RetrievalStats } from '@freshet/retrieval/retrieval'
import type { RetrievedCandidates } from '@freshet/retrieval/question'
import { SnapshotError } from '@freshet/retrieval/errors'
import type { CandidateServiceConfig } from './config.ts'
import { createGathering } from './gathering.ts'
import { queryOf, responseOf } from './retrieve.ts'
import { trailsResponse } from './trails.ts'
import { createViews, viewTopics, type Views } from './views.ts'

/** What the service needs from outside. */
export interface CandidateServiceOptions {
  readonly log: EventLog
  readonly clock: Clock
  readonly config: CandidateServiceConfig
  /** Where snapshots are kept; null: every start replays the log. */
  readonly snapshots: ArtefactStore | null
  /** The other shards of the neighbour index, in the order of their index; none where this instance holds all. */
  readonly peers?: readonly TrailShard[]
  /** Gives way to requests between slices of a fold. */
  readonly pause: () => Promise<void>
  readonly onEvent: (event: CandidateServiceEvent) => void
  /** Told of every answer, and how long each source took for it, milliseconds. */
  readonly onRetrieved?: (response: RetrieveResponse, times: RetrievedCandidates['times']) => void
  /** Told when the log turns out to be another one than before; given, it is asked now and then which one it is. */
  readonly onLogReplaced?: (error: ContractError) => void
}

/** What operators should hear of. */
export type CandidateServiceEvent =
  | { readonly kind: 'snapshot-restored'; readonly bytes: number }
  | { readonly kind: 'snapshot-unusable'; readonly error: Error }
  | { readonly kind: 'snapshot-written'; readonly bytes: number }
  | { readonly kind: 'snapshot-failed'; readonly error: Error }
  | { readonly kind: 'reader-error'; readonly error: Error; readonly at: TopicPartition | undefined }

/** The service: views folded from the log, and the port that asks them. */
export interface RunningCandidateService extends CandidateService, TrailShard {
  /** Folds one batch; what the readers call, and what a lockstep run calls itself. */
  fold(batch: LogBatch): Promise<void>
  /** Restores the last snapshot and reads the log from there. */
  start(): Promise<void>
  /** Why it is not ready; null: the views have caught up with where the log ended when it started. */
  unready(): string | null
  /** What is wrong though questions are answered, in one line; null: nothing. */
  warning(): string | null
  /** Records not yet folded. */
  lag(): Promise<number>
  /** With `refresh: mark`, brings collective knowledge up to date. */
  mark(): void
  readonly sourceNames: readonly string[]
  stats(): RetrievalStats & { readonly rejected: Readonly<Record<string, number>> }
  /** Writes a snapshot now. */
  snapshot(): Promise<void>
  /** Stops reading; writes a last snapshot where snapshots are kept. */
  stop(): Promise<void>
}

const snapshotName = 'candidate-service/views.snapshot'

/** Composes the service; nothing runs before `start()`. Throws a RetrievalConfigError for unusable sources. */
export function createCandidateService(options: CandidateServiceOptions): RunningCandidateService {
  const { log, clock, config, snapshots, peers = [], pause, onEvent } = options
  const shard = { index: config.shardIndex, count: config.shardCount }
  const gathering = createGathering({
    retrieval: () => retrieval,
    shard,
    peers,
    clock,
    timeoutMs: config.shardTimeoutMs,
  })
  let [retrieval, views] = emptyViews(options)
  let reader: LogReader | null = null
  let goal: readonly Wanted[] | null = null
  // A lockstep run folds by itself and never starts.
  let started = false
  const stopping = new AbortController()
  let snapshotLoop: Promise<void> = Promise.resolve()
  let watching: Promise<void> = Promise.resolve()
  const logWatch = createLogWatch({
    log,
    clock,
    topics: viewTopics,
    ...(options.onLogReplaced && { onReplaced: options.onLogReplaced }),
  })

  async function restore(): Promise<void> {
    if (snapshots === null) return
    try {
      const bytes = await snapshots.get(snapshotName)
      views.progress.load(retrieval.restore(bytes))
      const problem = await snapshotProblem(log, views.progress, viewTopics)
      if (problem !== null) throw new ContractError('LOG_REPLACED', `the snapshot is not used: ${problem}`)
      onEvent({ kind: 'snapshot-restored', bytes: bytes.byteLength })
    } catch (error) {
      if (isContractError(error, 'ARTEFACT_MISSING')) return
      if (!(error instanceof SnapshotError) && !isContractError(error, 'LOG_REPLACED')) throw error
      ;[retrieval, views] = emptyViews(options)
      onEvent({ kind: 'snapshot-unusable', error })
    }
  }

  async function snapshot(): Promise<void> {
    if (snapshots === null) return
    // Folds wait while the views are copied; questions are answered between the steps.
    const release = views.hold()
    try {
      const steps = retrieval.snapshotSteps(views.progress.save())
      let step = steps.next()
      for (; step.done !== true; step = steps.next()) {
        if (step.value === 'joining') release()
        await pause()
      }
      const bytes = step.value
      await snapshots.put(snapshotName, bytes)
      onEvent({ kind: 'snapshot-written', bytes: bytes.byteLength })
    } catch (error) {
      onEvent({ kind: 'snapshot-failed', error: error as Error })
    } finally {
      release()
    }
  }

  async function snapshotRegularly(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await clock.sleep(config.snapshotIntervalMs, stopping.signal)
      } catch {
        return
      }
      await snapshot()
    }
  }

  function unready(): string | null {
    if (goal === null) return 'the views are being restored'
    const behind = views.progress.missing(goal)
    if (behind.length === 0) return null
    return `the views are catching up: ${behind.length} of ${goal.length} partitions are behind`
  }

  return {
    async retrieve(request, call) {
      const startedAtMs = clock.now()
      const query = queryOf(request, retrieval.sourceNames)
      const fresh = await waitForPositions(views.progress, request.await, {
        timeoutMs: call.timeoutMs - config.answerReserveMs,
        signal: call.signal,
        sleep: (ms, signal) => clock.sleep(ms, signal),
      })
      if (call.signal?.aborted === true) throw new ContractError('CALL_CANCELLED', 'the caller ended the call')
      // Sources that have not been asked by then are left out, one under way breaks off, and the answer says so.
      const leftMs = (): number => Math.max(0, call.timeoutMs - config.answerReserveMs - (clock.now() - startedAtMs))
      const gathered = peers.length === 0 ? null : await gathering.gather(query, { ...call, timeoutMs: leftMs() })
      const found = retrieval.retrieve({ ...query, deadlineMs: leftMs() }, gathered)
      const response = responseOf(found, { fresh, catchingUp: started && unready() !== null })
      options.onRetrieved?.(response, found.times)
      return response
    },
    async gatherTrails(request) {
      // Until it has caught up its part would pass for all that its users did.
      const why = unready()
      if (why !== null) throw new ContractError('CALL_UNAVAILABLE', why)
      return trailsResponse(request, retrieval, shard)
    },
    fold: (batch) => views.fold(batch),
    async start() {
      started = true
      await restore()
      await followLogs(log, views.progress, viewTopics)
      if (options.onLogReplaced !== undefined) watching = logWatch.run(stopping.signal)
      goal = (
        await Promise.all(
          viewTopics.map(async (topic) =>
            (await log.ends(topic)).map((position, partition) => ({ topic, partition, position })),
          ),
        )
      ).flat()
      reader = await log.readAll({
        topics: viewTopics,
        maxBatchRecords: config.maxBatchRecords,
        startAt: ({ topic, partition }) => views.progress.position(topic, partition),
        onBatch: (batch) => views.fold(batch),
        onError: (error, at) => onEvent({ kind: 'reader-error', error, at }),
      })
      if (snapshots !== null) snapshotLoop = snapshotRegularly()
    },
    unready,
    warning: () => (options.onLogReplaced === undefined ? null : logWatch.silent()) ?? retrieval.full(),
    lag: async () => (reader === null ? 0 : reader.lag()),
    mark: () => retrieval.mark(),
    get sourceNames() {
      return retrieval.sourceNames
    },
    stats: () => ({ ...retrieval.stats(), rejected: views.rejected() }),
    snapshot,
    async stop() {
      stopping.abort()
      await watching
      await snapshotLoop
      await reader?.stop()
      if (reader !== null) await snapshot()
    },
  }

  function emptyViews({
    config: { retrieval: input, seed, refresh, sliceRecords },
  }: CandidateServiceOptions): [Retrieval, Views] {
    const made = createRetrieval({ config: input, seed, refresh, clock, shard })
    // What shards that are ahead say of the past would be learned as if it had been known then.
    const learn = async (lesson: Lesson): Promise<void> => (unready() === null ? gathering.learn(lesson) : undefined)
    return [made, createViews({ retrieval: made, sliceRecords, pause, learn })]
  }
}
