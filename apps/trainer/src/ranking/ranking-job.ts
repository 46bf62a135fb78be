import { isContractError } from '@freshet/contracts/errors'
import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'
import type { EventLog } from '@freshet/contracts/ports/event-log'
import { createViewFollower } from '@freshet/contracts/view-follower'
import type { Clock } from '@freshet/domain/clock'
import type { ModelRecord } from '@freshet/domain/model-record'
import {
  artefactName,
  decodeArtefact,
  encodeArtefact,
  sha256,
  type ModelArtefact,
} from '@freshet/ranking/artefact/bytes'
import { loadSpec, type LoadedSpec } from '@freshet/ranking/model/spec-file'
import { hashOfPlan } from '@freshet/ranking/plan/plan'
import type { RowBatch } from '@freshet/ranking/rows/row-batch'
import { planOfSpec } from '@freshet/ranking/spec/plan-of-spec'
import { SpecError } from '@freshet/ranking/spec/problems'
import { doChores } from '../chores.ts'
import type { RankingTrainerConfig } from './config.ts'
import { createRegistryView } from './registry-view.ts'
import { createRowWindow, type TimedRows } from './row-window.ts'
import { trainAndJudge, type Trained } from './train-model.ts'

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
  /** Reads the spec, the registry and earlier rows. Throws a SpecFileError or a SpecError. `timers: false`: only `runDue` trains. */
  start(options?: { readonly timers?: boolean }): Promise<void>
  /** Trains if it is time to and there are enough new rows. */
  runDue(): Promise<void>
  warning(): string | null
  stats(): {
    readonly rows: number
    readonly trainings: number
    readonly published: number
    readonly rejected: number
    /** Seconds that the last training took. */
    readonly seconds: number
  }
  stop(): Promise<void>
}

interface Loaded extends Extract<LoadedSpec, { readonly kind: 'json' }> {
  readonly planHash: string
}

/** Composes the job; nothing runs before `start()`. */
export function createRankingJob(options: RankingJobOptions): RankingJob {
  const { log, clock, config, models, onError } = options
  const view = createRegistryView({ log, surface: config.surface, onError })
  const window = createRowWindow(config.maxRows)
  const stopping = new AbortController()
  const counts = { trainings: 0, published: 0, rejected: 0, seconds: 0 }
  let loaded: Loaded | null = null
  let trainedAtMs: number | null = null
  let known: ModelArtefact | null = null
  let turn: Promise<void> = Promise.resolve()
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
    if (known?.manifest.version === record.version) return known
    const name = artefactName(record.surface, record.version)
    try {
      known = decodeArtefact(await models.get(name), name)
      return known
    } catch (error) {
      if (!isContractError(error, 'ARTEFACT_MISSING')) onError(error as Error)
      return null
    }
  }

  function isDue(): boolean {
    const needed = trainedAtMs === null ? config.minRows : Math.max(config.minNewRows, config.newShare * window.size)
    const isTime = trainedAtMs === null || clock.now() - trainedAtMs >= config.trainIntervalMs
    return isTime && window.size >= config.minRows && window.fresh >= needed
  }

  async function train(): Promise<void> {
    if (loaded === null || !isDue()) return
    const { spec, text, planHash } = loaded
    const nowMs = clock.now()
    const rows = window.read(
      spec.features.map(({ name }) => name),
      spec.models.map(({ action }) => action),
    )
    trainedAtMs = nowMs
    if (!hasBothLabels(rows)) return
    const serving = await servingModel(planHash)
    const version = nameOf(config.surface, nowMs)
    const full = counts.trainings % config.fullEvery === 0
    const work = trainAndJudge({ spec, specText: text, rows, serving, full, version, nowMs, config })
    const trained = await inSlices(work)
    counts.trainings++
    counts.seconds = (clock.now() - nowMs) / 1000
    await publish(trained, { version, parentVersion: serving?.manifest.version ?? null, nowMs })
  }

  async function inSlices(work: Generator<undefined, Trained, undefined>): Promise<Trained> {
    for (;;) {
      const step = work.next()
      if (step.done === true) return step.value
      await options.pause()
      stopping.signal.throwIfAborted()
    }
  }

  async function publish(
    { verdict, metrics, artefact, ...trained }: Trained,
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
      planHash: trained.planHash,
      parentVersion,
      trainedAtMs: nowMs,
      trainingRows: trained.trainingRows,
      results: [...metrics].map(([head, { logLoss, servingLogLoss }]) => ({ head, logLoss, servingLogLoss })),
    }
    await view.append(record)
    counts[verdict.passed ? 'published' : 'rejected']++
    options.onTrained?.(record)
    await prune()
  }

  /** Removes the oldest models beyond those that are kept. */
  async function prune(): Promise<void> {
    const all = view.registry.models()
    const old = all
      .slice(0, Math.max(0, all.length - config.keptModels))
      .filter(({ stage }) => stage === 'retired' || stage === 'rejected')
      .map(({ version }) => version)
    await view.forget(old)
    for (const version of old) await models.remove(artefactName(config.surface, version))
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
      const found = await loadSpec(config.specFile)
      if (found.kind !== 'json')
        throw new SpecError(['the trainer cannot learn it; give a spec in JSON'], config.specFile!)
      loaded = { ...found, planHash: hashOfPlan(planOfSpec(found.spec, config.surface)) }
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
    stats: () => ({ rows: window.size, ...counts }),
    async stop() {
      stopping.abort()
      await timers
      await turn
      await follower.stop()
    },
  }
}

/** Whether some action was done on some rows and left out on others: otherwise there is nothing to learn. */
function hasBothLabels({ labels }: TimedRows): boolean {
  return [...labels.values()].some((column) => column.includes(1) && column.includes(0))
}

/** A name for a model: the surface and the time of its training, UTC. */
function nameOf(surface: string, nowMs: number): string {
  const [date = '', time = ''] = new Date(nowMs).toISOString().split('T')
  return `${surface}-${date.replaceAll('-', '')}-${time.slice(0, 8).replaceAll(':', '')}`
}
