import { createLogProgress, type LogProgress } from '@freshet/contracts/log-progress'
import { ContractError } from '@freshet/contracts/errors'
import { snapshotProblem } from '@freshet/contracts/log-watch'
import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'
import type { EventLog } from '@freshet/contracts/ports/event-log'
import type { Clock } from '@freshet/domain/clock'
import { openRowSegments, type RowSegments } from '../rows/row-segments.ts'
import { loadJoiner, saveJoiner } from './checkpoint.ts'
import type { JoinerConfig } from './config.ts'
import { noCounts, type JoinCounts } from './counts.ts'
import { createJoin, type Join } from './join.ts'
import { createRowWriter, type RowWriter } from './row-writer.ts'
import { openShelf, type Shelf } from './shelf.ts'
import { createWatermark, type Watermark } from './watermark.ts'

/** The two topics that are joined. */
export const joinedTopics = ['feeds-served.v1', 'engagements.v1'] as const

/** The state of a running joiner. */
export interface JoinerParts {
  readonly progress: LogProgress
  readonly watermark: Watermark
  readonly join: Join
  readonly shelf: Shelf
  readonly counts: JoinCounts
  readonly segments: RowSegments | null
  readonly writer: RowWriter
}

/** Where the joiner reads and keeps its state. */
export interface JoinerPlaces {
  readonly log: EventLog
  readonly clock: Clock
  readonly config: JoinerConfig
  /** null: neither checkpoints nor files of rows. */
  readonly artefacts: ArtefactStore | null
  readonly onError: (error: Error) => void
}

const dayMs = 86_400_000

/**
 * Restores the joiner from its last checkpoint. Rows that the checkpoint does not commit are deleted: they are written again.
 * Without a usable checkpoint everything is written again, from the beginning of the log. If the checkpoint belongs to another
 * log, its waiting feeds are closed as they are and the new log is read from its beginning.
 */
export async function openJoiner({ log, clock, config, artefacts, onError }: JoinerPlaces): Promise<JoinerParts> {
  const saved = artefacts === null ? null : await loadJoiner(artefacts, onError)
  const counts = saved?.counts ?? noCounts()
  const join = createJoin(config, counts)
  const shelf = await openShelf(artefacts, config.maxMemoryBytes, saved?.shelf)
  const bounds = { maxRows: config.maxRows, maxAgeMs: config.maxRowAgeDays * dayMs }
  const segments = artefacts === null ? null : await openRowSegments(artefacts, saved?.nextRows ?? 0, bounds)
  const writer = createRowWriter(segments, { maxSegmentRows: config.maxSegmentRows, nowMs: () => clock.now() })
  let progress = createLogProgress()
  const watermark = createWatermark()
  for (const topic of joinedTopics) watermark.expect(topic, await log.partitionCount(topic))
  if (saved !== null) {
    join.load(saved.join)
    progress.load(saved.progress)
    const problem = await snapshotProblem(log, progress, joinedTopics)
    if (problem === null) watermark.load(saved.watermark)
    else {
      onError(
        new ContractError('LOG_REPLACED', `the joiner closes the feeds that wait and reads the new log: ${problem}`),
      )
      join.closeAll()
      progress = createLogProgress()
    }
  }
  return { progress, watermark, join, shelf, counts, segments, writer }
}

/** Writes a checkpoint: from then on all rows so far are final. All outcomes of the join must have been written. */
export async function checkpointJoiner(artefacts: ArtefactStore, parts: JoinerParts): Promise<void> {
  const { progress, watermark, join, shelf, counts, segments, writer } = parts
  await writer.flush()
  await shelf.spill(true)
  await saveJoiner(artefacts, {
    progress: progress.save(),
    watermark: watermark.save(),
    join: join.save(),
    shelf: shelf.save(),
    counts,
    nextRows: segments?.next ?? 0,
  })
  await shelf.sweep()
}
