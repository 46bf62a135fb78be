import { createKeyTable } from '@freshet/columns/key-table'
import { writePinKey } from '@freshet/domain/pin-keys'

/** What is kept of each pin, by the 64-bit hash of its id: a page looks up hundreds of pins, and a map of strings reads each id twice. */
export interface Entries<Entry> {
  readonly size: number
  /** undefined: the pin is not kept. */
  get(pinId: string): Entry | undefined
  set(pinId: string, entry: Entry): void
  delete(pinId: string): void
}

/** Creates an empty collection. Rows of deleted pins are used again. */
export function createEntries<Entry>(): Entries<Entry> {
  const rowOf = createKeyTable()
  const entries: (Entry | undefined)[] = []
  const free: number[] = []
  const high = new Uint32Array(1)
  const low = new Uint32Array(1)
  const find = (pinId: string): number => {
    writePinKey(pinId, high, low, 0)
    return rowOf.get(high[0]!, low[0]!)
  }
  return {
    get size() {
      return rowOf.size
    },
    get(pinId) {
      const row = find(pinId)
      return row === -1 ? undefined : entries[row]
    },
    set(pinId, entry) {
      let row = find(pinId)
      if (row === -1) {
        row = free.pop() ?? entries.length
        rowOf.set(high[0]!, low[0]!, row)
      }
      entries[row] = entry
    },
    delete(pinId) {
      const row = find(pinId)
      if (row === -1) return
      rowOf.delete(high[0]!, low[0]!)
      entries[row] = undefined
      free.push(row)
    },
  }
}
