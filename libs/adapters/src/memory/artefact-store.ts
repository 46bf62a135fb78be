import { ContractError } from '@freshet/contracts/errors'
import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'
import type { PortCall } from '@freshet/contracts/ports/port-call'
import { partsOfName } from '../shared/artefact-name.ts'

/** Artefacts in this process's memory, for tests and runs that keep nothing. */
export function createMemoryArtefactStore(): ArtefactStore {
  const files = new Map<string, Uint8Array>()
  return {
    put: async (name, bytes, call) => void files.set(keyOf(name, call), bytes.slice()),
    async get(name, call) {
      const bytes = files.get(keyOf(name, call))
      if (bytes === undefined) throw new ContractError('ARTEFACT_MISSING', `there is no artefact ${name}`)
      return bytes.slice()
    },
    async list(prefix, call) {
      call?.signal?.throwIfAborted()
      return [...files.keys()].filter((name) => name.startsWith(prefix)).sort()
    },
    remove: async (name, call) => void files.delete(keyOf(name, call)),
  }
}

function keyOf(name: string, call: PortCall | undefined): string {
  call?.signal?.throwIfAborted()
  return partsOfName(name).join('/')
}
