import { ContractError } from '@freshet/contracts/errors'
import type { RankRequest } from '@freshet/contracts/gen/freshet/ranking/v1/ranking'
import { waitForPositions } from '@freshet/contracts/log-progress'
import type { Attribution, CallOptions, Ranker } from '@freshet/contracts/ports/calls'
import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'
import type { EventLog, LogBatch, TopicPartition } from '@freshet/contracts/ports/event-log'
import { createViewFollower } from '@freshet/contracts/view-follower'
import type { Clock } from '@freshet/domain/clock'
import type { Pin } from '@freshet/domain/pin'
import type { PinState } from '@freshet/domain/pin-state'
import type { ModelSlot } from '@freshet/ranking/model/slot'
import { specFileSource } from '@freshet/ranking/model/spec-file'
import { createSpecFollower } from '@freshet/ranking/model/spec-follower'
import { unknownPage } from '@freshet/ranking/serving/page'
import type { ServingModel } from '@freshet/ranking/serving/serving-model'
import type { RankerConfig } from './config.ts'
import type { HealthReport } from './models/health/health.ts'
import { createAttribution } from './attribution/attribution.ts'
import { createSpecFeatures } from './models/spec-features.ts'
import { createModelFollower } from './models/model-follower.ts'
import type { ShadowReport } from './models/shadow/comparison.ts'
import { createModelWatch } from './models/watch.ts'
import { checkHeads } from './head-factors.ts'
import { parseCandidates } from './rank-request.ts'
import { toRankResponse } from './rank-response.ts'
import { createRankerViews, viewTopics, type RankerViews } from './views.ts'

/** Dependencies of the ranker. */
export interface RankerOptions {
  readonly log: EventLog
  readonly clock: Clock
  readonly config: RankerConfig
  /** The slot of the model that scores. Whoever opened it closes it after `stop`. */
  readonly models: ModelSlot
  /** Where the trained models are; null: only the model of the spec can serve. */
  readonly artefacts: Pick<ArtefactStore, 'get'> | null
  readonly onError: (error: Error, at?: TopicPartition) => void
  /** Called when another model serves: of a changed ranking spec, or of the registry. */
  readonly onModelSwapped?: (model: ServingModel) => void
  /** Called with a line when the inputs of the serving model cross a threshold of `config.health`. */
  readonly onUnhealthy?: (warning: string) => void
  /** Resolves after the answer of a request went out: the shadow scores then. */
  readonly pause: () => Promise<void>
  /** Called when another log has replaced the log. If present, the ranker checks the log's identity every few seconds. */
  readonly onLogReplaced?: (error: ContractError) => void
}

/** A running ranker: views folded from the log, and the port that uses them. */
export interface RunningRanker extends Ranker, Attribution {
  /** Folds one batch. The reader calls it; a lockstep run calls it directly. */
  fold(batch: LogBatch): void
  start(): Promise<void>
  /** Why the ranker is not ready; null: the views have reached the end that the log had at the start. */
  unready(): string | null
  /** Scores pins that nobody knows, without a trace in metrics, so that the first requests do not pay for what only the first ones cost. */
  warmUp(): void
  /** One line about a problem that does not stop answers; null: no problem. */
  warning(): string | null
  lag(): Promise<number>
  /** What the views contain about a pin: its catalogue entry (null: none) and its state (null: no user has engaged with it). */
  known(pinId: string): { readonly pin: Pin | null; readonly state: PinState | null }
  /** The model that serves, with the number of successful and of rejected swaps. */
  model(): { readonly version: string; readonly plan: string } & ReturnType<ModelSlot['stats']>
  /** Number of models that the registry names as serving, canary or shadow and that do not score. */
  refusedModels(): number
  /** The inputs of the serving model in the last window; null: no window is complete. */
  health(): HealthReport | null
  /** How the scores of the shadow compare; null: there is no shadow. */
  shadow(): ShadowReport | null
  /** Resolves when the shadow has scored what it was given. */
  shadowIdle(): Promise<void>
  stats(): ReturnType<RankerViews['stats']>
  stop(): Promise<void>
}

/** Composes the ranker; nothing runs before `start()`. */
export function createRanker(options: RankerOptions): RunningRanker {
  const { log, clock, config, models, onError } = options
  const views = createRankerViews(config)
  const stopping = new AbortController()
  const onSwapped = options.onModelSwapped && { onSwapped: options.onModelSwapped }
  const trained = createModelFollower({
    surface: config.surface,
    models,
    artefacts: options.artefacts,
    builtIn: specFileSource(config.specFile),
    onRefused: onError,
    ...onSwapped,
  })
  const watch = createModelWatch({
    config: config.health,
    models,
    shadow: () => trained.shadow(),
    facts: views,
    pause: options.pause,
    onError,
    onUnhealthy: options.onUnhealthy ?? (() => undefined),
  })
  const follower = createViewFollower({
    log,
    clock,
    topics: [...viewTopics, 'models.v1'],
    maxBatchRecords: config.maxBatchRecords,
    subject: 'the views',
    progress: () => views.progress,
    async onBatch(batch, signal) {
      if (batch.topic !== 'models.v1') return views.fold(batch)
      await trained.fold(batch, AbortSignal.any([signal, stopping.signal]))
      views.progress.advance(batch.topic, batch.partition, batch.next)
    },
    onError,
    onLogReplaced: options.onLogReplaced,
  })
  const specFeatures = createSpecFeatures(models.use(({ featureNames, pinInputs }) => ({ featureNames, pinInputs })))
  const { specFile, specReloadIntervalMs } = config
  const specFollower =
    specFile === null || specReloadIntervalMs === 0
      ? null
      : createSpecFollower({
          models,
          clock,
          file: specFile,
          everyMs: specReloadIntervalMs,
          onRefused: onError,
          isPaused: () => trained.isServingTrained(),
          onSpec: (source) => specFeatures.take(source),
          ...onSwapped,
        })
  let followingSpec: Promise<void> = Promise.resolve()
  let retrying: Promise<void> = Promise.resolve()

  /** Models of the registry whose artefacts were missing are looked for again. */
  async function retryMissing(): Promise<void> {
    while (!stopping.signal.aborted) {
      await clock.sleep(config.modelRetryIntervalMs, stopping.signal).catch(() => undefined)
      if (stopping.signal.aborted) return
      await trained.retryMissing(stopping.signal).catch((error: unknown) => {
        if (!stopping.signal.aborted) onError(error as Error)
      })
    }
  }

  /** Waits for the positions that the request names, within its deadline. Returns whether they are folded. */
  async function waitFor(request: RankRequest, call: CallOptions): Promise<boolean> {
    const fresh = await waitForPositions(views.progress, request.await, {
      timeoutMs: call.timeoutMs - config.answerReserveMs,
      signal: call.signal,
      sleep: (ms, signal) => clock.sleep(ms, signal),
    })
    if (call.signal?.aborted === true) throw new ContractError('CALL_CANCELLED', 'the caller ended the call')
    return fresh
  }

  const attribution = createAttribution({
    useHeld: trained.useHeld,
    records: trained.records,
    artefacts: options.artefacts,
  })

  return {
    attribute: attribution.attribute,
    async rank(request, call) {
      const page = parseCandidates(request, config.maxCandidates)
      const fresh = await waitFor(request, call)
      return trained.use(request, (model) => {
        checkHeads(page.headFactors, model)
        const scores = model.score(page, views)
        watch.onScored(page, request.sessionId, model, scores)
        const recorded = request.withFeatures ? specFeatures.record(model, scores, page, views) : null
        return toRankResponse(model, scores, {
          recorded,
          readsRows: call.readsRows === true,
          fresh,
          headFactors: page.headFactors,
        })
      })
    },
    fold: (batch) => views.fold(batch),
    async start() {
      if (specFollower !== null) followingSpec = specFollower.run(stopping.signal)
      if (options.artefacts !== null) retrying = retryMissing()
      await follower.start()
    },
    unready: () => follower.unready(),
    warmUp() {
      models.use((model) => model.score(unknownPage(config.maxCandidates), views))
    },
    warning() {
      const { refused, pins, states } = views.stats()
      const full =
        refused === 0
          ? null
          : `there was no room for ${refused} records beside ${pins} pins and ${states} states (maxPins)`
      return follower.warning() ?? trained.refusal() ?? specFollower?.refusal() ?? full ?? watch.warning()
    },
    lag: () => follower.lag(),
    known: (pinId) => ({ pin: views.entryOf(pinId)?.pin ?? null, state: views.stateOf(pinId) }),
    model: () => models.use(({ version, planVersion }) => ({ version, plan: planVersion, ...models.stats() })),
    refusedModels: () => trained.refused(),
    health: () => watch.health(),
    shadow: () => watch.shadow(),
    shadowIdle: () => watch.idle(),
    stats: () => views.stats(),
    async stop() {
      stopping.abort()
      await followingSpec
      await retrying
      await follower.stop()
      await watch.idle()
      await trained.close()
    },
  }
}
