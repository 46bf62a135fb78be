import { ContractError } from '@freshet/contracts/errors'
import { blenderMethods } from '@freshet/contracts/ports/blender-methods'
import type { Blender } from '@freshet/contracts/ports/calls'

/** A blender of which a test gives some calls. The others reject with CALL_UNAVAILABLE. */
export function aFakeBlender(calls: Partial<Blender>): Blender {
  const absent = Object.keys(blenderMethods).map((name) => [
    name,
    async () => {
      throw new ContractError('CALL_UNAVAILABLE', `the fake blender has no ${name}`)
    },
  ])
  return { ...(Object.fromEntries(absent) as Blender), ...calls }
}
