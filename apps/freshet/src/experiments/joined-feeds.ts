import { decodeOrThrow } from '@freshet/contracts/codecs/engagement'
import { isContractError } from '@freshet/contracts/errors'
import { FeedServed } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import type { EventLog, LogRecord } from '@freshet/contracts/ports/event-log'
import { readToEnd } from '@freshet/contracts/read-to-end'
import { noCounts, type JoinCounts } from '@freshet/trainer/joiner/counts'
import { takeEngagement } from '@freshet/trainer/joiner/intake'
import { createJoin, type Join } from '@freshet/trainer/joiner/join'
import { noLabels, type PinLabels } from '@freshet/trainer/joiner/labels'
import { createWatermark } from '@freshet/trainer/joiner/watermark'

/** Which feeds to read, and what to do with them. */
export interface JoinedFeedsOptions<Facts> {
  readonly log: EventLog
  /** Actions within this time after a feed count, milliseconds. */
  readonly windowMs: number
  /** What to keep of a feed until its actions are known; null: nothing, the feed does not count. */
  readonly pick: (served: FeedServed) => Facts | null
  /** Receives each feed with the labels of its pins, in the order of its pins. Feeds of one user come in the order of time. */
  readonly onFeed: (facts: Facts, labels: readonly PinLabels[]) => void
  /** Where to begin in a partition of a topic; absent or null: at its beginning. */
  readonly startAt?: (topic: 'feeds-served.v1' | 'engagements.v1', partition: number) => number | null
  /** How many partitions to read at the same time; default 1. Memory holds the feeds of all of them. */
  readonly atOnce?: number
  readonly signal: AbortSignal
  readonly onError: (error: Error) => void
}

/** What could not be used. */
export interface JoinedFeedsResult {
  readonly counts: JoinCounts
  /** Records of feeds that cannot be decoded. */
  readonly damaged: number
}

const maxBatchRecords = 1_000
/** An action that happened within the window counts if it reaches the log within this time, milliseconds. */
const deliveryMs = 24 * 3_600_000

/**
 * Joins the served feeds of a log with what users did, by the rules of the trainer's joiner. Both topics have the user as key, so it reads
 * them partition by partition, `atOnce` at the same time, and memory holds the feeds of those. `onFeed` gets them in the order of the partitions.
 */
export async function readJoinedFeeds<Facts>(options: JoinedFeedsOptions<Facts>): Promise<JoinedFeedsResult> {
  const counts = noCounts()
  let damaged = 0
  const partitions = await options.log.partitionCount('feeds-served.v1', { signal: options.signal })
  const readPartition = async (partition: number): Promise<() => void> => {
    const bounds = { windowMs: options.windowMs, deliveryMs, lateWindowMs: 0 }
    const join = createJoin({ ...bounds, maxFeeds: Infinity, maxActions: Infinity }, counts)
    const facts = new Map<string, Facts>()
    const arrive = createWatermark().arrive
    const read = (topic: 'feeds-served.v1' | 'engagements.v1', take: (record: LogRecord, arrivedMs: number) => void) =>
      readToEnd({
        ...{ log: options.log, topic, maxBatchRecords, partitions: [partition] },
        ...{ signal: options.signal, onError: options.onError },
        startAt: (at) => options.startAt?.(topic, at) ?? null,
        onRecords(_partition, records) {
          for (const record of records) take(record, arrive(topic, partition, record.appendedAtMs))
        },
      })
    await read('feeds-served.v1', (record, arrivedMs) => {
      if (!takeFeed(record, arrivedMs, { join, facts, pick: options.pick })) damaged++
    })
    const topic = 'engagements.v1'
    await read(topic, (record, arrivedMs) =>
      takeEngagement({ join, counts, arrive: () => arrivedMs }, { topic, partition }, record),
    )
    join.closeAll()
    return () => deliver(join, facts, options.onFeed)
  }
  const atOnce = options.atOnce ?? 1
  for (let first = 0; first < partitions; first += atOnce) {
    const some = Array.from({ length: Math.min(atOnce, partitions - first) }, (_, at) => readPartition(first + at))
    for (const deliverFeeds of await Promise.all(some)) deliverFeeds()
  }
  return { counts, damaged }
}

/** false: the record cannot be used. */
function takeFeed<Facts>(
  { value }: LogRecord,
  arrivedMs: number,
  to: { readonly join: Join; readonly facts: Map<string, Facts>; readonly pick: (served: FeedServed) => Facts | null },
): boolean {
  const served = value === null ? null : readFeed(value)
  if (served === null) return value === null
  const { feedId, userId, atMs, pinIds } = served
  if (feedId === '' || !Number.isSafeInteger(atMs) || atMs <= 0) return false
  if (pinIds.length === 0 || !to.join.serve({ feedId, userId, atMs, arrivedMs, pinIds })) return true
  const picked = to.pick(served)
  if (picked !== null) to.facts.set(feedId, picked)
  return true
}

/** null: it cannot be decoded. */
function readFeed(value: Uint8Array): FeedServed | null {
  try {
    return decodeOrThrow('freshet.feed.v1.FeedServed', () => FeedServed.decode(value))
  } catch (error) {
    if (!isContractError(error, 'CODEC_INVALID')) throw error
    return null
  }
}

function deliver<Facts>(
  join: Join,
  facts: ReadonlyMap<string, Facts>,
  onFeed: (facts: Facts, labels: readonly PinLabels[]) => void,
): void {
  const closed: { readonly atMs: number; readonly own: Facts; readonly labels: readonly PinLabels[] }[] = []
  for (let outcome = join.next(); outcome !== undefined; outcome = join.next()) {
    if (outcome.kind === 'closed') {
      const { feed, labels } = outcome
      const own = facts.get(feed.feedId)
      if (own !== undefined)
        closed.push({ atMs: feed.atMs, own, labels: feed.pinHashes.map((_, pin) => labels[pin] ?? noLabels) })
    }
    join.taken()
  }
  closed.sort((a, b) => a.atMs - b.atMs)
  for (const { own, labels } of closed) onFeed(own, labels)
}
