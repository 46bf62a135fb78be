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
  /** `share` in (0, 1): as a canary; 1: for all users. */
  | { readonly kind: 'promote'; readonly surface: string; readonly version: string; readonly share: number }
  | { readonly kind: 'roll-back'; readonly surface: string }

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
          to: change.share < 1 ? 'canary' : 'serving',
          ...(change.share < 1 && { share: change.share }),
          reason: 'promoted by the operator',
          atMs,
        })
  await at.log.append('models.v1', [encodeModelRecord(record)], { signal: at.signal })
  return record
}
