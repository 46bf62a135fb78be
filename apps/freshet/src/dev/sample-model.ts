import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { encodeModelRecord } from '@freshet/contracts/codecs/model-record'
import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'
import type { EventLog } from '@freshet/contracts/ports/event-log'
import { artefactName, decodeArtefact, sha256 } from '@freshet/ranking/artefact/bytes'

/** The model that ships for the sample. `npm run sample-model` trains it again. */
export const sampleModelFile = fileURLToPath(new URL('../../assets/sample.model', import.meta.url))

/** Where a model of the registry goes. */
export interface SampleModelPlace {
  readonly log: Pick<EventLog, 'append'>
  readonly artefacts: Pick<ArtefactStore, 'put'>
  readonly surface: string
  /** Hash of the plan of the spec that serves. */
  readonly planHash: string
  readonly nowMs: number
}

/**
 * Registers the shipped model as the one that serves, so that the sample is ranked by something learned from the first feed on.
 * Resolves to its version; null: another spec serves, for which the model is of no use, and nothing changed.
 */
export async function installSampleModel(place: SampleModelPlace, file = sampleModelFile): Promise<string | null> {
  const bytes = new Uint8Array(await readFile(file))
  const { manifest } = decodeArtefact(bytes, file)
  if (manifest.planHash !== place.planHash || manifest.surface !== place.surface) return null
  const { version, planHash, surface } = manifest
  await place.artefacts.put(artefactName(surface, version), bytes)
  const record = encodeModelRecord({
    ...{ surface, version, planHash, stage: 'serving', share: 0 },
    reason: 'ships with the sample: learned from its simulated users',
    atMs: place.nowMs,
    sha256: sha256(bytes),
    parentVersion: null,
    trainedAtMs: manifest.createdAtMs,
    trainingRows: manifest.trainingRows,
    results: Object.entries(manifest.metrics).map(([head, { logLoss, servingLogLoss }]) => ({
      ...{ head, logLoss, servingLogLoss },
    })),
  })
  await place.log.append('models.v1', [record])
  return version
}
