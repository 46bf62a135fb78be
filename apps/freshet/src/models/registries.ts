import { decodeModelRecord, encodeModelRecord, modelsPartition } from '@freshet/contracts/codecs/model-record'
import type { EventLog } from '@freshet/contracts/ports/event-log'
import { readToEnd } from '@freshet/contracts/read-to-end'
import type { Clock } from '@freshet/domain/clock'
import type { ModelRecord } from '@freshet/domain/model-record'
import {
  createModelRegistry,
  planRollBack,
  planTransition,
  type ModelRegistry,
} from '@freshet/ranking/registry/registry'

/** Where the registries are, and how long to look. */
export interface RegistryLog {
  readonly log: EventLog
  readonly clock: Pick<Clock, 'now'>
  readonly signal: AbortSignal
  /** Receives errors that are being retried. */
  readonly onError: (error: Error) => void
}

/** An operator's change. */
export type ModelChange =
  /** To all users, or to a share in (0, 1] of the users (a canary) or of the requests (a shadow). */
  | ({ readonly kind: 'promote'; readonly surface: string; readonly version: string } & Promotion)
  | { readonly kind: 'roll-back'; readonly surface: string }

/** The stage to which an operator promotes a model. */
export type Promotion = { readonly to: 'serving' } | { readonly to: 'canary' | 'shadow'; readonly share: number }

/**
 * Reads the options of a promotion: `share` alone is a canary, except that 1 is all users; `shadow` alone is a shadow; neither is
 * all users. Throws what `refuse` makes of a message.
 */
export function promotionOf(
  given: { readonly share?: string | undefined; readonly shadow?: string | undefined },
  refuse: (message: string) => Error,
): Promotion {
  const { share, shadow } = given
  if (share !== undefined && shadow !== undefined) throw refuse('share cannot be combined with shadow')
  const [name, text] = shadow === undefined ? ['share', share ?? '1'] : ['shadow', shadow]
  const number = text === '' ? Number.NaN : Number(text)
  if (!(number > 0 && number <= 1)) throw refuse(`${name} is ${text}; give a number above 0 and at most 1`)
  if (shadow !== undefined) return { to: 'shadow', share: number }
  return number < 1 ? { to: 'canary', share: number } : { to: 'serving' }
}

/** Reads the registry of every surface from `models.v1`. Records that this version cannot read are left out. */
export async function readRegistries(at: RegistryLog): Promise<ReadonlyMap<string, ModelRegistry>> {
  const registries = new Map<string, ModelRegistry>()
  await readToEnd({
    log: at.log,
    topic: 'models.v1',
    partitions: [modelsPartition],
    maxBatchRecords: 1_000,
    signal: at.signal,
    onError: at.onError,
    onRecords: (_partition, records) => {
      for (const { key, value } of records) {
        const { surface, version, record } = decodeModelRecord(key, value)
        const registry = registries.get(surface) ?? createModelRegistry()
        registries.set(surface, registry)
        registry.fold(version, record)
      }
    },
  })
  return registries
}

/** Applies a change and resolves to the record that it appended. Throws a RegistryError; nothing changed then. */
export async function changeModels(at: RegistryLog, change: ModelChange): Promise<ModelRecord> {
  const registry = (await readRegistries(at)).get(change.surface) ?? createModelRegistry()
  const atMs = at.clock.now()
  const record =
    change.kind === 'roll-back'
      ? planRollBack(registry, { reason: 'rolled back by the operator', atMs })
      : planTransition(registry, {
          version: change.version,
          to: change.to,
          ...(change.to !== 'serving' && { share: change.share }),
          reason: 'promoted by the operator',
          atMs,
        })
  await at.log.append('models.v1', [encodeModelRecord(record)], { signal: at.signal })
  return record
}
