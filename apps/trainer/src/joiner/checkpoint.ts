import { SnapshotError } from '@freshet/columns/errors'
import { decodeSnapshot, encodeSnapshot } from '@freshet/columns/snapshot'
import { isContractError } from '@freshet/contracts/errors'
import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'
import type { JoinCounts } from './counts.ts'
import type { JoinState } from './join.ts'
import type { ShelfState } from './shelf.ts'
import type { Watermark } from './watermark.ts'

/** Everything that the joiner has to know after a restart. Rows in files from `nextRows` on, and spill files from `shelf.nextFile` on, do not count. */
export interface JoinerState {
  /** Positions in the log, as `LogProgress` saves them. */
  readonly progress: Uint8Array
  readonly watermark: ReturnType<Watermark['save']>
  readonly join: JoinState
  readonly shelf: ShelfState
  readonly counts: JoinCounts
  readonly nextRows: number
}

const name = 'trainer/joiner.checkpoint'
const format = { magic: 0x46524a43, version: 1 }

/** Writes the state as one artefact. From then on the rows before `nextRows` are final. */
export async function saveJoiner(artefacts: ArtefactStore, { progress, ...rest }: JoinerState): Promise<void> {
  const write = (writer: Parameters<Parameters<typeof encodeSnapshot>[0]>[0]): void => {
    writer.u8('progress', progress)
    writer.json('state', rest)
  }
  await artefacts.put(name, encodeSnapshot(write, format))
}

/** Reads the last state; null: there is none, or (reported) it is damaged. Throws what the artefact store throws. */
export async function loadJoiner(
  artefacts: ArtefactStore,
  onProblem: (error: Error) => void,
): Promise<JoinerState | null> {
  try {
    const reader = decodeSnapshot(await artefacts.get(name), format)
    return { progress: reader.u8('progress'), ...(reader.json('state') as Omit<JoinerState, 'progress'>) }
  } catch (error) {
    if (isContractError(error, 'ARTEFACT_MISSING')) return null
    if (!(error instanceof SnapshotError)) throw error
    onProblem(error)
    return null
  }
}
