import { hash32 } from '@freshet/domain/hash'
import { version as trainerVersion } from '@freshet/domain/version'
import type { ModelArtefact } from '@freshet/ranking/artefact/bytes'
import type { HeadMetrics, ModelManifest } from '@freshet/ranking/artefact/manifest'
import { planStatisticsOf } from '@freshet/ranking/artefact/plan-statistics'
import { predictTablePausing } from '@freshet/ranking/model/predict-table'
import type { Parameters, TrainedModel } from '@freshet/ranking/model/trained-model'
import type { RowTable } from '@freshet/ranking/plan/column'
import { inSlices, type Pausing } from '@freshet/ranking/plan/pausing'
import { judge, type HeadComparison, type Verdict } from '@freshet/ranking/registry/gate'
import { meansOf, measureHeads } from '@freshet/ranking/registry/measure'
import { compareOrders, type OrderComparison } from '@freshet/ranking/registry/order'
import { TrainingError } from '@freshet/ranking/training/errors'
import { isLearnedExactly } from '@freshet/ranking/training/choose-learner'
import { trainModel } from '@freshet/ranking/training/train'
import { believed } from './base-model.ts'
import type { RankingTrainerConfig } from './config.ts'
import { describeLeftOut, feedOf, splitAt, timeOf, type WindowRow, type WindowRows } from './row-window.ts'
import type { Trainable } from './trainable.ts'
import { feedSizesOf, retrievalScoresOf, tableOf } from './training-table.ts'

/** A training and its judgement. */
export interface Trained {
  readonly verdict: Verdict
  readonly metrics: ReadonlyMap<string, HeadComparison>
  /** To be published; null: the gate rejected the model. */
  readonly artefact: ModelArtefact | null
  readonly trainingRows: number
}

/** What a training works with. */
export interface TrainingInput {
  readonly spec: Trainable
  readonly window: WindowRows
  /** The model that serves, if it has the plan of the spec; null: another one serves. */
  readonly serving: ModelArtefact | null
  /** An earlier model that learned only from rows older than the window, whose weights are the prior; null: that of the spec is. */
  readonly base: ModelArtefact | null
  /** Begin without the weights of the serving model. */
  readonly full: boolean
  readonly version: string
  readonly nowMs: number
  readonly config: RankingTrainerConfig
  /** Waits between slices of work, so that other work of the process gets its turn. It throws when the job stops. */
  readonly pause: () => Promise<void>
}

/** Epochs of gradient descent that go on from earlier weights. */
const incrementalEpochs = 2

/** One feed of this many calibrates a model and ends its gradient descent. Its weights never learn from these feeds. */
const feedsPerCalibration = 10

/**
 * Trains on the older rows, judges on the latest ones, which the serving model has not learned from either, and if the model
 * passes lets it learn those too. Throws a TrainingError if the rows cannot train any head.
 */
export async function trainAndJudge(input: TrainingInput): Promise<Trained> {
  const { serving, config, window, spec } = input
  const { rows } = window
  if (rows.length === 0)
    throw new TrainingError('TRAINING_WINDOW_EMPTY', `no row of the window can train: ${describeLeftOut(window)}`)
  const split = splitAt(rows, config.heldOutShare, serving?.manifest.dataToMs ?? null)
  const [older, latest] = [rows.slice(0, split), rows.slice(split)]
  const candidate = await learn(input, older, input.full ? null : (serving?.model.parameters ?? null))
  const { metrics, order } = await measure(input, candidate, older, latest)
  const verdict = judge(metrics, config.margin, order)
  const judged = { verdict, metrics, trainingRows: rows.length }
  if (!verdict.passed) return { ...judged, artefact: null }
  const model = await learn(input, rows, candidate.parameters)
  const manifest = await describe(input, metrics, latest.length)
  return { ...judged, artefact: { model: { ...model, plan: spec.plan }, manifest } }
}

/** Learns the plan from some rows, beginning at earlier parameters; null: from scratch. */
async function learn(
  { spec: { plan, priorMeans, folder: specFolder }, base, config, nowMs, pause }: TrainingInput,
  rows: readonly WindowRow[],
  initial: Parameters | null,
): Promise<TrainedModel> {
  const needsOthers = plan.heads.some(({ calibrate }) => calibrate !== 'none') || !isLearnedExactly(plan)
  const [own, others] = needsOthers ? splitFeeds(rows) : [rows, []]
  const table = await inSlices(tableOf(plan, own), pause)
  const validate = others.length === 0 ? null : await inSlices(tableOf(plan, others), pause)
  const { parameters } = await trainModel(plan, table, {
    seed: 1,
    // The job measures the time of the whole training.
    nowMs: () => nowMs,
    prior: { precision: config.priorPrecision, ...(base === null ? { means: priorMeans } : believed(base)) },
    maxSteps: config.maxSteps,
    someOneClass: true,
    atBaseRates: true,
    specFolder,
    pause,
    ...(validate !== null && { validate }),
    ...(initial !== null && { initial, maxEpochs: incrementalEpochs }),
  })
  return { plan, parameters }
}

/** Rows whose feeds the weights learn from, and the others. A feed is always on the same side, also for later models. */
function splitFeeds(rows: readonly WindowRow[]): readonly [readonly WindowRow[], readonly WindowRow[]] {
  const isOther = (row: WindowRow): boolean => hash32(feedOf(row), 0x706c6174) % feedsPerCalibration === 0
  return [rows.filter((row) => !isOther(row)), rows.filter(isOther)]
}

async function measure(
  { spec: { plan }, serving, pause }: TrainingInput,
  candidate: TrainedModel,
  older: readonly WindowRow[],
  latest: readonly WindowRow[],
): Promise<{ readonly metrics: ReadonlyMap<string, HeadComparison>; readonly order: OrderComparison | null }> {
  const table = await inSlices(tableOf(plan, latest), pause)
  const measurement = {
    heads: plan.heads,
    table,
    predicted: await inSlices(predictTablePausing(candidate, table), pause),
    serving: serving === null ? null : await inSlices(predictTablePausing(serving.model, table), pause),
    means: meansOf(plan.heads, await inSlices(tableOf({ ...plan, inputs: [] }, older), pause)),
  }
  const metrics = await inSlices(measureHeads(measurement), pause)
  const order = serving !== null ? null : await inSlices(orderOf(candidate, table, latest), pause)
  return { metrics, order }
}

/** How the model would order the feeds, compared with retrieval. It does not know the positions, as in serving. */
function* orderOf(model: TrainedModel, table: RowTable, rows: readonly WindowRow[]): Pausing<OrderComparison | null> {
  const { plan } = model
  const isTrainingOnly = (name: string): boolean => plan.trainingOnly.some(({ input }) => input === name)
  const inputs = new Map([...table.inputs].filter(([name]) => !isTrainingOnly(name)))
  const predicted = yield* predictTablePausing(model, { rows: table.rows, inputs })
  const utilities = new Float64Array(table.rows)
  for (const { head, weight } of plan.utility)
    for (const [row, value] of predicted[plan.heads.findIndex(({ name }) => name === head)]!.entries())
      utilities[row]! += weight * value
  const { labels } = table
  return compareOrders(plan, {
    utilities,
    retrievalScores: retrievalScoresOf(rows),
    labels,
    feedSizes: feedSizesOf(rows),
  })
}

async function describe(
  { spec, window: { rows }, serving, version, nowMs, config, pause }: TrainingInput,
  metrics: ReadonlyMap<string, HeadComparison>,
  heldOutRows: number,
): Promise<ModelManifest> {
  const table = await inSlices(tableOf(spec.plan, rows), pause)
  return {
    version,
    surface: config.surface,
    specText: spec.specText,
    planHash: spec.planHash,
    dataFromMs: timeOf(rows[0]!),
    dataToMs: timeOf(rows.at(-1)!),
    trainingRows: rows.length,
    heldOutRows,
    metrics: Object.fromEntries([...metrics].map(([head, found]) => [head, resultsOf(found)])),
    meanPredictions: Object.fromEntries([...metrics].map(([head, { meanPrediction }]) => [head, meanPrediction])),
    inputs: await inSlices(planStatisticsOf(table), pause),
    parentVersion: serving?.manifest.version ?? null,
    createdAtMs: nowMs,
    trainerVersion,
  }
}

function resultsOf({ rows, logLoss, servingLogLoss, auc, calibration, deciles }: HeadComparison): HeadMetrics {
  return { rows, logLoss, servingLogLoss, auc, calibration, deciles }
}
