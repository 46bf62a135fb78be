import { orZero } from '@freshet/columns/or-zero'
import { grownInt32 } from '@freshet/columns/growth'

/**
 * The rows of pins by the number of a word, such as a topic. Removing a row leaves its entry until the list is cleaned, so a
 * list may hold rows that no longer belong to it, and rows twice: readers check. Takes 4 to 12 bytes for each entry.
 */
export interface RowLists {
  add(word: number, row: number): void
  /** Notes that one entry of a word no longer counts. */
  drop(word: number): void
  /** How many entries of a word count. */
  countOf(word: number): number
  /** The entries of a word. Valid until the next change. */
  rowsOf(word: number): Int32Array
  clear(): void
  bytes(): number
}

const fewestEntries = 4
const fewestToClean = 32

/** Creates empty lists. `belongs`: whether a row has a word, for cleaning. */
export function createRowLists(belongs: (word: number, row: number) => boolean): RowLists {
  let lists: (Int32Array | undefined)[] = []
  let lengths: number[] = []
  let live: number[] = []
  let entries = 0

  function clean(word: number): void {
    const rows = new Set(rowsOf(word))
    const kept = Int32Array.from([...rows].filter((row) => belongs(word, row)))
    entries += kept.length - lists[word]!.length
    lists[word] = kept
    lengths[word] = kept.length
  }

  function rowsOf(word: number): Int32Array {
    return lists[word]?.subarray(0, lengths[word]) ?? none
  }

  return {
    add(word, row) {
      const length = orZero(lengths[word])
      let list = lists[word] ?? none
      if (length === list.length) {
        const capacity = Math.max(fewestEntries, 2 * length)
        entries += capacity - length
        list = lists[word] = grownInt32(list, capacity)
      }
      list[length] = row
      lengths[word] = length + 1
      live[word] = orZero(live[word]) + 1
    },
    drop(word) {
      const count = orZero(live[word]) - 1
      live[word] = count
      if (count <= 0) {
        entries -= orZero(lists[word]?.length)
        lists[word] = undefined
        lengths[word] = 0
        live[word] = 0
      } else if (lengths[word]! > fewestToClean && lengths[word]! > 2 * count) clean(word)
    },
    countOf: (word) => orZero(live[word]),
    rowsOf,
    clear() {
      lists = []
      lengths = []
      live = []
      entries = 0
    },
    bytes: () => 4 * entries + 24 * lists.length,
  }
}

const none = new Int32Array(0)
