import type { RetrieveRequest, RetrieveResponse } from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import type { CandidateService, TrailShard } from '@freshet/contracts/ports/calls'
import type { EventLog, LogBatch, TopicPartition } from '@freshet/contracts/ports/event-log'
import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'
import { ContractError } from '@freshet/contracts/errors'
import { waitForPositions } from '@freshet/contracts/log-progress'
import { createViewFollower, type ViewFollower } from '@freshet/contracts/view-follower'
import type { Clock } from '@freshet/domain/clock'
import type { TrainingExample } from '@freshet/retrieval/merge/merge-learner'
import { resolveRetrievalConfig } from '@freshet/retrieval/config'
import { createRetrieval, type Retrieval, type RetrievalStats } from '@freshet/retrieval/retrieval'
import type { RetrievedCandidates } from '@freshet/retrieval/question'
import type { CandidateServiceConfig } from './config.ts'
import { createGathering, type Gathering } from './gathering.ts'
import { imageError } from './image-question.ts'
import { parseQuery, toResponse } from './retrieve.ts'
import { answerGatherTrails } from './shards.ts'
import { createViewSnapshots, type SnapshotEvent, type ViewSnapshots } from './view-snapshots.ts'
import { warmUp } from './warm-up.ts'
import { createViews, viewTopics, type Views } from './views.ts'

/** The dependencies of the service. */
export interface CandidateServiceOptions {
  readonly log: EventLog
  readonly clock: Clock
  readonly config: CandidateServiceConfig
  /** Stores snapshots; null: every start replays the log. */
  readonly snapshots: ArtefactStore | null
  /** The other shards of the neighbour index, in the order of their index; empty if this instance holds the whole index. */
  readonly peers?: readonly TrailShard[]
  /** Lets waiting requests run between slices of a fold. */
  readonly pause: () => Promise<void>
  readonly onEvent: (event: CandidateServiceEvent) => void
  /** Called after every answer, with how long each source took for it, milliseconds. */
  readonly onRetrieved?: (response: RetrieveResponse, times: RetrievedCandidates['times']) => void
  /** Called with each batch that the views have folded. */
  readonly onFolded?: (batch: LogBatch) => void
  /** Called when another log has replaced this one. If given, the service checks the identity of the log every few seconds. */
  readonly onLogReplaced?: (error: ContractError) => void
}

/** Events for operators. */
export type CandidateServiceEvent =
  SnapshotEvent | { readonly kind: 'reader-error'; readonly error: Error; readonly at: TopicPartition | undefined }

/** The running service: views folded from the log, and the ports that read them. */
export interface RunningCandidateService extends CandidateService, TrailShard {
  /** Folds one batch. The readers call it; a lockstep run calls it directly. */
  fold(batch: LogBatch): Promise<void>
  /** Restores the last snapshot and reads the log from there. */
  start(): Promise<void>
  /** Why the service is not ready; null once the views have reached the place where the log ended at the start. */
  unready(): string | null
  /** Answers a request of its own, without a trace in metrics. */
  warmUp(): void
  /** A problem that does not stop the service from answering, in one line; null if there is none. */
  warning(): string | null
  /** The number of records not yet folded. */
  lag(): Promise<number>
  /** With `refresh: mark`, brings collective knowledge up to date. */
  mark(): void
  readonly sourceNames: readonly string[]
  stats(): RetrievalStats & { readonly rejected: Readonly<Record<string, number>> }
  /** Writes a snapshot now. */
  snapshot(): Promise<void>
  /** Stops reading and writes a last snapshot if there is a store. */
  stop(): Promise<void>
}

/** Creates the service; nothing runs before `start()`. Throws a RetrievalConfigError for wrong settings of sources. */
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
  let current = createEmptyViews(options, gathering, () => unready())
  const follower = createFollower(options, () => current.views)
  const snapshots = createSnapshots(options, {
    current: () => current,
    reset: () => {
      current = createEmptyViews(options, gathering, unready)
    },
  })

  function unready(): string | null {
    return follower.unready()
  }

  return {
    async retrieve(request, call) {
      const { retrieval, views } = current
      const startedAtMs = clock.now()
      const query = parseQuery(request, retrieval.sourceNames)
      const fresh = await waitForPositions(views.progress, request.await, {
        timeoutMs: call.timeoutMs - config.answerReserveMs,
        signal: call.signal,
        sleep: (ms, signal) => clock.sleep(ms, signal),
      })
      if (call.signal?.aborted === true) throw new ContractError('CALL_CANCELLED', 'the caller ended the call')
      // The retrieval skips sources that have not started by then; a running one breaks off. The answer names both.
      const leftMs = (): number => Math.max(0, call.timeoutMs - config.answerReserveMs - (clock.now() - startedAtMs))
      const gathered =
        peers.length === 0 || query.image != null
          ? null
          : await gathering.gather(query, { ...call, timeoutMs: leftMs() })
      const found = search(request, () => retrieval.retrieve({ ...query, deadlineMs: leftMs() }, gathered))
      const response = toResponse(found, {
        fresh,
        catchingUp: started && unready() !== null,
        embeddings: retrieval.embeddingModels(query),
        boards: request.withBoards ? retrieval.boardsOf(found.pinIds) : null,
      })
      options.onRetrieved?.(response, found.times)
      return response
    },
    async gatherTrails(request) {
      // Before this shard has caught up, callers would take its incomplete part for the whole.
      const why = unready()
      if (why !== null) throw new ContractError('CALL_UNAVAILABLE', why)
      return answerGatherTrails(request, current.retrieval, shard)
    },
    fold: (batch) => current.views.fold(batch),
    async start() {
      started = true
      await snapshots?.restore()
      await follower.start()
      if (snapshots !== null) snapshotLoop = snapshots.run(config.snapshotIntervalMs, stopping.signal)
    },
    unready,
    warmUp: () => warmUp(current.retrieval, clock),
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

/** Runs a search. Throws CALL_INVALID_ARGUMENT if it cannot search with the picture of the request. */
function search<Found>(request: RetrieveRequest, run: () => Found): Found {
  try {
    return run()
  } catch (error) {
    throw imageError(error, request)
  }
}

interface CurrentViews {
  readonly retrieval: Retrieval
  readonly views: Views
}

function createEmptyViews(
  { config, clock, pause }: CandidateServiceOptions,
  gathering: Gathering,
  unready: () => string | null,
): CurrentViews {
  const { retrieval: input, seed, refresh, sliceRecords, shardIndex, shardCount } = config
  const shard = { index: shardIndex, count: shardCount }
  const retrieval = createRetrieval({ config: input, seed, refresh, clock, shard })
  // While this shard catches up, the others are ahead: it would learn from events that came after the action.
  const learn = async (example: TrainingExample): Promise<void> =>
    unready() === null ? gathering.learn(example) : undefined
  const maxVersions = 2 * resolveRetrievalConfig(input).maxPins
  return { retrieval, views: createViews({ retrieval, sliceRecords, maxVersions, pause, learn }) }
}

function createFollower(options: CandidateServiceOptions, views: () => Views): ViewFollower {
  const { log, clock, config, onEvent, onLogReplaced } = options
  return createViewFollower({
    log,
    clock,
    topics: viewTopics,
    maxBatchRecords: config.maxBatchRecords,
    subject: 'the views',
    progress: () => views().progress,
    onBatch: async (batch) => {
      await views().fold(batch)
      options.onFolded?.(batch)
    },
    onError: (error, at) => onEvent({ kind: 'reader-error', error, at }),
    onLogReplaced,
  })
}

function createSnapshots(
  { log, clock, snapshots: store, pause, onEvent }: CandidateServiceOptions,
  views: { readonly current: () => CurrentViews; readonly reset: () => void },
): ViewSnapshots | null {
  return store === null ? null : createViewSnapshots({ log, clock, store, pause, onEvent, ...views })
}
