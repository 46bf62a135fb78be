import { ContractError } from '@freshet/contracts/errors'
import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'
import type { PortCall } from '@freshet/contracts/ports/port-call'
import { partsOfName } from '../shared/artefact-name.ts'
import { untilAborted } from '../shared/until-aborted.ts'

/** Artefacts in this process's memory, for tests and runs without storage. */
export function createMemoryArtefactStore(): ArtefactStore {
  const files = new Map<string, Uint8Array>()
  return {
    put: (name, bytes, call) => later(() => void files.set(keyOf(name), bytes.slice()), call),
    get: (name, call) =>
      later(() => {
        const bytes = files.get(keyOf(name))
        if (bytes === undefined) throw new ContractError('ARTEFACT_MISSING', `there is no artefact ${name}`)
        return bytes.slice()
      }, call),
    list: (prefix, call) => later(() => [...files.keys()].filter((name) => name.startsWith(prefix)).sort(), call),
    remove: (name, call) => later(() => void files.delete(keyOf(name)), call),
  }
}

/** Does the work asynchronously, unless the caller has aborted by then. */
function later<T>(work: () => T, call: PortCall | undefined): Promise<T> {
  const begin = async (): Promise<T> => {
    await Promise.resolve()
    call?.signal?.throwIfAborted()
    return work()
  }
  return untilAborted(begin, call)
}

function keyOf(name: string): string {
  return partsOfName(name).join('/')
}
