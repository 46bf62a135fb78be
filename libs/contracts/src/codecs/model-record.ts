import { modelStages, type ModelRecord, type ModelStage } from '@freshet/domain/model-record'
import { ContractError } from '../errors.ts'
import { ModelRecord as ModelRecordMessage, ModelStage as StageNumber } from '../gen/freshet/model/v1/model.ts'
import type { NewRecord } from '../ports/event-log.ts'
import { decodeOrThrow } from './engagement.ts'

/** The partition of all records of `models.v1`: their order matters. */
export const modelsPartition = 0

const stageNumbers: Readonly<Record<ModelStage, StageNumber>> = {
  candidate: StageNumber.CANDIDATE,
  shadow: StageNumber.SHADOW,
  canary: StageNumber.CANARY,
  serving: StageNumber.SERVING,
  retired: StageNumber.RETIRED,
  rejected: StageNumber.REJECTED,
}

/** The record of `models.v1` for a model. */
export function encodeModelRecord(record: ModelRecord): NewRecord {
  const value = ModelRecordMessage.encode({
    ...record,
    stage: stageNumbers[record.stage],
    parentVersion: record.parentVersion ?? '',
    results: record.results.map((result) => ({ ...result, servingLogLoss: result.servingLogLoss ?? undefined })),
  }).finish()
  return { key: keyOf(record.surface, record.version), value, partition: modelsPartition }
}

/** The record of `models.v1` that forgets a model. */
export function forgetModel(surface: string, version: string): NewRecord {
  return { key: keyOf(surface, version), value: null, partition: modelsPartition }
}

/** A record of `models.v1`; `record` is null where the model was forgotten. Throws CODEC_INVALID, naming the field. */
export function decodeModelRecord(
  key: string,
  bytes: Uint8Array | null,
): { readonly surface: string; readonly version: string; readonly record: ModelRecord | null } {
  if (bytes === null) {
    const [surface = '', ...version] = key.split('/')
    return { surface, version: version.join('/'), record: null }
  }
  const message = decodeOrThrow('freshet.model.v1.ModelRecord', () => ModelRecordMessage.decode(bytes))
  const stage = modelStages.find((each) => stageNumbers[each] === message.stage)
  if (stage === undefined) throw invalid('stage', `is ${message.stage}, which this version does not know`)
  if (message.surface === '') throw invalid('surface', 'is empty')
  if (message.version === '') throw invalid('version', 'is empty')
  if (!(message.share >= 0 && message.share <= 1)) throw invalid('share', `is ${message.share}, not from 0 to 1`)
  const record: ModelRecord = {
    ...message,
    stage,
    parentVersion: message.parentVersion === '' ? null : message.parentVersion,
    results: message.results.map((result) => ({ ...result, servingLogLoss: result.servingLogLoss ?? null })),
  }
  return { surface: message.surface, version: message.version, record }
}

function keyOf(surface: string, version: string): string {
  return `${surface}/${version}`
}

function invalid(field: string, problem: string): ContractError {
  return new ContractError('CODEC_INVALID', `freshet.model.v1.ModelRecord.${field} ${problem}`)
}
