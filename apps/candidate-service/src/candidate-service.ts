import type { RetrieveResponse } from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import type { CandidateService, TrailShard } from '@freshet/contracts/ports/calls'
import type { EventLog, LogBatch, TopicPartition } from '@freshet/contracts/ports/event-log'
import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'
import { ContractError } from '@freshet/contracts/errors'
import { waitForPositions } from '@freshet/contracts/log-progress'
import { createViewFollower, type ViewFollower } from '@freshet/contracts/view-follower'
import type { Clock } from '@freshet/domain/clock'
import type { Lesson } from '@freshet/retrieval/merge/learning'
import { createRetrieval, type Retrieval, type RetrievalStats } from '@freshet/retrieval/retrieval'
import type { RetrievedCandidates } from '@freshet/retrieval/question'
import type { CandidateServiceConfig } from './config.ts'
import { createGathering, type Gathering } from './gathering.ts'
import { queryOf, responseOf } from './retrieve.ts'
import { trailsResponse } from './trails.ts'
import { createViewSnapshots, type SnapshotEvent, type ViewSnapshots } from './view-snapshots.ts'
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
  /** Called after every answer, with how long each source took for it, milliseconds. */
  readonly onRetrieved?: (response: RetrieveResponse, times: RetrievedCandidates['times']) => void
  /** Called when the log was replaced by another one. Where it is given, the service asks the log every few seconds which one it is. */
  readonly onLogReplaced?: (error: ContractError) => void
}

/** What operators should know about. */
export type CandidateServiceEvent =
  SnapshotEvent | { readonly kind: 'reader-error'; readonly error: Error; readonly at: TopicPartition | undefined }

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

/** Composes the service; nothing runs before `start()`. Throws a RetrievalConfigError for unusable sources. */
export function createCandidateService(options: CandidateServiceOptions): RunningCandidateService {
  const { clock, config, peers = [] } = options
  const shard = { index: config.shardIndex, count: config.shardCount }
  const stopping = new AbortController()
  // A lockstep run folds by itself and never starts.
  let started = false
  let snapshotLoop: Promise<void> = Promise.resolve()
  const gathering = createGathering({
    retrieval: () => current.retrieval,
    shard,
    peers,
    clock,
    timeoutMs: config.shardTimeoutMs,
  })
  let current = emptyViews(options, gathering, () => unready())
  const follower = followerOf(options, () => current.views)
  const snapshots = snapshotsOf(options, {
    current: () => current,
    reset: () => {
      current = emptyViews(options, gathering, unready)
    },
  })

  function unready(): string | null {
    return follower.unready()
  }

  return {
    async retrieve(request, call) {
      const { retrieval, views } = current
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
      const response = responseOf(found, {
        fresh,
        catchingUp: started && unready() !== null,
        embeddings: retrieval.embeddingModels(query),
      })
      options.onRetrieved?.(response, found.times)
      return response
    },
    async gatherTrails(request) {
      // Until it has caught up, its part would pass for all that its users did.
      const why = unready()
      if (why !== null) throw new ContractError('CALL_UNAVAILABLE', why)
      return trailsResponse(request, current.retrieval, shard)
    },
    fold: (batch) => current.views.fold(batch),
    async start() {
      started = true
      await snapshots?.restore()
      await follower.start()
      if (snapshots !== null) snapshotLoop = snapshots.run(config.snapshotIntervalMs, stopping.signal)
    },
    unready,
    warning: () => follower.warning() ?? current.retrieval.full(),
    lag: () => follower.lag(),
    mark: () => current.retrieval.mark(),
    get sourceNames() {
      return current.retrieval.sourceNames
    },
    stats: () => ({ ...current.retrieval.stats(), rejected: current.views.rejected() }),
    snapshot: async () => snapshots?.write(),
    async stop() {
      stopping.abort()
      await snapshotLoop
      await follower.stop()
      if (follower.isReading()) await snapshots?.write()
    },
  }
}

interface CurrentViews {
  readonly retrieval: Retrieval
  readonly views: Views
}

function emptyViews(
  { config, clock, pause }: CandidateServiceOptions,
  gathering: Gathering,
  unready: () => string | null,
): CurrentViews {
  const { retrieval: input, seed, refresh, sliceRecords, shardIndex, shardCount } = config
  const shard = { index: shardIndex, count: shardCount }
  const retrieval = createRetrieval({ config: input, seed, refresh, clock, shard })
  // What shards that are ahead know of the past would be learned as if it had been known then.
  const learn = async (lesson: Lesson): Promise<void> => (unready() === null ? gathering.learn(lesson) : undefined)
  return { retrieval, views: createViews({ retrieval, sliceRecords, pause, learn }) }
}

function followerOf(options: CandidateServiceOptions, views: () => Views): ViewFollower {
  const { log, clock, config, onEvent, onLogReplaced } = options
  return createViewFollower({
    log,
    clock,
    topics: viewTopics,
    maxBatchRecords: config.maxBatchRecords,
    subject: 'the views',
    progress: () => views().progress,
    onBatch: (batch) => views().fold(batch),
    onError: (error, at) => onEvent({ kind: 'reader-error', error, at }),
    onLogReplaced,
  })
}

function snapshotsOf(
  { log, clock, snapshots: store, pause, onEvent }: CandidateServiceOptions,
  views: { readonly current: () => CurrentViews; readonly reset: () => void },
): ViewSnapshots | null {
  return store === null ? null : createViewSnapshots({ log, clock, store, pause, onEvent, ...views })
}
