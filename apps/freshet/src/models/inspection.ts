import { ContractError } from '@freshet/contracts/errors'
import type { Inspection } from '@freshet/contracts/inspection/routes'
import { changeModels, readRegistries, type ModelChange, type RegistryLog } from './registries.ts'
import { modelJson, modelsJson } from './models-json.ts'

/** Routes of the operations server of `freshet dev`, whose log no other process can open: `/v1/models`, and PUT to change it. */
export function modelInspections(at: Omit<RegistryLog, 'signal'>): readonly Inspection[] {
  const change = async (wanted: ModelChange, signal: AbortSignal) =>
    modelJson(await changeModels({ ...at, signal }, wanted))
  return [
    {
      path: '/v1/models',
      answer: async (_id, _query, signal) => modelsJson(await readRegistries({ ...at, signal })),
    },
    {
      path: '/v1/models/roll-back',
      method: 'PUT',
      answer: (_id, { surface = 'home' }, signal) => change({ kind: 'roll-back', surface }, signal),
    },
    {
      path: '/v1/models/{id}/promotion',
      method: 'PUT',
      answer: (version, { surface = 'home', share = '1' }, signal) =>
        change({ kind: 'promote', surface, version, share: parseShare(share) }, signal),
    },
  ]
}

function parseShare(text: string): number {
  const share = text === '' ? Number.NaN : Number(text)
  if (share > 0 && share <= 1) return share
  throw new ContractError('CALL_INVALID_ARGUMENT', `share is ${text}; give a number above 0 and at most 1`)
}
