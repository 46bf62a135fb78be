import { join } from 'node:path'
import { createFolderArtefactStore } from '@freshet/adapters/folder/artefact-store'
import { createLogArtefactStore } from '@freshet/adapters/log/artefact-store'
import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'
import type { EventLog } from '@freshet/contracts/ports/event-log'

/** The models that a command reads: of a folder, of a data folder, or where neither is named those that the trainer published to the log. */
export function modelStoreOf(
  { models, data }: { readonly models?: string | undefined; readonly data?: string | undefined },
  { log, onError }: { readonly log: EventLog; readonly onError: (error: Error) => void },
): Pick<ArtefactStore, 'get'> {
  const folder = models ?? (data === undefined ? null : join(data, 'artefacts'))
  return folder === null ? createLogArtefactStore({ log, onError }) : createFolderArtefactStore(folder)
}
