import { decodedUserState } from '@freshet/contracts/codecs/decoded-user-state'
import { bytesOf, float32Column } from '@freshet/contracts/bytes/columns'
import { ContractError } from '@freshet/contracts/errors'
import { waitForPositions, type Wanted } from '@freshet/contracts/log-progress'
import type { RankRequest, RankResponse } from '@freshet/contracts/gen/freshet/ranking/v1/ranking'
import type { Ranker } from '@freshet/contracts/ports/calls'
import { createLogWatch } from '@freshet/contracts/log-watch'
import type { EventLog, LogBatch, LogReader, TopicPartition } from '@freshet/contracts/ports/event-log'
import type { Clock } from '@freshet/domain/clock'
import { idProblem } from '@freshet/domain/ids'
import type { Pin } from '@freshet/domain/pin'
import type { PinState } from '@freshet/domain/pin-state'
import { planFeatures } from '@freshet/ranking/features/plan'
import { readCandidates } from '@freshet/ranking/features/read-candidates'
import type { Scorer } from '@freshet/ranking/model/scorer'
import type { RankerConfig } from './config.ts'
import { createRankerViews, viewTopics, type RankerViews } from './views.ts'

/** What the ranker needs from outside. */
export interface RankerOptions {
  readonly log: EventLog
  readonly clock: Clock
  readonly config: RankerConfig
  readonly scorer: Scorer
  readonly onError: (error: Error, at?: TopicPartition) => void
  /** Told when the log turns out to be another one than before; given, it is asked now and then which one it is. */
  readonly onLogReplaced?: (error: ContractError) => void
}

/** The service: views folded from the log, and the port that asks them. */
export interface RunningRanker extends Ranker {
  /** Folds one batch; what the reader calls, and what a lockstep run calls itself. */
  fold(batch: LogBatch): void
  start(): Promise<void>
  /** Why it is not ready; null: the views have caught up with where the log ended when it started. */
  unready(): string | null
  /** What is wrong though questions are answered, in one line; null: nothing. */
  warning(): string | null
  lag(): Promise<number>
  /** What the views hold of a pin: its catalogue entry (null: none) and its state (null: nobody has engaged with it). */
  known(pinId: string): { readonly pin: Pin | null; readonly state: PinState | null }
  stats(): ReturnType<RankerViews['stats']>
  stop(): Promise<void>
}

/** Composes the ranker; nothing runs before `start()`. */
export function createRanker(options: RankerOptions): RunningRanker {
  const { log, clock, config, scorer, onError, onLogReplaced } = options
  const views = createRankerViews(config)
  const plan = planFeatures(scorer.featureNames)
  let reader: LogReader | null = null
  let goal: readonly Wanted[] | null = null
  const stopping = new AbortController()
  let watching: Promise<void> = Promise.resolve()
  const logWatch = createLogWatch({
    log,
    clock,
    topics: viewTopics,
    ...(onLogReplaced && { onReplaced: onLogReplaced }),
  })

  return {
    async rank(request, call) {
      const retrievalScores = check(request, config.maxCandidates)
      const fresh = await waitForPositions(views.progress, request.await, {
        timeoutMs: call.timeoutMs - config.answerReserveMs,
        signal: call.signal,
        sleep: (ms, signal) => clock.sleep(ms, signal),
      })
      if (call.signal?.aborted === true) throw new ContractError('CALL_CANCELLED', 'the caller ended the call')
      const { pinIds, atMs, userState } = request
      const user = userState.byteLength === 0 ? null : decodedUserState(userState)
      const features = readCandidates(plan, { pinIds, retrievalScores, user, atMs }, views)
      const { utilities, probabilities } = scorer.score(features, pinIds.length)
      return answer(request, { utilities, probabilities, features, fresh })
    },
    fold: (batch) => views.fold(batch),
    async start() {
      if (onLogReplaced !== undefined) watching = logWatch.run(stopping.signal)
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
        onBatch: async (batch) => views.fold(batch),
        onError,
      })
    },
    unready() {
      if (goal === null) return 'the views have not been started'
      const behind = views.progress.missing(goal).length
      return behind === 0 ? null : `the views are catching up: ${behind} of ${goal.length} partitions are behind`
    },
    warning() {
      const { refused, pins, states } = views.stats()
      const full =
        refused === 0 ? null : `${refused} records found no room beside ${pins} pins and ${states} states (maxPins)`
      return (onLogReplaced === undefined ? null : logWatch.silent()) ?? full
    },
    lag: async () => (reader === null ? 0 : reader.lag()),
    known: (pinId) => ({ pin: views.entryOf(pinId)?.pin ?? null, state: views.stateOf(pinId) }),
    stats: () => views.stats(),
    async stop() {
      stopping.abort()
      await watching
      await reader?.stop()
    },
  }

  function answer(
    request: RankRequest,
    scored: {
      readonly utilities: Float32Array
      readonly probabilities: Float32Array
      readonly features: Float32Array
      readonly fresh: boolean
    },
  ): RankResponse {
    return {
      utilities: bytesOf(scored.utilities),
      actions: [...scorer.actions],
      probabilities: bytesOf(scored.probabilities),
      featureNames: request.withFeatures ? [...plan.names] : [],
      features: request.withFeatures ? bytesOf(scored.features) : new Uint8Array(),
      modelVersion: scorer.version,
      fresh: scored.fresh,
    }
  }
}

/** Throws CALL_INVALID_ARGUMENT, naming the field; gives the retrieval scores. */
function check(request: RankRequest, maxCandidates: number): Float32Array {
  if (!Number.isSafeInteger(request.atMs) || request.atMs <= 0) throw invalid('at_ms', `is ${request.atMs}, no time`)
  if (request.pinIds.length > maxCandidates) {
    throw invalid('pin_ids', `holds ${request.pinIds.length} candidates; at most ${maxCandidates} are allowed`)
  }
  for (let at = 0; at < request.pinIds.length; at++) {
    const problem = idProblem(request.pinIds[at]!)
    if (problem !== null) throw invalid(`pin_ids[${at}]`, problem)
  }
  if (request.retrievalScores.byteLength !== request.pinIds.length * 4) {
    throw invalid(
      'retrieval_scores',
      `has ${request.retrievalScores.byteLength} bytes; ${request.pinIds.length} candidates need 4 each`,
    )
  }
  return float32Column(request.retrievalScores)
}

function invalid(field: string, problem: string): ContractError {
  return new ContractError('CALL_INVALID_ARGUMENT', `${field} ${problem}`)
}
