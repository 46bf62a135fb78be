import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'
import { encodeRows } from './row-file.ts'
import type { RowBatch } from '@freshet/ranking/rows/row-batch'

/** What the name of a file of rows says about it. */
export interface RowSegment {
  readonly name: string
  /** Grows with each file, without gaps while it is written. */
  readonly sequence: number
  /** Oldest and newest `atMs` of its rows. */
  readonly fromMs: number
  readonly toMs: number
  readonly rows: number
  /** How many of the rows correct earlier ones (`revision` > 0). */
  readonly corrections: number
}

const folder = 'trainer/rows/'

/** All files of rows, oldest first. */
export async function listSegments(files: ArtefactStore): Promise<readonly RowSegment[]> {
  const segments = (await files.list(folder)).map(segmentOf).filter((segment) => segment !== null)
  return segments.sort((a, b) => a.sequence - b.sequence)
}

function segmentOf(name: string): RowSegment | null {
  const match = /^(\d+)-(\d+)-(\d+)-(\d+)-(\d+)\.rows$/.exec(name.slice(folder.length))
  if (match === null) return null
  const [sequence = 0, fromMs = 0, toMs = 0, rows = 0, corrections = 0] = match.slice(1).map(Number)
  return { name, sequence, fromMs, toMs, rows, corrections }
}

/** Appends batches of rows as files, and deletes the oldest files. */
export interface RowSegments {
  /** The number of the next file: a checkpoint that holds it commits all files before. */
  readonly next: number
  /** Rows in all files. */
  readonly rows: number
  /** Deletes old files as far as the bounds demand, then writes a batch as one file, which always stays. If it throws, the batch is not there: append it again, alone or with more rows. */
  append(batch: RowBatch, nowMs: number): Promise<void>
}

/** Bounds of what is kept. */
export interface RowBounds {
  readonly maxRows: number
  /** Measured from the newest row of a file. */
  readonly maxAgeMs: number
}

/** Opens the files for writing. Deletes those from `next` on: a crash came between them and the checkpoint that would have committed them. */
export async function openRowSegments(files: ArtefactStore, next: number, bounds: RowBounds): Promise<RowSegments> {
  const segments: RowSegment[] = []
  let sequence = next
  for (const segment of await listSegments(files)) if (segment.sequence < next) segments.push(segment)
  let rows = segments.reduce((sum, segment) => sum + segment.rows, 0)
  // A file that could not be written may be there all the same, under a name that a second attempt need not have.
  let isClean = false
  await clean()

  async function clean(): Promise<void> {
    for (const segment of await listSegments(files)) if (segment.sequence >= sequence) await files.remove(segment.name)
    isClean = true
  }

  /** Makes room for more rows. */
  async function retain(added: number, nowMs: number): Promise<void> {
    for (let [oldest] = segments; oldest !== undefined; [oldest] = segments) {
      if (rows + added <= bounds.maxRows && oldest.toMs >= nowMs - bounds.maxAgeMs) return
      await files.remove(oldest.name)
      segments.shift()
      rows -= oldest.rows
    }
  }

  return {
    get next() {
      return sequence
    },
    get rows() {
      return rows
    },
    async append(batch, nowMs) {
      if (!isClean) await clean()
      await retain(batch.rows, nowMs)
      const segment = describe(batch, sequence)
      isClean = false
      await files.put(segment.name, encodeRows(batch))
      isClean = true
      sequence++
      segments.push(segment)
      rows += segment.rows
    },
  }
}

function describe(batch: RowBatch, sequence: number): RowSegment {
  let fromMs = Infinity
  let toMs = 0
  for (const atMs of batch.atMs) {
    fromMs = Math.min(fromMs, atMs)
    toMs = Math.max(toMs, atMs)
  }
  const corrections = batch.revision.reduce((sum, revision) => sum + Number(revision > 0), 0)
  const parts = [String(sequence).padStart(12, '0'), Math.min(fromMs, toMs), toMs, batch.rows, corrections]
  return { name: `${folder}${parts.join('-')}.rows`, sequence, fromMs, toMs, rows: batch.rows, corrections }
}
