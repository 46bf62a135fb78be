import { isContractError } from '@freshet/contracts/errors'
import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'
import { filterRows, type RowBatch } from '@freshet/ranking/rows/row-batch'
import { decodeRows } from './row-file.ts'
import { RowsError } from '@freshet/ranking/rows/rows-error'
import { listSegments, type RowSegment } from './row-segments.ts'

/** Which rows to read, and in which order. */
export interface ReadRowsOptions {
  /** Rows of feeds served from here on, milliseconds since the epoch; default: all. */
  readonly fromMs?: number
  /** Rows of feeds served before this; default: all. */
  readonly toMs?: number
  /** Newest file first; default: in the order in which they were written. */
  readonly newestFirst?: boolean
  /** Gives each row with its first labels and each correction as a row of its own; default: only the last correction of each row. */
  readonly everyRevision?: boolean
  /** Called with each file that cannot be read. */
  readonly onDamaged?: (error: RowsError) => void
}

/**
 * Reads training rows, one batch per file at most. By default each row comes once, with its last correction. A file that cannot be
 * read is reported (ROWS_DAMAGED) and left out. A file that retention deletes meanwhile is left out.
 */
export async function* readRows(
  files: ArtefactStore,
  options: ReadRowsOptions = {},
): AsyncGenerator<RowBatch, void, void> {
  const { fromMs = -Infinity, toMs = Infinity } = options
  const segments = (await listSegments(files)).filter((segment) => segment.toMs >= fromMs && segment.fromMs < toMs)
  const superseded = options.everyRevision === true ? null : await lastRevisions(files, segments)
  if (options.newestFirst === true) segments.reverse()
  for (const segment of segments) {
    const batch = await read(files, segment, options.onDamaged)
    if (batch === null) continue
    const wanted = filterRows(batch, (row) => {
      const atMs = batch.atMs[row] ?? NaN
      if (atMs < fromMs || atMs >= toMs) return false
      return superseded === null || (superseded.get(keyOf(batch, row)) ?? 0) <= (batch.revision[row] ?? 0)
    })
    if (wanted !== null) yield wanted
  }
}

/** The number of the last correction of each corrected row. */
async function lastRevisions(
  files: ArtefactStore,
  segments: readonly RowSegment[],
): Promise<ReadonlyMap<string, number> | null> {
  const last = new Map<string, number>()
  for (const segment of segments.filter(({ corrections }) => corrections > 0)) {
    const batch = await read(files, segment, undefined)
    if (batch === null) continue
    for (const [row, revision] of batch.revision.entries()) {
      if (revision === 0) continue
      const key = keyOf(batch, row)
      last.set(key, Math.max(last.get(key) ?? 0, revision))
    }
  }
  return last.size === 0 ? null : last
}

function keyOf(batch: RowBatch, row: number): string {
  return `${batch.feedIds[row] ?? ''} ${batch.pinIds[row] ?? ''}`
}

async function read(
  files: ArtefactStore,
  { name }: RowSegment,
  onDamaged: ReadRowsOptions['onDamaged'],
): Promise<RowBatch | null> {
  try {
    return decodeRows(name, await files.get(name))
  } catch (error) {
    if (error instanceof RowsError) onDamaged?.(error)
    else if (!isContractError(error, 'ARTEFACT_MISSING')) throw error
    return null
  }
}
