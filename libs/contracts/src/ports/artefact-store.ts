import type { PortCall } from './port-call.ts'

/** Keeps files by name: models, checkpoints, snapshots. Names are `a-z0-9._-` with `/` between parts. Errors: ARTEFACT_MISSING, ARTEFACT_NAME. */
export interface ArtefactStore {
  /** Writes the whole file or nothing. */
  put(name: string, bytes: Uint8Array, call?: PortCall): Promise<void>
  get(name: string, call?: PortCall): Promise<Uint8Array>
  /** Names that begin with the prefix, sorted. */
  list(prefix: string, call?: PortCall): Promise<readonly string[]>
  remove(name: string, call?: PortCall): Promise<void>
}
