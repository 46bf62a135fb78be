import type { RankerModelsJson } from '@freshet/ranker/inspection'
import { builtInVersion } from '@freshet/ranking/registry/registry'
import type { ModelJson, ModelsJson } from './models-json.ts'

/** A table for people: the newest change first. */
export function modelLines({ surfaces }: ModelsJson): string[] {
  if (surfaces.length === 0) return [`no model was trained yet; the ${builtInVersion} one serves`]
  return surfaces.flatMap(({ surface, serving, models }) => {
    const width = Math.max(0, ...models.map(({ version }) => version.length))
    return [
      `surface ${surface}: ${serving} serves`,
      ...models.toReversed().map((model) => {
        const { version, stage, share, ageMs, trainingRows, reason } = model
        const of = share > 0 ? `${stage} ${share * 100} %` : stage
        const age = ageOf(ageMs).padStart(8)
        return `  ${version.padEnd(width)}  ${of.padEnd(13)}  ${age} old  ${String(trainingRows).padStart(8)} rows  ${lossesOf(model)}  ${reason}`.trimEnd()
      }),
    ]
  })
}

/** The log loss of each head, its change against the model that served, and Σ predicted / Σ label. */
function lossesOf({ results, metrics }: ModelJson): string {
  return results
    .map(({ head, logLoss, servingLogLoss }) => {
      const calibration = metrics?.[head]?.calibration ?? null
      const change = servingLogLoss === null ? '' : ` (${changeOf(logLoss, servingLogLoss)})`
      return `${head} ${logLoss.toFixed(4)}${change}${calibration === null ? '' : ` ×${calibration.toFixed(2)}`}`
    })
    .join(' ')
}

/** Everything about a model, for people. */
export function modelDetails(model: ModelJson): string[] {
  const { results, metrics, ageMs, ...rest } = model
  return [
    ...Object.entries(rest).map(
      ([name, value]) => `${name.padEnd(14)} ${value === null || value === '' ? '–' : value}`,
    ),
    `${'age'.padEnd(14)} ${ageOf(ageMs)}`,
    ...results.map(({ head, logLoss, servingLogLoss }) => {
      const before =
        servingLogLoss === null
          ? ''
          : `, the model that served ${servingLogLoss.toFixed(4)} (${changeOf(logLoss, servingLogLoss)})`
      return `log loss of ${head}: ${logLoss.toFixed(4)}${before}`
    }),
    ...(metrics === null
      ? ['calibration: the artefact is not here; --models names the checkpoint folder of a trainer that has it']
      : calibrationLines(metrics)),
  ]
}

function calibrationLines(metrics: NonNullable<ModelJson['metrics']>): string[] {
  return Object.entries(metrics).flatMap(([head, { rows, auc, calibration, deciles }]) => {
    const ratio = calibration === null ? 'no positive label' : `Σ predicted / Σ label ${calibration.toFixed(3)}`
    const area = auc === null ? '' : `, AUC ${auc.toFixed(4)}`
    return [
      `${head} on ${rows} held-out rows: ${ratio}${area}`,
      ...deciles.map(
        ({ rows: of, predicted, observed }, at) =>
          `  part ${String(at + 1).padStart(2)}  ${String(of).padStart(8)} rows  predicted ${predicted.toFixed(4)}  observed ${observed.toFixed(4)}`,
      ),
    ]
  })
}

/** What a ranker found out about the model that serves and about its shadow, for people. */
export function rankerLines({ serving, health, shadow }: RankerModelsJson): string[] {
  return [
    ...(health === null ? [`inputs of ${serving}: no window is complete yet`] : healthLines(health)),
    ...(shadow === null ? [] : shadowLines(shadow)),
  ]
}

function healthLines({ model, rows, crossed }: NonNullable<RankerModelsJson['health']>): string[] {
  const beyond = Object.entries(crossed).flatMap(([check, names]) =>
    names.length === 0 ? [] : [`${check}: ${names.join(', ')}`],
  )
  const found = beyond.length === 0 ? 'as in training' : beyond.join('; ')
  return [`inputs of ${model} in the last ${rows} rows: ${found}`]
}

function shadowLines(shadow: NonNullable<RankerModelsJson['shadow']>): string[] {
  const { version, serving, pages, failed, skipped, overlap, correlation, predictions } = shadow
  const missing = failed + skipped === 0 ? '' : `; ${failed} failed, ${skipped} skipped`
  if (pages === 0) return [`shadow ${version} beside ${serving}: no page yet${missing}`]
  const order = correlation === null ? '' : `, rank correlation ${correlation.toFixed(3)}`
  const written = (mean: number | null): string => (mean === null ? '–' : mean.toFixed(4))
  return [
    `shadow ${version} beside ${serving} on ${pages} pages: ${(100 * overlap!).toFixed(1)} % of the best 25 in common${order}${missing}`,
    ...Object.entries(predictions).map(
      ([head, means]) => `  mean ${head}: shadow ${written(means.shadow)}, serving ${written(means.serving)}`,
    ),
  ]
}

/** The change of a loss in percent; below 0 is better. */
function changeOf(loss: number, before: number): string {
  if (before === 0) return 'was 0'
  const percent = 100 * (loss / before - 1)
  return `${percent > 0 ? '+' : ''}${percent.toFixed(1)} %`
}

function ageOf(ms: number): string {
  const minutes = Math.floor(ms / 60_000)
  if (minutes < 120) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} days`
}
