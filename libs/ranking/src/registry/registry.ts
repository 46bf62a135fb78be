import type { ModelRecord, ModelStage } from '@freshet/domain/model-record'
import { nearest } from '@freshet/domain/nearest'
import { RegistryError } from './registry-error.ts'

/** The version under which the model of the ranker's own spec is known. It serves until another one does. */
export const builtInVersion = 'built-in'

/**
 * The models of one surface. All of it follows from the newest record of each version and their order, so a compacted log gives
 * the same registry as a whole one.
 */
export interface ModelRegistry {
  /** Takes a record: the newest of its version. null: the version is forgotten. */
  fold(version: string, record: ModelRecord | null): void
  /** All models, in the order of their newest records. A model that another one has replaced is `retired`. */
  models(): readonly ModelRecord[]
  /** The model that serves; null: the built-in one. */
  serving(): ModelRecord | null
  /** The model that answers a share of the users; null: none. */
  canary(): ModelRecord | null
  /** The model that scores a share of the requests in the background; null: none. */
  shadow(): ModelRecord | null
}

/** An empty registry: the built-in model serves. */
export function createModelRegistry(): ModelRegistry {
  const records = new Map<string, ModelRecord>()

  /** The last record of this stage, if no later model has begun to serve. */
  function newest(stage: 'canary' | 'shadow'): ModelRecord | null {
    let found: ModelRecord | null = null
    for (const record of records.values()) {
      if (record.stage === stage) found = record
      else if (record.stage === 'serving') found = null
    }
    return found
  }

  function serving(): ModelRecord | null {
    let found: ModelRecord | null = null
    for (const record of records.values()) if (record.stage === 'serving') found = record
    return found
  }

  return {
    fold(version, record) {
      records.delete(version)
      if (record !== null) records.set(version, record)
    },
    models() {
      const active = { serving: serving(), canary: newest('canary'), shadow: newest('shadow') }
      return [...records.values()].map((record): ModelRecord => {
        const { stage } = record
        const holder = stage === 'serving' || stage === 'canary' || stage === 'shadow' ? active[stage] : record
        if (holder === record) return record
        const by = holder?.version ?? active.serving?.version ?? builtInVersion
        return { ...record, stage: 'retired', share: 0, reason: `replaced by ${by}` }
      })
    },
    serving,
    canary: () => newest('canary'),
    shadow: () => newest('shadow'),
  }
}

/** The stages to which a model may go. */
const nextStages: Readonly<Record<ModelStage, readonly ModelStage[]>> = {
  candidate: ['shadow', 'canary', 'serving', 'retired', 'rejected'],
  shadow: ['shadow', 'canary', 'serving', 'retired', 'rejected'],
  canary: ['shadow', 'canary', 'serving', 'retired', 'rejected'],
  serving: [],
  retired: ['shadow', 'canary', 'serving', 'rejected'],
  rejected: [],
}

/** A change of one model's stage. */
export interface Transition {
  readonly version: string
  readonly to: ModelStage
  /** Share of requests or users in (0, 1); only for `shadow` and `canary`. */
  readonly share?: number
  readonly reason: string
  readonly atMs: number
}

/**
 * The record that changes a model's stage, to be appended to the log. Throws MODEL_UNKNOWN, or MODEL_TRANSITION_REFUSED with the
 * stages that are possible.
 */
export function planTransition(
  registry: ModelRegistry,
  { version, to, share = 0, reason, atMs }: Transition,
): ModelRecord {
  const model = knownModel(registry, version)
  const possible = nextStages[model.stage]
  if (!possible.includes(to)) {
    const instead =
      model.stage === 'serving'
        ? 'promote another model or roll back'
        : possible.length === 0
          ? 'train another model'
          : `possible stages are ${possible.join(', ')}`
    throw new RegistryError(
      'MODEL_TRANSITION_REFUSED',
      `${version} is ${model.stage} and cannot become ${to}: ${instead}`,
    )
  }
  const isPartial = to === 'shadow' || to === 'canary'
  if (isPartial !== share > 0 || share > 1 || Number.isNaN(share))
    throw new RegistryError(
      'MODEL_TRANSITION_REFUSED',
      `the share of a ${to} model cannot be ${share}: ${isPartial ? 'give a number above 0 and at most 1' : 'only a shadow or a canary has one'}`,
    )
  return { ...model, stage: to, share, reason, atMs }
}

/**
 * The record that makes the last model that served before the present one serve again. Throws MODEL_ROLL_BACK_IMPOSSIBLE if the
 * built-in model serves.
 */
export function planRollBack(
  registry: ModelRegistry,
  change: { readonly reason: string; readonly atMs: number },
): ModelRecord {
  const serving = registry.serving()
  if (serving === null)
    throw new RegistryError(
      'MODEL_ROLL_BACK_IMPOSSIBLE',
      'the built-in model serves, and no model served before it; promote a model instead',
    )
  return { ...serving, stage: 'retired', ...change }
}

/** The model of this version. Throws MODEL_UNKNOWN. */
function knownModel(registry: ModelRegistry, version: string): ModelRecord {
  const models = registry.models()
  const model = models.find((each) => each.version === version)
  if (model !== undefined) return model
  throw unknownModel(
    version,
    models.map((each) => each.version),
  )
}

/** The error MODEL_UNKNOWN, with the nearest of the known versions. */
export function unknownModel(version: string, known: readonly string[]): RegistryError {
  const near = nearest(version, known)
  const hint = near === null ? `the registry has ${known.length} models` : `did you mean ${near}?`
  return new RegistryError('MODEL_UNKNOWN', `there is no model ${version}; ${hint}`)
}
