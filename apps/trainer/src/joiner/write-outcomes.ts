import { SnapshotError } from '@freshet/columns/errors'
import { decodeOrThrow } from '@freshet/contracts/codecs/engagement'
import { isContractError } from '@freshet/contracts/errors'
import { FeedServed } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import type { RowBatch } from '@freshet/ranking/rows/row-batch'
import type { JoinCounts } from './counts.ts'
import type { Join, JoinOutcome } from './join.ts'
import type { PinFactsView } from './pin-facts.ts'
import { correctedRow, rowsOfFeed, type RowSampling } from './rows-of-feed.ts'
import type { RowWriter } from './row-writer.ts'
import type { Shelf } from './shelf.ts'

/** What turns outcomes into rows. */
export interface OutcomeSink {
  readonly join: Join
  readonly shelf: Shelf
  readonly writer: RowWriter
  readonly counts: JoinCounts
  readonly facts: PinFactsView
  readonly sampling: RowSampling
  /** Called with the rows of each outcome. */
  readonly onBatch: (batch: RowBatch) => void
  readonly onError: (error: Error) => void
}

/** Writes the rows of all outcomes. If it throws, the outcome in progress comes again the next time. */
export async function writeOutcomes(sink: OutcomeSink): Promise<void> {
  const { join } = sink
  for (let outcome = join.next(); outcome !== undefined; outcome = join.next()) {
    await writeOne(sink, outcome)
    join.taken()
  }
}

async function writeOne(sink: OutcomeSink, outcome: JoinOutcome): Promise<void> {
  const { shelf, counts, facts, sampling } = sink
  const { feed } = outcome
  if (outcome.kind === 'forgotten') return shelf.remove(feed.feedId)
  const served = await readServed(sink, outcome)
  if (served === null) return
  if (outcome.kind === 'corrected') {
    const batch = correctedRow(served, outcome, facts, sampling)
    if (batch === null) return
    await put(sink, batch)
    counts.corrections++
    return
  }
  const { batch, shown, unshown, sampledAway } = rowsOfFeed(served, outcome.labels, facts, sampling)
  if (batch !== null) await put(sink, batch)
  counts.rows += shown
  counts.unshown += unshown
  counts.dropped.sampled += sampledAway
}

async function put({ writer, onBatch }: OutcomeSink, batch: RowBatch): Promise<void> {
  await writer.add(batch)
  onBatch(batch)
}

/** null: the record of the feed is damaged, or was spilled and its file is damaged or gone; no retry would help. */
async function readServed(
  { shelf, counts, onError }: OutcomeSink,
  { kind, feed }: JoinOutcome,
): Promise<FeedServed | null> {
  try {
    const record = await shelf.get(feed.feedId)
    return decodeOrThrow('freshet.feed.v1.FeedServed', () => FeedServed.decode(record))
  } catch (error) {
    const isLost = isContractError(error, 'ARTEFACT_MISSING') || isContractError(error, 'CODEC_INVALID')
    if (!isLost && !(error instanceof SnapshotError)) throw error
    onError(error)
    if (kind === 'closed') counts.dropped.unreadable += feed.pinHashes.length
    return null
  }
}
