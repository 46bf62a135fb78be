import { ContractError } from '@freshet/contracts/errors'
import type { Inspection } from '@freshet/contracts/inspection/routes'
import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'
import { readManifests } from './manifests.ts'
import { changeModels, promotionOf, readRegistries, type ModelChange, type RegistryLog } from './registries.ts'
import { modelJson, modelsJson } from './models-json.ts'

/** Routes of the operations server of `freshet dev`, whose log no other process can open: `/v1/models`, and PUT to change it. */
export function modelInspections(
  at: Omit<RegistryLog, 'signal'>,
  artefacts: Pick<ArtefactStore, 'get'>,
): readonly Inspection[] {
  const change = async (wanted: ModelChange, signal: AbortSignal) =>
    modelJson(await changeModels({ ...at, signal }, wanted), null, at.clock.now())
  return [
    {
      path: '/v1/models',
      async answer(_id, _query, signal) {
        const registries = await readRegistries({ ...at, signal })
        return modelsJson(registries, await readManifests(registries, artefacts), at.clock.now())
      },
    },
    {
      path: '/v1/models/roll-back',
      method: 'PUT',
      answer: (_id, { surface = 'home' }, signal) => change({ kind: 'roll-back', surface }, signal),
    },
    {
      path: '/v1/models/{id}/promotion',
      method: 'PUT',
      answer: (version, { surface = 'home', share, shadow }, signal) => {
        const promotion = promotionOf(
          { share, shadow },
          (message) => new ContractError('CALL_INVALID_ARGUMENT', message),
        )
        return change({ kind: 'promote', surface, version, ...promotion }, signal)
      },
    },
  ]
}
