import { createMemoryArtefactStore } from '@freshet/adapters/memory/artefact-store'
import { encodeModelRecord } from '@freshet/contracts/codecs/model-record'
import type { ModelRecord } from '@freshet/domain/model-record'
import { noonMs } from '@freshet/domain/testing'
import { artefactName } from '@freshet/ranking/artefact/bytes'
import type { TrainedModel } from '@freshet/ranking/model/trained-model'
import { artefactOf, deepSpecText, linearSpecText, planOfText, randomModel } from '@freshet/ranking/serving/testing'
import { aRanker } from './testing.ts'

/** A linear model with random weights. */
export const linear = randomModel(planOfText(linearSpecText('lin')), 1)
/** A DCN with random weights: probabilities of clicks, and an amount. */
export const deep = randomModel(planOfText(deepSpecText), 2)

/** A ranker with a registry and a store of models. */
export async function aRankerWithModels(...given: Parameters<typeof aRanker>) {
  const store = createMemoryArtefactStore()
  const started = await aRanker(given[0], { ...given[1], artefacts: store })
  let atMs = noonMs
  const record = async (
    fields: Omit<
      ModelRecord,
      'reason' | 'atMs' | 'trainedAtMs' | 'parentVersion' | 'trainingRows' | 'results' | 'share'
    >,
  ): Promise<void> => {
    const rest = {
      reason: 'test',
      atMs: ++atMs,
      trainedAtMs: noonMs,
      parentVersion: null,
      trainingRows: 1,
      results: [],
      share: 0,
    }
    await started.log.append('models.v1', [encodeModelRecord({ ...rest, ...fields })])
    await started.log.drain()
  }
  return {
    ...started,
    store,
    /** Stores a model and makes it the one that serves. */
    async promote(model: TrainedModel, version: string, change: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes) {
      const { bytes, record: known } = artefactOf(model, version)
      await store.put(artefactName('home', version), change(bytes))
      await record({ ...known, stage: 'serving' })
    },
    retire: (version: string, model: TrainedModel) =>
      record({ ...artefactOf(model, version).record, stage: 'retired' }),
  }
}
