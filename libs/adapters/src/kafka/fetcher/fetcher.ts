import { logReplaced } from '@freshet/contracts/followed-log'
import type { TopicPartition } from '@freshet/contracts/ports/event-log'
import { recordsLost } from '../../shared/log/errors.ts'
import { keyOf } from '../../shared/log/partition-key.ts'
import { asError } from '../../shared/as-error.ts'
import type { Chunk } from '../../shared/log/partition-pump.ts'
import type { KafkaCluster } from '../cluster.ts'
import { fetchCall } from '../wire/hot-requests.ts'
import type { FetchedPartition } from '../wire/hot-requests.ts'
import { brokerError } from '../wire/failures.ts'
import type { KafkaSettings } from '../options.ts'
import { canAsk, newLane, sleepUntilWoken, takeSlice, unpack } from './lane.ts'
import type { Lane } from './lane.ts'

/** Reads partitions from their leaders and reads a bounded part of each ahead of its consumer. */
export interface Fetcher {
  /** As `PumpOptions.next`, for an added partition. */
  next(at: TopicPartition, position: number, maxRecords: number, signal: AbortSignal): Promise<Chunk | null>
  add(at: TopicPartition): void
  remove(at: TopicPartition): void
  close(): Promise<void>
}

const pauseAfterErrorMs = 100
const longestErrorPauseMs = 500
const superviseEveryMs = 250
/** An idle loop checks again after this time, because its leader may have received partitions. */
const longestSleepMs = 1_000
const pauseBeyondEndMs = 1_000
/** Shorter wait while some partitions are read far enough ahead: they should continue soon after their data is taken. */
const shortWaitMs = 20
const offsetOutOfRange = 1
const errorsOfOldMetadata: ReadonlySet<number> = new Set([3, 5, 6, 9, 56, 74, 75, 78, 100, 103])

/** Creates a fetcher with its own connections, because a broker answers the requests of one connection in sequence. */
export function createFetcher(
  cluster: KafkaCluster,
  settings: KafkaSettings,
  onError: (error: Error, at?: TopicPartition) => void,
): Fetcher {
  const { clock, maxWaitMs, maxBytesPerPartition, maxBytesPerRead, maxReadAheadBytes, stallMs } = settings
  const lanes = new Map<string, Lane>()
  const loops = new Map<number, Promise<void>>()
  const closing = new AbortController()
  const { signal } = closing
  let aheadBytes = 0
  let pokes = 0
  const sleepers = new Set<() => void>()
  let superviseNow: () => void = () => undefined

  const pause = (ms: number) => clock.sleep(ms, signal).catch(() => undefined)

  /** Wakes idle loops. */
  function poke(): void {
    pokes++
    for (const wake of sleepers) wake()
  }

  const leaderOf = ({ at }: Lane): number => cluster.knownLeaders(at.topic)?.[at.partition] ?? -1

  function drop(lane: Lane): void {
    if (lane.ahead !== null) aheadBytes -= lane.ahead.batches.length
    lane.ahead = null
    lane.slices = null
  }

  /** Reads from one leader for as long as it leads any of the partitions. */
  async function readFrom(nodeId: number): Promise<void> {
    let errorPauseMs = pauseAfterErrorMs
    let partialWaitMs = shortWaitMs
    let pokesBefore = -1
    while (!signal.aborted) {
      const led = [...lanes.values()].filter((lane) => leaderOf(lane) === nodeId)
      if (led.length === 0) return
      const now = clock.now()
      const asked = aheadBytes < maxReadAheadBytes ? led.filter((lane) => canAsk(lane, now)) : []
      if (asked.length === 0) {
        await sleepUntilPoked(led, now)
        continue
      }
      try {
        partialWaitMs =
          pokes === pokesBefore ? Math.min(partialWaitMs * 2, maxWaitMs) : Math.min(shortWaitMs, maxWaitMs)
        pokesBefore = pokes
        await ask(nodeId, asked, asked.length < led.length ? partialWaitMs : maxWaitMs)
        errorPauseMs = pauseAfterErrorMs
      } catch (error) {
        if (signal.aborted) return
        onError(asError(error))
        await pause(errorPauseMs)
        errorPauseMs = Math.min(errorPauseMs * 2, longestErrorPauseMs)
        await cluster.refresh().catch(() => undefined)
      }
    }
  }

  async function sleepUntilPoked(led: readonly Lane[], now: number): Promise<void> {
    const waits = led.flatMap(({ notBeforeMs }) => (notBeforeMs > now ? [notBeforeMs - now] : []))
    const over = new AbortController()
    const wake = () => over.abort()
    sleepers.add(wake)
    await clock.sleep(Math.min(longestSleepMs, ...waits), over.signal).catch(() => undefined)
    sleepers.delete(wake)
  }

  async function ask(nodeId: number, asked: readonly Lane[], waitMs: number): Promise<void> {
    const positions = asked.map((lane) => lane.position ?? 0)
    const now = clock.now()
    for (const lane of asked) lane.askedAtMs = now
    const parts = asked.map(({ at }, i) => ({ ...at, position: positions[i] ?? 0 }))
    const bounds = { maxWaitMs: waitMs, maxBytes: maxBytesPerRead, maxBytesPerPartition }
    const answers = await cluster.on(nodeId, (broker) => broker.send(fetchCall(parts, bounds)))
    const byPlace = new Map(answers.map((answer) => [keyOf(answer), answer]))
    let stale = false
    for (const [i, lane] of asked.entries()) {
      const answer = byPlace.get(keyOf(lane.at))
      // The reader moved or lost the partition in the meantime: nobody needs this answer.
      if (answer === undefined || lane.position !== positions[i] || lanes.get(keyOf(lane.at)) !== lane) continue
      if (errorsOfOldMetadata.has(answer.errorCode)) stale = true
      await take(lane, answer, lane.position ?? 0)
    }
    if (stale) {
      await pause(pauseAfterErrorMs)
      await cluster.refresh()
    }
  }

  async function take(
    lane: Lane,
    { errorCode, end, batches, aborted }: FetchedPartition,
    position: number,
  ): Promise<void> {
    if (errorCode === 0) {
      lane.end = end
      if (batches.length === 0) return
      lane.ahead = { from: position, batches, aborted }
      aheadBytes += batches.length
      lane.position = null
      lane.wake?.()
    } else if (errorCode === offsetOutOfRange) await reposition(lane, position)
    else {
      lane.notBeforeMs = clock.now() + pauseAfterErrorMs
      onError(brokerError(errorCode), lane.at)
    }
  }

  /** Handles a position outside the log: before its beginning, because retention deleted it, or beyond its end. */
  async function reposition(lane: Lane, position: number): Promise<void> {
    const { topic, partition } = lane.at
    const [start, end] = await boundsOf(lane)
    if (lane.position !== position) return
    if (position < start) {
      const deletedUnread = position > 0 ? start - position : 0
      if (deletedUnread > 0) onError(recordsLost(lane.at, position, start), lane.at)
      lane.position = start
      lane.slices = { records: [], taken: 0, next: start, ...(deletedUnread > 0 && { deletedUnread }) }
      lane.wake?.()
    } else if (position > end) {
      lane.beyondEnd = logReplaced(`${topic}/${partition} ends at ${end}, before the position ${position} read next`)
      lane.notBeforeMs = clock.now() + pauseBeyondEndMs
      lane.wake?.()
    }
  }

  async function boundsOf(lane: Lane): Promise<readonly [number, number]> {
    const { topic, partition } = lane.at
    const at = (timestamp: number) =>
      cluster.on(leaderOf(lane), async (broker) => {
        const [found] = await broker.positionsAt(topic, [partition], timestamp)
        if (found === undefined) throw new Error(`no answer about ${topic}/${partition}`)
        return found.position
      })
    return [await at(-2), await at(-1)]
  }

  /** Keeps a loop running for every leader, and reconnects when one has not answered for too long. */
  async function supervise(): Promise<void> {
    while (!signal.aborted) {
      const now = clock.now()
      const all = [...lanes.values()]
      for (const nodeId of new Set(all.map(leaderOf))) {
        if (nodeId < 0 || loops.has(nodeId)) continue
        const loop = readFrom(nodeId).finally(() => loops.delete(nodeId))
        loops.set(nodeId, loop)
      }
      if (all.some((lane) => leaderOf(lane) < 0)) {
        await cluster.refresh([...new Set(all.map(({ at }) => at.topic))]).catch((error: unknown) => {
          if (!signal.aborted) onError(asError(error))
        })
      }
      const stalled = all.find((lane) => canAsk(lane, now) && lane.askedAtMs > 0 && now - lane.askedAtMs > stallMs)
      if (stalled !== undefined && aheadBytes < maxReadAheadBytes) {
        const silentMs = now - stalled.askedAtMs
        const problem = new Error(`no answer about ${keyOf(stalled.at)} for ${silentMs} ms; reconnecting`)
        onError(problem)
        for (const lane of all) lane.askedAtMs = now
        await cluster.cut(problem)
      }
      const called = new Promise<void>((resolve) => (superviseNow = resolve))
      await Promise.race([called, pause(superviseEveryMs)])
    }
  }
  const supervised = supervise()

  function slice(lane: Lane, maxRecords: number): Chunk | null {
    const { ahead } = lane
    if (lane.slices === null && ahead !== null) {
      drop(lane)
      poke()
      unpack(lane, ahead)
    }
    return takeSlice(lane, maxRecords)
  }

  return {
    async next(at, position, maxRecords, stop) {
      const lane = lanes.get(keyOf(at))
      if (lane === undefined) return null
      if (lane.handedOut !== position) {
        drop(lane)
        lane.beyondEnd = null
        lane.position = position
        lane.handedOut = position
        poke()
      }
      while (!stop.aborted && !signal.aborted) {
        const chunk = slice(lane, maxRecords)
        if (chunk !== null) return chunk
        const { beyondEnd } = lane
        lane.beyondEnd = null
        if (beyondEnd !== null) throw beyondEnd
        await sleepUntilWoken(lane, stop)
      }
      return null
    },

    add(at) {
      lanes.set(keyOf(at), newLane(at))
      superviseNow()
    },

    remove(at) {
      const lane = lanes.get(keyOf(at))
      if (lane === undefined) return
      drop(lane)
      lanes.delete(keyOf(at))
      lane.wake?.()
      poke()
    },

    async close() {
      closing.abort(new Error('the reader was stopped'))
      for (const lane of lanes.values()) lane.wake?.()
      poke()
      superviseNow()
      await cluster.close()
      await supervised
      await Promise.all(loops.values())
    },
  }
}
