import type { ModelRecord } from '@freshet/domain/model-record'
import type { ModelManifest } from '@freshet/ranking/artefact/manifest'
import { builtInVersion, type ModelRegistry } from '@freshet/ranking/registry/registry'
import type { Manifests } from './manifests.ts'

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
export type ModelJson = Omit<ModelRecord, 'atMs' | 'trainedAtMs'> & {
  readonly at: string
  readonly trainedAt: string
  /** Time since the training ended, milliseconds. */
  readonly ageMs: number
  /** Results on held-out rows by head, with calibration; null: the artefact is not here. */
  readonly metrics: ModelManifest['metrics'] | null
}

/** The registries of these surfaces as JSON. */
export function modelsJson(
  registries: ReadonlyMap<string, ModelRegistry>,
  manifests: Manifests,
  nowMs: number,
): ModelsJson {
  return {
    surfaces: [...registries].map(([surface, registry]) => ({
      surface,
      serving: registry.serving()?.version ?? builtInVersion,
      models: registry
        .models()
        .map((model) => modelJson(model, manifests.get(`${surface}/${model.version}`) ?? null, nowMs)),
    })),
  }
}

/** A record as JSON. */
export function modelJson(
  { atMs, trainedAtMs, ...record }: ModelRecord,
  manifest: ModelManifest | null,
  nowMs: number,
): ModelJson {
  const [at, trainedAt] = [new Date(atMs).toISOString(), new Date(trainedAtMs).toISOString()]
  return { ...record, at, trainedAt, ageMs: Math.max(0, nowMs - trainedAtMs), metrics: manifest?.metrics ?? null }
}
