import { grownFloat64, grownInt32, nextCapacity } from './growth.ts'

/** Finds the oldest row; callers need not report when a row gets younger. */
export interface AgeHeap {
  push(row: number, atMs: number): void
  /** Removes and returns the row with the smallest current `timeOf`; -1 if empty. Times may have risen since the push, but not fallen. */
  popOldest(timeOf: (row: number) => number): number
  clear(): void
  bytes(): number
}

/**
 * A binary heap that holds each row once under the time of its push. When a row comes to the top, the heap looks up its
 * current time and lets it sink, so touching a row needs no heap operation.
 */
export function createAgeHeap(): AgeHeap {
  let rows = new Int32Array(0)
  let times = new Float64Array(0)
  let size = 0

  function sinkFromTop(row: number, atMs: number): void {
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= size) break
      if (child + 1 < size && times[child + 1]! < times[child]!) child++
      if (times[child]! >= atMs) break
      rows[at] = rows[child]!
      times[at] = times[child]!
      at = child
    }
    rows[at] = row
    times[at] = atMs
  }

  return {
    push(row, atMs) {
      if (size >= rows.length) {
        const capacity = nextCapacity(rows.length, size + 1)
        rows = grownInt32(rows, capacity)
        times = grownFloat64(times, capacity)
      }
      let at = size++
      while (at > 0) {
        const parent = (at - 1) >> 1
        if (times[parent]! <= atMs) break
        rows[at] = rows[parent]!
        times[at] = times[parent]!
        at = parent
      }
      rows[at] = row
      times[at] = atMs
    },
    popOldest(timeOf) {
      while (size > 0) {
        const row = rows[0]!
        const truth = timeOf(row)
        if (truth > times[0]!) {
          sinkFromTop(row, truth)
          continue
        }
        size--
        sinkFromTop(rows[size]!, times[size]!)
        return row
      }
      return -1
    },
    clear() {
      size = 0
    },
    bytes: () => rows.byteLength + times.byteLength,
  }
}
