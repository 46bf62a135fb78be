import type { LogRecord, TopicPartition } from '@freshet/contracts/ports/event-log'
import { keyOf } from '../../shared/log/partition-key.ts'
import type { Chunk } from '../../shared/log/partition-pump.ts'
import type { AbortedTransaction } from '../wire/hot-requests.ts'
import { decodeBatches } from '../wire/record-batch.ts'

/** How far one partition was read, and the data read ahead of its consumer. */
export interface Lane {
  readonly at: TopicPartition
  /** Position of the next request; null: nobody has asked yet, or the data has not been taken. */
  position: number | null
  /** Read, not taken. */
  ahead: { readonly from: number; readonly batches: Buffer; readonly aborted: readonly AbortedTransaction[] } | null
  /** Being handed out. */
  slices: {
    readonly records: readonly LogRecord[]
    taken: number
    readonly next: number
    readonly deletedUnread?: number
  } | null
  handedOut: number | null
  /** Why reading cannot continue; the next caller receives it. */
  beyondEnd: Error | null
  end: number
  notBeforeMs: number
  askedAtMs: number
  wake: (() => void) | null
}

/** Creates an unused lane. */
export function newLane(at: TopicPartition): Lane {
  return {
    at,
    position: null,
    ahead: null,
    slices: null,
    handedOut: null,
    beyondEnd: null,
    end: 0,
    notBeforeMs: 0,
    askedAtMs: 0,
    wake: null,
  }
}

/** Whether the fetcher can request more data for a lane. */
export function canAsk(lane: Lane, nowMs: number): boolean {
  return lane.position !== null && lane.ahead === null && lane.notBeforeMs <= nowMs
}

/**
 * Decodes the data read ahead for a lane; the fetcher may then read on. Throws if the bytes are damaged; the fetcher then
 * reads them again, because they may have been damaged in transit.
 */
export function unpack(lane: Lane, { from, batches, aborted }: NonNullable<Lane['ahead']>): void {
  lane.position = from
  const decoded = decodeBatches(batches, from, aborted)
  if (decoded.next === from) throw new Error(`no whole batch of ${keyOf(lane.at)} came from position ${from} on`)
  lane.slices = { ...decoded, taken: 0 }
  lane.position = decoded.next
}

/** Returns at most `maxRecords` decoded records; null: there are none. */
export function takeSlice(lane: Lane, maxRecords: number): Chunk | null {
  const { slices } = lane
  if (slices === null) return null
  const records = slices.records.slice(slices.taken, slices.taken + maxRecords)
  slices.taken += records.length
  const last = records.at(-1)
  const whole = slices.taken >= slices.records.length || last === undefined
  const next = whole ? slices.next : last.position + 1
  if (whole) lane.slices = null
  lane.handedOut = next
  const { deletedUnread } = slices
  return { records, next, end: Math.max(lane.end, next), ...(deletedUnread !== undefined && { deletedUnread }) }
}

/** Resolves when the lane is woken or the signal aborts. */
export function sleepUntilWoken(lane: Lane, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      stop.removeEventListener('abort', wake)
      lane.wake = null
      resolve()
    }
    lane.wake = wake
    stop.addEventListener('abort', wake)
  })
}
