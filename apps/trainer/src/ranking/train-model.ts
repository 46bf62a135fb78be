import { version as trainerVersion } from '@freshet/domain/version'
import type { ModelArtefact } from '@freshet/ranking/artefact/bytes'
import type { HeadMetrics } from '@freshet/ranking/artefact/manifest'
import { meansOf, measureHeads } from '@freshet/ranking/logistic/measure'
import { statisticsOf } from '@freshet/ranking/logistic/table'
import { predictLogistic, trainLogistic } from '@freshet/ranking/logistic/train-logistic'
import { hashOfPlan } from '@freshet/ranking/plan/plan'
import { judge, type HeadComparison, type Verdict } from '@freshet/ranking/registry/gate'
import type { RankingSpec } from '@freshet/ranking/spec/spec'
import type { RankingTrainerConfig } from './config.ts'
import { sliceRows, splitAt, type TimedRows } from './row-window.ts'

/** A training and its judgement. */
export interface Trained {
  readonly verdict: Verdict
  readonly metrics: ReadonlyMap<string, HeadComparison>
  /** To be published; null: the gate rejected the model. */
  readonly artefact: ModelArtefact | null
  readonly planHash: string
  readonly trainingRows: number
}

/** What a training works with. */
export interface TrainingInput {
  readonly spec: RankingSpec
  readonly specText: string
  readonly rows: TimedRows
  /** The model that serves, if it has the plan of the spec; null: another one serves. */
  readonly serving: ModelArtefact | null
  /** Begin at the weights of the spec, whatever serves. */
  readonly full: boolean
  readonly version: string
  readonly nowMs: number
  readonly config: RankingTrainerConfig
}

/**
 * Trains on the older rows, judges on the latest ones, which the serving model has not learned from either, and if the model passes
 * lets it learn those too. Pauses between slices of
 * work.
 */
export function* trainAndJudge(input: TrainingInput): Generator<undefined, Trained, undefined> {
  const { spec, rows, serving, config } = input
  const split = splitAt(rows, config.heldOutShare, serving?.manifest.dataToMs ?? null)
  const [older, latest] = [sliceRows(rows, 0, split), sliceRows(rows, split, rows.rows)]
  const how = { name: config.surface, priorPrecision: config.priorPrecision, maxSteps: config.maxSteps }
  const start = input.full ? null : (serving?.model ?? null)
  const candidate = yield* trainLogistic(spec, older, { ...how, start })
  const metrics = measureHeads({
    rows: latest,
    predicted: predictLogistic(spec, candidate, latest),
    serving: serving === null ? null : predictLogistic(spec, serving.model, latest),
    means: meansOf(older),
  })
  const verdict = judge(metrics, config.margin)
  const planHash = hashOfPlan(candidate.plan)
  const judged = { verdict, metrics, planHash, trainingRows: rows.rows }
  if (!verdict.passed) return { ...judged, artefact: null }
  const model = yield* trainLogistic(spec, rows, { ...how, start: candidate })
  return {
    ...judged,
    artefact: {
      model,
      manifest: {
        version: input.version,
        surface: config.surface,
        specText: input.specText,
        planHash,
        dataFromMs: rows.atMs[0] ?? 0,
        dataToMs: rows.atMs.at(-1) ?? 0,
        trainingRows: rows.rows,
        heldOutRows: latest.rows,
        metrics: Object.fromEntries([...metrics].map(([head, found]) => [head, resultsOf(found)])),
        inputs: statisticsOf(spec, rows),
        parentVersion: serving?.manifest.version ?? null,
        createdAtMs: input.nowMs,
        trainerVersion,
      },
    },
  }
}

function resultsOf({ meanLogLoss: _mean, differenceError: _error, ...results }: HeadComparison): HeadMetrics {
  return results
}
