import type { ModelRecord } from '@freshet/domain/model-record'
import { builtInVersion, type ModelRegistry } from '@freshet/ranking/registry/registry'

/** The registries as JSON. */
export interface ModelsJson {
  readonly surfaces: readonly {
    readonly surface: string
    /** The version that serves. */
    readonly serving: string
    /** Oldest change first. */
    readonly models: readonly ModelJson[]
  }[]
}

/** A model of a registry as JSON, with its times in RFC 3339. */
export type ModelJson = Omit<ModelRecord, 'atMs' | 'trainedAtMs'> & { readonly at: string; readonly trainedAt: string }

/** The registries of these surfaces as JSON. */
export function modelsJson(registries: ReadonlyMap<string, ModelRegistry>): ModelsJson {
  return {
    surfaces: [...registries].map(([surface, registry]) => ({
      surface,
      serving: registry.serving()?.version ?? builtInVersion,
      models: registry.models().map(modelJson),
    })),
  }
}

/** A record as JSON. */
export function modelJson({ atMs, trainedAtMs, ...record }: ModelRecord): ModelJson {
  return { ...record, at: new Date(atMs).toISOString(), trainedAt: new Date(trainedAtMs).toISOString() }
}

/** A table for people: the newest change first. */
export function modelLines({ surfaces }: ModelsJson): string[] {
  if (surfaces.length === 0) return [`no model was trained yet; the ${builtInVersion} one serves`]
  return surfaces.flatMap(({ surface, serving, models }) => {
    const width = Math.max(0, ...models.map(({ version }) => version.length))
    return [
      `surface ${surface}: ${serving} serves`,
      ...models.toReversed().map(({ version, stage, share, at, trainingRows, results, reason }) => {
        const of = share > 0 ? `${stage} ${share * 100} %` : stage
        const losses = results.map(({ head, logLoss }) => `${head} ${logLoss.toFixed(4)}`).join(' ')
        return `  ${version.padEnd(width)}  ${of.padEnd(13)}  ${at}  ${String(trainingRows).padStart(8)} rows  ${losses}  ${reason}`.trimEnd()
      }),
    ]
  })
}

/** Everything about a model, for people. */
export function modelDetails(model: ModelJson): string[] {
  const { results, ...rest } = model
  return [
    ...Object.entries(rest).map(
      ([name, value]) => `${name.padEnd(14)} ${value === null || value === '' ? '–' : value}`,
    ),
    ...results.map(({ head, logLoss, servingLogLoss }) => {
      const before = servingLogLoss === null ? '' : `, the model that served ${servingLogLoss.toFixed(4)}`
      return `log loss of ${head}: ${logLoss.toFixed(4)}${before}`
    }),
  ]
}
