import { decodeModelRecord, encodeModelRecord, forgetModel } from '@freshet/contracts/codecs/model-record'
import { createLogProgress, type LogProgress } from '@freshet/contracts/log-progress'
import type { EventLog, LogBatch } from '@freshet/contracts/ports/event-log'
import type { ModelRecord } from '@freshet/domain/model-record'
import { createModelRegistry, type ModelRegistry } from '@freshet/ranking/registry/registry'

/** The registry of one surface as the log has it. */
export interface RegistryView {
  readonly registry: ModelRegistry
  readonly progress: LogProgress
  fold(batch: LogBatch): void
  /** Appends a record and folds it at once, before the log delivers it. */
  append(record: ModelRecord): Promise<void>
  /** Removes models from the log. */
  forget(versions: readonly string[]): Promise<void>
}

/** An empty view of a surface. Records that this version cannot read go to `onError` and are left out. */
export function createRegistryView(options: {
  readonly log: Pick<EventLog, 'append'>
  readonly surface: string
  readonly onError: (error: Error) => void
}): RegistryView {
  const { log, surface, onError } = options
  const registry = createModelRegistry()
  const progress = createLogProgress()
  return {
    registry,
    progress,
    fold({ topic, partition, records, next }) {
      const done = progress.position(topic, partition) ?? 0
      for (const { key, value, position } of records) {
        if (position < done) continue
        try {
          const { version, record, ...found } = decodeModelRecord(key, value)
          if (found.surface === surface) registry.fold(version, record)
        } catch (error) {
          onError(error as Error)
        }
      }
      progress.advance(topic, partition, next)
    },
    async append(record) {
      await log.append('models.v1', [encodeModelRecord(record)])
      registry.fold(record.version, record)
    },
    async forget(versions) {
      if (versions.length === 0) return
      await log.append(
        'models.v1',
        versions.map((version) => forgetModel(surface, version)),
      )
      for (const version of versions) registry.fold(version, null)
    },
  }
}
