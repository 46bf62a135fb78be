import { decodeSnapshot, encodeSnapshot } from '@freshet/columns/snapshot'
import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'

/** Where the shelf put each record, for the checkpoint. */
export interface ShelfState {
  readonly nextFile: number
  /** File, first byte, one past the last byte. */
  readonly places: readonly (readonly [feedId: string, file: number, from: number, to: number])[]
}

/** The records of the feeds that wait: in memory up to a bound, beyond it in files that are written once. */
export interface Shelf {
  /** Bytes in memory. */
  readonly bytes: number
  /** Records of which only the file has the bytes. */
  readonly spilled: number
  put(feedId: string, record: Uint8Array): void
  get(feedId: string): Promise<Uint8Array>
  /** Forgets a record. Its file stays until `sweep`, because the last checkpoint may need it. */
  remove(feedId: string): void
  /**
   * If `maxBytes` are exceeded, frees the oldest records until there is room for a file's worth, and writes those that no file has. `all`:
   * writes every record that no file has. It writes files of `fileBytes`, so that no write is long.
   */
  spill(all?: boolean): Promise<void>
  save(): ShelfState
  /** Deletes the files that nothing needs. Call it when the checkpoint with the saved state is durable. */
  sweep(): Promise<void>
}

interface Place {
  readonly file: number
  readonly from: number
  readonly to: number
}

interface Entry {
  record: Uint8Array | null
  place: Place | null
}

/** Records of one file, bytes: more only if one record is. */
const fileBytes = 4 << 20

const none = new Uint8Array(0)
const folder = 'trainer/joiner/spill/'
const spillFormat = { magic: 0x46525350, version: 1 }
const nameOf = (file: number): string => `${folder}${String(file).padStart(12, '0')}.feeds`

/** Opens the shelf as a checkpoint left it, and deletes files that were written after it. */
export async function openShelf(
  files: ArtefactStore | null,
  maxBytes: number,
  state: ShelfState = { nextFile: 0, places: [] },
): Promise<Shelf> {
  const entries = new Map<string, Entry>()
  /** Those in memory, and of these those without a file, oldest first. */
  const held = new Set<Entry>()
  const fresh = new Set<Entry>()
  let next = state.nextFile
  let bytes = 0
  let spilled = 0
  let opened: { readonly file: number; readonly bytes: Uint8Array } | null = null
  for (const [feedId, file, from, to] of state.places) entries.set(feedId, { record: null, place: { file, from, to } })
  spilled = entries.size
  await sweep()

  async function sweep(): Promise<void> {
    const needed = new Set([...entries.values()].map(({ place }) => (place === null ? '' : nameOf(place.file))))
    for (const name of (await files?.list(folder)) ?? []) if (!needed.has(name)) await files?.remove(name)
  }

  async function readFrom({ file, from, to }: Place): Promise<Uint8Array> {
    if (files === null) throw new RangeError('a shelf without files has spilled nothing')
    if (opened?.file !== file) {
      opened = { file, bytes: decodeSnapshot(await files.get(nameOf(file)), spillFormat).u8('records') }
    }
    return opened.bytes.subarray(from, to)
  }

  /** Writes the oldest records that no file has, as one file. */
  async function writeOldest(): Promise<void> {
    const some: Entry[] = []
    let total = 0
    for (const entry of fresh) {
      const { length } = entry.record ?? none
      if (some.length > 0 && total + length > fileBytes) break
      some.push(entry)
      total += length
    }
    const joined = new Uint8Array(total)
    const places: Place[] = []
    let at = 0
    for (const { record } of some) {
      joined.set(record ?? none, at)
      places.push({ file: next, from: at, to: (at += record?.length ?? 0) })
    }
    await files?.put(
      nameOf(next),
      encodeSnapshot((writer) => writer.u8('records', joined), spillFormat),
    )
    next++
    some.forEach((entry, index) => {
      entry.place = places[index] ?? null
      fresh.delete(entry)
    })
  }

  /** Frees the memory of a record that a file has. */
  function free(entry: Entry): void {
    bytes -= entry.record?.length ?? 0
    entry.record = null
    held.delete(entry)
    spilled++
  }

  return {
    get bytes() {
      return bytes
    },
    get spilled() {
      return spilled
    },
    put(feedId, record) {
      const entry = { record, place: null }
      entries.set(feedId, entry)
      held.add(entry)
      fresh.add(entry)
      bytes += record.length
    },
    async get(feedId) {
      const entry = entries.get(feedId)
      if (entry?.record != null) return entry.record
      if (entry?.place != null) return readFrom(entry.place)
      throw new RangeError(`the shelf has no record of the feed ${feedId}`)
    },
    remove(feedId) {
      const entry = entries.get(feedId)
      if (entry === undefined) return
      entries.delete(feedId)
      held.delete(entry)
      fresh.delete(entry)
      if (entry.record === null) spilled--
      else bytes -= entry.record.length
    },
    async spill(all = false) {
      if (files === null) return
      while (all && fresh.size > 0) await writeOldest()
      if (bytes <= maxBytes) return
      const room = Math.max(0, maxBytes - fileBytes)
      for (const entry of held) {
        if (bytes <= room) break
        while (entry.place === null) await writeOldest()
        free(entry)
      }
    },
    save: () => ({
      nextFile: next,
      places: [...entries].flatMap(([feedId, { place }]) =>
        place === null ? [] : [[feedId, place.file, place.from, place.to] as const],
      ),
    }),
    sweep,
  }
}
