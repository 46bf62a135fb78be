import type { SectionReader, SectionWriter } from '@freshet/columns/snapshot'
import type { BoardKey } from './pin-graph.ts'

/** The boards that must link no pins, because they are secret or deleted. */
export interface ClosedBoards {
  readonly size: number
  /** Boards that found no room. From then on every board counts as closed. */
  readonly refused: number
  has(key: BoardKey): boolean
  set(key: BoardKey, isClosed: boolean): void
  bytes(): number
  save(writer: SectionWriter): void
  load(reader: SectionReader): void
}

/** No closed boards yet; at most `most`. About 40 bytes for each. */
export function createClosedBoards(most: number): ClosedBoards {
  let keys = new Set<number>()
  let refused = 0
  // 53 of the 64 bits, which are as many as a number holds.
  const numberOf = ({ high, low }: BoardKey): number => high * 2 ** 21 + (low >>> 11)
  return {
    get size() {
      return keys.size
    },
    get refused() {
      return refused
    },
    has: (key) => refused > 0 || (keys.size > 0 && keys.has(numberOf(key))),
    set(key, isClosed) {
      const number = numberOf(key)
      if (!isClosed) keys.delete(number)
      else if (keys.size < most || keys.has(number)) keys.add(number)
      else refused++
    },
    bytes: () => keys.size * 40,
    save(writer) {
      writer.f64('boards', Float64Array.from(keys))
      writer.f64('refused', Float64Array.of(refused))
    },
    load(reader) {
      keys = new Set(reader.f64('boards'))
      refused = reader.f64('refused')[0]!
    },
  }
}
