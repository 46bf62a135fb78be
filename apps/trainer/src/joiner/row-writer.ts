import { joinRows, layoutOf, type RowBatch } from '@freshet/ranking/rows/row-batch'
import type { RowSegments } from '../rows/row-segments.ts'

/** Collects rows and writes them as files. */
export interface RowWriter {
  /** Adds rows. Writes a file first if their layout differs, and afterwards if there are enough. An error of the file leaves the rows out: add them again. */
  add(batch: RowBatch): Promise<void>
  /** Writes what was collected. */
  flush(): Promise<void>
  /** Rows that no file has yet. */
  readonly pending: number
}

/** A writer to `segments`; null: rows are kept nowhere. */
export function createRowWriter(
  segments: RowSegments | null,
  options: { readonly maxSegmentRows: number; readonly nowMs: () => number },
): RowWriter {
  let collected: RowBatch[] = []
  let layout = ''
  let pending = 0

  const writer: RowWriter = {
    async add(batch) {
      if (segments === null) return
      const next = layoutOf(batch)
      if (pending >= options.maxSegmentRows || (pending > 0 && next !== layout)) await writer.flush()
      layout = next
      collected.push(batch)
      pending += batch.rows
    },
    async flush() {
      if (segments === null || pending === 0) return
      await segments.append(joinRows(collected.map((batch) => ({ batch, rows: null }))), options.nowMs())
      collected = []
      pending = 0
    },
    get pending() {
      return pending
    },
  }
  return writer
}
