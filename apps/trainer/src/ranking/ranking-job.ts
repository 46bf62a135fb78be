import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'
import type { EventLog } from '@freshet/contracts/ports/event-log'
import { createViewFollower } from '@freshet/contracts/view-follower'
import type { Clock } from '@freshet/domain/clock'
import { CodedError } from '@freshet/domain/coded-error'
import type { ModelRecord } from '@freshet/domain/model-record'
import { artefactName, encodeArtefact, sha256, type ModelArtefact } from '@freshet/ranking/artefact/bytes'
import type { RowBatch } from '@freshet/ranking/rows/row-batch'
import { TrainingError } from '@freshet/ranking/training/errors'
import { doChores } from '../chores.ts'
import { findBase } from './base-model.ts'
import type { RankingTrainerConfig } from './config.ts'
import { createModelReader } from './model-reader.ts'
import { newestOf, type RankingStats } from './ranking-stats.ts'
import { createRegistryView } from './registry-view.ts'
import { createRowWindow, describeLeftOut, timeOf, type WindowRows } from './row-window.ts'
import { trainAndJudge, type Trained } from './train-model.ts'
import { loadTrainable, type Trainable } from './trainable.ts'

/** Dependencies of the job. */
export interface RankingJobOptions {
  readonly log: EventLog
  readonly clock: Clock
  readonly config: RankingTrainerConfig
  /** Where models go. The ranker reads them from there. */
  readonly models: ArtefactStore
  /** Rows of before the start, newest first; the job takes as many as it keeps. */
  readonly earlierRows: () => AsyncIterable<RowBatch>
  /** Called between slices of a training, so that other work of the process gets its turn. */
  readonly pause: () => Promise<void>
  readonly onError: (error: Error) => void
  /** Called with the record of each judged model. */
  readonly onTrained?: (record: ModelRecord) => void
}

/** Trains ranking models from rows, judges them and publishes those that pass. */
export interface RankingJob {
  /** Takes new rows and corrections of the joiner. */
  take(batch: RowBatch): void
  /** Reads the spec, the registry and earlier rows. Throws what `loadSpec` throws. `timers: false`: only `runDue` trains. */
  start(options?: { readonly timers?: boolean }): Promise<void>
  /** Trains if it is time to and there are enough new rows. */
  runDue(): Promise<void>
  warning(): string | null
  stats(): RankingStats
  stop(): Promise<void>
}

/** Composes the job; nothing runs before `start()`. */
export function createRankingJob(options: RankingJobOptions): RankingJob {
  const { log, clock, config, models, onError } = options
  const view = createRegistryView({ log, surface: config.surface, onError })
  const window = createRowWindow(config.maxRows)
  const stopping = new AbortController()
  const outcomes = new Map<string, number>()
  let trainings = 0
  let seconds: number | null = null
  let leftOut: WindowRows['leftOut'] = []
  let spec: Trainable | null = null
  let trainedAtMs: number | null = null
  let known: ModelArtefact | null = null
  /** Searched once for each plan: a base stays one, because the window only moves on. */
  let base: { readonly planHash: string; readonly model: ModelArtefact | null } | null = null
  let turn: Promise<void> = Promise.resolve()
  const read = createModelReader({ models, surface: config.surface, onError })
  let timers: Promise<unknown> = Promise.resolve()
  const follower = createViewFollower({
    log,
    clock,
    topics: ['models.v1'],
    maxBatchRecords: 1_000,
    subject: 'the registry',
    progress: () => view.progress,
    onBatch: (batch) => Promise.resolve(view.fold(batch)),
    onError,
  })

  /** The serving model, if it has the plan of the spec and can be read. */
  async function servingModel(planHash: string): Promise<typeof known> {
    const record = view.registry.serving()
    if (record === null || record.planHash !== planHash) return null
    if (known?.manifest.version !== record.version) known = await read(record.version)
    return known
  }

  async function baseOf(planHash: string, serving: ModelArtefact | null, window: WindowRows): Promise<typeof known> {
    const [first] = window.rows
    if (first !== undefined && base?.planHash !== planHash)
      base = { planHash, model: await findBase(serving, timeOf(first), read) }
    return base?.model ?? null
  }

  function isDue(): boolean {
    const needed = trainedAtMs === null ? config.minRows : Math.max(config.minNewRows, config.newShare * window.size)
    const isTime = trainedAtMs === null || clock.now() - trainedAtMs >= config.trainIntervalMs
    return isTime && window.size >= config.minRows && window.fresh >= needed
  }

  async function train(): Promise<void> {
    if (spec === null || !isDue()) return
    const nowMs = clock.now()
    trainedAtMs = nowMs
    spec = await newestSpec(spec)
    try {
      const serving = await servingModel(spec.planHash)
      const version = nameOf(config.surface, nowMs)
      const full = trainings++ % config.fullEvery === 0
      const window = readWindow(spec)
      const base = await baseOf(spec.planHash, serving, window)
      const trained = await trainAndJudge({ spec, window, serving, base, full, version, nowMs, config, pause })
      seconds = (clock.now() - nowMs) / 1000
      await publish(trained, { version, parentVersion: serving?.manifest.version ?? null, nowMs })
      count(trained.verdict.passed ? 'published' : trained.verdict.code)
    } catch (error) {
      if (!stopping.signal.aborted) count(error instanceof CodedError ? String(error.code) : 'failed')
      throw error
    }
  }

  /** The spec as its file has it now; if that cannot be used, reports why and returns the one before. */
  async function newestSpec(before: Trainable): Promise<Trainable> {
    return loadTrainable(config.specFile, config.surface).catch((error: unknown) => {
      onError(error as Error)
      return before
    })
  }

  /** The rows that can train. Reports corrupt ones when there are more than before. */
  function readWindow({ plan }: Trainable): WindowRows {
    const found = window.read(plan)
    const corruptOf = (all: WindowRows['leftOut']) => all.filter(({ isCorrupt }) => isCorrupt)
    const rowsOf = (all: WindowRows['leftOut']): number => corruptOf(all).reduce((sum, { rows }) => sum + rows, 0)
    if (rowsOf(found.leftOut) > rowsOf(leftOut))
      onError(new TrainingError('TRAINING_ROWS_LEFT_OUT', describeLeftOut(found, corruptOf(found.leftOut))))
    leftOut = found.leftOut
    return found
  }

  async function pause(): Promise<void> {
    await options.pause()
    stopping.signal.throwIfAborted()
  }

  function count(outcome: string): void {
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
  }

  async function publish(
    { verdict, metrics, artefact, trainingRows }: Trained,
    { version, parentVersion, nowMs }: { version: string; parentVersion: string | null; nowMs: number },
  ): Promise<void> {
    const bytes = artefact === null ? null : encodeArtefact(artefact)
    if (bytes !== null) await models.put(artefactName(config.surface, version), bytes)
    const record: ModelRecord = {
      surface: config.surface,
      version,
      stage: verdict.passed ? 'serving' : 'rejected',
      share: 0,
      reason: verdict.reason,
      atMs: nowMs,
      sha256: bytes === null ? '' : sha256(bytes),
      planHash: spec!.planHash,
      parentVersion,
      trainedAtMs: nowMs,
      trainingRows,
      results: [...metrics].map(([head, { logLoss, servingLogLoss }]) => ({ head, logLoss, servingLogLoss })),
    }
    await view.append(record)
    options.onTrained?.(record)
    await prune()
  }

  /** Removes the oldest models beyond those that are kept, and artefacts that no model has: of a training that ended between artefact and record. */
  async function prune(): Promise<void> {
    const all = view.registry.models()
    const old = all
      .slice(0, Math.max(0, all.length - config.keptModels))
      .filter(({ stage }) => stage === 'retired' || stage === 'rejected')
      .map(({ version }) => version)
    await view.forget(old)
    // Before the registry is read to its end, most models are unknown.
    if (follower.unready() !== null) return
    const kept = new Set(view.registry.models().map(({ version }) => artefactName(config.surface, version)))
    for (const name of await models.list(`models/${config.surface}/`)) if (!kept.has(name)) await models.remove(name)
  }

  function runDue(): Promise<void> {
    turn = turn.then(train).catch((error: unknown) => {
      if (!stopping.signal.aborted) onError(error as Error)
    })
    return turn
  }

  return {
    take: (batch) => window.add(batch),
    async start({ timers: hasTimers = true } = {}) {
      spec = await loadTrainable(config.specFile, config.surface)
      await follower.start()
      const earlier: RowBatch[] = []
      let rows = 0
      for await (const batch of options.earlierRows()) {
        earlier.push(batch)
        rows += batch.rows
        if (rows >= config.maxRows) break
      }
      for (const batch of earlier.reverse()) window.add(batch)
      if (!hasTimers) return
      const how = { clock, signal: stopping.signal, onError }
      timers = doChores([[Math.min(config.trainIntervalMs, 5_000), runDue]], how)
    },
    runDue,
    warning: () => follower.warning(),
    stats: () => ({
      rows: window.size,
      leftOut: new Map(leftOut.map(({ reason, rows }) => [reason, rows])),
      outcomes,
      seconds,
      newestAtMs: newestOf(view.registry.models()),
    }),
    async stop() {
      stopping.abort()
      await timers
      await turn
      await follower.stop()
    },
  }
}

/** A name for a model: the surface and the time of its training, UTC. */
function nameOf(surface: string, nowMs: number): string {
  const [date = '', time = ''] = new Date(nowMs).toISOString().split('T')
  return `${surface}-${date.replaceAll('-', '')}-${time.slice(0, 8).replaceAll(':', '')}`
}
