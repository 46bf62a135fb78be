import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { encodeArtefact } from '@freshet/ranking/artefact/bytes'
import { hashOfPlan } from '@freshet/ranking/plan/plan'
import type { TrainedModel } from '@freshet/ranking/model/trained-model'
import { version as trainerVersion } from '@freshet/domain/version'
import type { RowTable } from '@freshet/ranking/plan/column'
import type { TrainReport } from './report.ts'

/** Writes a trained model as an artefact, and its figures as JSON, into a folder. */
export async function writeModel(
  folder: string,
  model: TrainedModel,
  {
    report,
    specText,
    createdAtMs,
    times,
  }: {
    readonly report: TrainReport
    readonly specText: string
    readonly createdAtMs: number
    /** Times of the training and of the validation rows. */
    readonly times: readonly RowTable['times'][]
  },
): Promise<void> {
  const { plan } = model
  const planHash = hashOfPlan(plan)
  const heldOut = report.validate ?? report.test
  const metrics = Object.fromEntries(
    plan.heads.flatMap(({ name, label, kind }) => {
      const figures = heldOut?.[label]
      if (figures === undefined || kind === 'amount') return []
      const { rows, auc, logLoss, calibration } = figures
      return [[name, { rows, logLoss, servingLogLoss: null, auc, calibration, deciles: figures.deciles }] as const]
    }),
  )
  const means = plan.heads.flatMap(({ name, label }) => {
    const mean = heldOut?.[label]?.meanPrediction
    return mean === undefined || Number.isNaN(mean) ? [] : [[name, mean] as const]
  })
  const manifest = {
    version: `${plan.spec}-${planHash}`,
    surface: plan.spec,
    specText,
    planHash,
    ...dataWindow(times),
    trainingRows: report.rows,
    heldOutRows: Object.values(heldOut ?? {})[0]?.rows ?? 0,
    metrics,
    ...(means.length > 0 && { meanPredictions: Object.fromEntries(means) }),
    inputs: {},
    parentVersion: null,
    createdAtMs,
    trainerVersion,
  }
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'model.freshet'), encodeArtefact({ manifest, model }))
  await writeFile(join(folder, 'report.json'), `${JSON.stringify(report, null, 2)}\n`)
}

/** The time of everything that the model learned from; 0: its rows have no times. */
function dataWindow(times: readonly RowTable['times'][]): { readonly dataFromMs: number; readonly dataToMs: number } {
  const known = times.filter((each) => each !== undefined)
  if (known.length === 0) return { dataFromMs: 0, dataToMs: 0 }
  return {
    dataFromMs: Math.min(...known.map(({ fromMs }) => fromMs)),
    dataToMs: Math.max(...known.map(({ toMs }) => toMs)),
  }
}
