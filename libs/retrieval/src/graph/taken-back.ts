import type { Catalogue } from '../views/catalogue.ts'
import type { SectionReader, SectionWriter } from '@freshet/columns/snapshot'

/** The most saves remembered as taken back; beyond that the earliest recorded ones go. */
const maxTakenBack = 100_000

/** The last time each pin was removed from a board, so that an earlier save that arrives late does not put it back. */
export interface TakenBack {
  note(boardId: string, pinRow: number, atMs: number): void
  /** Whether the pin was removed after a time. */
  isAfter(boardId: string, pinRow: number, atMs: number): boolean
  save(writer: SectionWriter): void
  load(reader: SectionReader): void
}

/** Creates an empty memory. It knows pins by id, because rows are reused. */
export function createTakenBack(catalogue: Pick<Catalogue, 'pinIdOf'>): TakenBack {
  let times = new Map<string, number>()
  const keyOf = (boardId: string, pinRow: number): string => `${boardId}\n${catalogue.pinIdOf(pinRow)}`
  return {
    note(boardId, pinRow, atMs) {
      const key = keyOf(boardId, pinRow)
      const last = Math.max(atMs, times.get(key) ?? atMs)
      times.delete(key)
      times.set(key, last)
      if (times.size <= maxTakenBack) return
      const [oldest] = times.keys()
      if (oldest !== undefined) times.delete(oldest)
    },
    isAfter: (boardId, pinRow, atMs) => times.size > 0 && (times.get(keyOf(boardId, pinRow)) ?? -Infinity) > atMs,
    save(writer) {
      writer.json('times', [...times])
    },
    load(reader) {
      times = new Map(reader.json('times') as [string, number][])
    },
  }
}
