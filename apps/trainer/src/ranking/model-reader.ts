import { isContractError } from '@freshet/contracts/errors'
import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'
import { artefactName, decodeArtefact, type ModelArtefact } from '@freshet/ranking/artefact/bytes'

/** Reads a trained model by its version; null: its artefact is missing, or cannot be read. */
export type ModelReader = (version: string) => Promise<ModelArtefact | null>

/** A reader of the models of a surface. `onError` gets the errors of artefacts that are there and cannot be read. */
export function createModelReader(options: {
  readonly models: Pick<ArtefactStore, 'get'>
  readonly surface: string
  readonly onError: (error: Error) => void
}): ModelReader {
  const { models, surface, onError } = options
  return async (version) => {
    const name = artefactName(surface, version)
    try {
      return decodeArtefact(await models.get(name), name)
    } catch (error) {
      if (!isContractError(error, 'ARTEFACT_MISSING')) onError(error as Error)
      return null
    }
  }
}
