import type { ModelRecord } from '@freshet/domain/model-record'

/** A candidate of the surface `home`; `given` replaces fields. */
export function aModelRecord(given: Partial<ModelRecord> & Pick<ModelRecord, 'version'>): ModelRecord {
  const isPartial = given.stage === 'shadow' || given.stage === 'canary'
  return {
    surface: 'home',
    stage: 'candidate',
    share: isPartial ? 0.1 : 0,
    reason: '',
    atMs: 1_000,
    sha256: '',
    planHash: '0123456789abcdef',
    parentVersion: null,
    trainedAtMs: 900,
    trainingRows: 100,
    results: [],
    ...given,
  }
}
