import { SnapshotError } from '@freshet/columns/errors'
import { decodeSnapshot, encodeSnapshot, type SectionReader } from '@freshet/columns/snapshot'
import { isContractError } from '@freshet/contracts/errors'
import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'
import { hash53 } from '@freshet/domain/hash'
import type { JoinCounts } from './counts.ts'
import type { JoinState } from './join.ts'
import type { ShelfState } from './shelf.ts'
import type { WaitingFeed } from './waiting-feed.ts'
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
const format = { magic: 0x46524a43, version: 2 }
/** It has the ids of pins instead of their hashes. */
const formatWithIds = { ...format, version: 1 }

type SavedFeed = Omit<WaitingFeed, 'pinHashes'>
/** State as JSON, with the feeds of each version. */
type Saved<Feed> = Omit<JoinerState, 'progress' | 'join'> & {
  readonly join: Omit<JoinerState['join'], 'feeds'> & { readonly feeds: readonly Feed[] }
}

/** Writes the state as one artefact. From then on the rows before `nextRows` are final. */
export async function saveJoiner(artefacts: ArtefactStore, { progress, join, ...rest }: JoinerState): Promise<void> {
  const feeds = join.feeds.map(({ pinHashes, ...feed }) => ({ ...feed, pins: pinHashes.length }))
  const pins = feeds.reduce((sum, feed) => sum + feed.pins, 0)
  const hashes = new Float64Array(pins)
  let at = 0
  for (const { pinHashes } of join.feeds) {
    hashes.set(pinHashes, at)
    at += pinHashes.length
  }
  const state: Saved<SavedFeed & { pins: number }> = { ...rest, join: { ...join, feeds } }
  const write = (writer: Parameters<Parameters<typeof encodeSnapshot>[0]>[0]): void => {
    writer.u8('progress', progress)
    writer.json('state', state)
    writer.f64('pinHashes', hashes)
  }
  await artefacts.put(name, encodeSnapshot(write, format))
}

/** Reads the last state; null: there is none, or (reported) it is damaged. Throws what the artefact store throws. */
export async function loadJoiner(
  artefacts: ArtefactStore,
  onProblem: (error: Error) => void,
): Promise<JoinerState | null> {
  try {
    const bytes = await artefacts.get(name)
    try {
      return read(decodeSnapshot(bytes, format))
    } catch (error) {
      if (!(error instanceof SnapshotError) || error.code !== 'SNAPSHOT_OTHER_VERSION') throw error
      return readWithIds(decodeSnapshot(bytes, formatWithIds))
    }
  } catch (error) {
    if (isContractError(error, 'ARTEFACT_MISSING')) return null
    if (!(error instanceof SnapshotError)) throw error
    onProblem(error)
    return null
  }
}

function read(reader: SectionReader): JoinerState {
  const { join, ...rest } = reader.json('state') as Saved<SavedFeed & { readonly pins: number }>
  const hashes = reader.f64('pinHashes')
  let at = 0
  const feeds = join.feeds.map(({ pins, ...feed }) => ({
    ...feed,
    pinHashes: Array.from(hashes.subarray(at, (at += pins))),
  }))
  return { progress: reader.u8('progress'), ...rest, join: { ...join, feeds } }
}

function readWithIds(reader: SectionReader): JoinerState {
  const { join, ...rest } = reader.json('state') as Saved<SavedFeed & { readonly pinIds: readonly string[] }>
  const feeds = join.feeds.map(({ pinIds, ...feed }) => ({ ...feed, pinHashes: pinIds.map((id) => hash53(id)) }))
  return { progress: reader.u8('progress'), ...rest, join: { ...join, feeds } }
}
