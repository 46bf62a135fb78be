import { ContractError } from '../errors.ts'
import { parseFeedId, partitionOfFeed } from '../feed-id.ts'
import { FeedServed } from '../gen/freshet/feed/v1/feed.ts'
import type { EventLog } from '../ports/event-log.ts'
import { readToEnd } from '../read-to-end.ts'
import { topics } from '../topics.ts'
import { erasedAtMs, userErased } from './erased.ts'

const topic = 'feeds-served.v1'
/** The clocks of the blender and of the log may differ by this much. */
const clockDifferenceMs = 60_000
/** A record is written at most this long after its request: the outbox holds it while the log is away. */
const longestWaitMs = 15 * 60_000
/** A feed may be answered and not written yet for this long, without a fault. */
const usualWaitMs = 5_000

/** How to look for a feed. */
export interface FindFeed {
  readonly log: Pick<EventLog, 'starts' | 'ends' | 'positionsAt' | 'readAll'>
  readonly nowMs: number
  readonly signal?: AbortSignal
  /** Receives errors that are being retried. */
  readonly onError?: (error: Error) => void
}

/**
 * The record of a feed, byte for byte. It reads the part of the log around the time in the feed id. Throws FEED_MISSING with the
 * reason, and USER_ERASED if the user was erased after the feed was served.
 */
export async function findFeed(feedId: string, options: FindFeed): Promise<Uint8Array> {
  const place = parseFeedId(feedId)
  if (place === null)
    throw missing(feedId, 'this is not a feed id of this version; `freshet why USER --feed ID` finds earlier ones')
  const { log, nowMs } = options
  const call = options.signal === undefined ? {} : { signal: options.signal }
  const { retentionMs } = topics[topic]
  const ageMs = nowMs - place.receivedAtMs
  if (ageMs > retentionMs + clockDifferenceMs)
    throw missing(feedId, `it was served ${days(ageMs)} days ago, and feeds are kept for ${days(retentionMs)} days`)
  const froms = await log.positionsAt(topic, place.receivedAtMs - clockDifferenceMs, call)
  const partition = partitionOfFeed(feedId, place, froms.length)
  const from = froms[partition]
  if (from === undefined) throw missing(feedId, `its id names partition ${partition}; there are ${froms.length}`)
  const untilMs = place.receivedAtMs + clockDifferenceMs + longestWaitMs
  const value = await readOne(feedId, { ...options, partition, from, untilMs })
  if (value === null) throw missing(feedId, whyAbsent(ageMs))
  await refuseErased(value, options)
  return value
}

async function readOne(
  feedId: string,
  {
    log,
    signal,
    partition,
    from,
    untilMs,
    onError = () => undefined,
  }: FindFeed & { partition: number; from: number; untilMs: number },
): Promise<Uint8Array | null> {
  const found = Promise.withResolvers<Uint8Array | null>()
  const stop = new AbortController()
  const reading = readToEnd({
    log,
    topic,
    maxBatchRecords: 500,
    partitions: [partition],
    startAt: () => from,
    onError,
    signal: signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]),
    onRecords: (_, records) => {
      for (const { value, appendedAtMs } of records) {
        if (stop.signal.aborted) return
        const isIt = value !== null && FeedServed.decode(value).feedId === feedId
        if (!isIt && appendedAtMs <= untilMs) continue
        found.resolve(isIt ? value : null)
        stop.abort()
      }
    },
  })
  reading.then(
    () => found.resolve(null),
    (error: unknown) => found.reject(error),
  )
  // Not `reading`: a reader of Kafka stops only after its longest wait, and callers have little time.
  return found.promise
}

/** Throws USER_ERASED if the user of a record was erased after it. */
async function refuseErased(value: Uint8Array, { log, signal }: FindFeed): Promise<void> {
  const { userId, atMs } = FeedServed.decode(value)
  if (userId === '') return
  const erasedMs = await erasedAtMs(log, userId, signal === undefined ? {} : { signal })
  if (erasedMs !== null && atMs <= erasedMs) throw userErased(userId, erasedMs)
}

function whyAbsent(ageMs: number): string {
  if (ageMs < usualWaitMs) return 'it may not be written yet; ask again in a moment'
  return 'it was a dry run, it was dropped because the log did not take it, or retention has deleted it'
}

function missing(feedId: string, why: string): ContractError {
  return new ContractError('FEED_MISSING', `the feed ${feedId} is not recorded: ${why}`)
}

function days(ms: number): number {
  return Math.round(ms / 86_400_000)
}
