import { clockOffsetMs } from './clock-offset.ts'
import type { ClientEnvironment } from './environment.ts'
import type { FreshetOptions } from './options.ts'
import {
  defaultTimeoutMs,
  maxKeepaliveBytes,
  type Answer,
  type FreshetError,
  type Network,
  type Receipt,
} from './send.ts'
import { isoOf, parsed, sizeOf, type Ending, type Entry, type NewEntry, type StillMine, type Store } from './store.ts'

/** What a queue needs. */
export interface QueueOptions extends FreshetOptions {
  /** null: entries wait in memory. */
  readonly store: Store | null
  readonly network: Network
  readonly environment: ClientEnvironment
  readonly maxQueuedBytes: number
  /** Whether anything may be sent. */
  readonly maySend: () => boolean
  /** Entries were accepted. */
  readonly onAccepted: (entries: readonly NewEntry[], tokenOf: (entry: NewEntry) => string) => void
  /** An entry ended otherwise. */
  readonly onEnded: (entry: NewEntry, ending: Ending) => void
  readonly onError: (error: Error) => void
}

/** Entries on their way to the server. */
export interface Queue {
  /** Resolves when the entry is in storage or has ended. */
  enqueue(entry: NewEntry): Promise<void>
  /** Sends what waits now. Resolves when none is left or an attempt has failed. */
  sendNow(): Promise<unknown>
  /** The oldest entries that wait. */
  waiting(count: number): Promise<readonly Entry[]>
  /** The page closes: hands what fits to the browser, and keeps it until it is acknowledged. */
  leave(): void
  /** Drops everything that waits, without consent. */
  dropAll(): Promise<unknown>
  /** Makes one more attempt and stops. What waits in memory is dropped. */
  close(): Promise<void>
}

/** An entry, with what to call when it is safe. */
interface Held extends Entry {
  readonly done?: () => void
}

/** Creates a queue over a store. Everything that ends an entry happens while the store is held exclusively. */
export function createQueue(options: QueueOptions): Queue {
  const { store, network, maySend, onAccepted, onEnded, onError, maxQueuedBytes } = options
  const {
    maxBatchEvents = 50,
    flushIntervalMs = 1_000,
    maxAgeMs = 604_800_000,
    initialRetryMs = 500,
    maxRetryMs = 30_000,
  } = options
  const { now, after, random } = options.environment
  /** Entries in memory, by negative keys: those that the storage refused, or all. */
  const inMemory = new Map<number, Held>()
  /** Entries that this client added and that were not acknowledged to it. */
  const mine = new Map<string, NewEntry>()
  /** Ids of entries that ended, but that the storage has not removed yet. Not by keys: a storage that the user has cleared begins again at 1. */
  const gone = new Set<string>()
  let lastKey = 0
  let adding: (readonly [entry: NewEntry, done: () => void])[] = []
  let added: Promise<unknown> = Promise.resolve()
  let inFlight: readonly NewEntry[] = []
  /** More than the bound until they are counted. */
  let bytes = maxQueuedBytes + 1
  let newCount = 0
  let turn: Promise<unknown> = added
  let nextRound: Promise<unknown> | null = null
  let cancelTimer: (() => void) | null = null
  let cancelPause: (() => void) | null = null
  let isOrdered = false
  let failures = 0
  let batchLimit = maxBatchEvents
  let closed = false
  let offsetMs = 0

  /** Reports a failure and sends nothing for a while. If the server asked for it, nothing shortens it. */
  const pause = (error: unknown): void => {
    onError(error as Error)
    const { retryAfterMs = 0 } = error as Partial<FreshetError>
    const ms = Math.min(maxRetryMs, initialRetryMs * 2 ** failures++)
    isOrdered = retryAfterMs > 0
    cancelPause?.()
    cancelPause = after(Math.max(retryAfterMs, ms * (0.5 + random() / 2)), () => {
      cancelPause = null
      void drain()
    })
  }

  /** One after another in this client, and among all that share the storage. `run` never rejects. */
  const exclusively = (run: (isStillMine?: StillMine) => Promise<unknown>): Promise<unknown> =>
    (turn = turn.then(() =>
      // Where locks are forbidden, so is the storage that tabs would share.
      store ? store.exclusive(run).catch(() => run()) : run(),
    ))

  /** Sends everything in a round that has not begun yet. */
  const drain = async (): Promise<unknown> =>
    maySend() &&
    (nextRound ??= exclusively((isStillMine) => {
      nextRound = null
      return sendAll(isStillMine).catch(pause)
    }))

  /** Sends batch after batch, until nothing is left of what waits or an attempt has failed. */
  const sendAll = async (isStillMine?: StillMine): Promise<void> => {
    cancelTimer?.()
    cancelTimer = null
    newCount = 0
    await added
    const known = [...mine.keys()]
    const before = bytes
    const count = bytes > maxQueuedBytes ? 1e6 : 1e3
    const found = await first(count)
    const entries = found.filter(isNew)
    // What the storage could not remove before.
    await remove(found.filter((entry) => !isNew(entry)))
    const isAll = found.length < count
    if (isAll) bytes += entries.reduce((sum, entry) => sum + sizeOf(entry), -before)
    // Down to 90 % of the bound, so that it rarely happens.
    let over = isAll && bytes > maxQueuedBytes ? bytes - 0.9 * maxQueuedBytes : 0
    const oldestMs = now() - maxAgeMs
    const left = await end(entries, (entry) => {
      const isOver = over > 0
      over -= sizeOf(entry)
      return entry.at < oldestMs ? 'too old' : isOver ? 'queue full' : !parsed(entry.json) && 'damaged'
    })
    let stuck: unknown
    while (left.length > 0 && !cancelPause && maySend()) {
      const batch = nextBatch(left, batchLimit)
      const again = await send(batch, isStillMine).catch((error: unknown) => {
        if (!batch[0]!.to) throw error
        // A merge that fails does not hold up the rest.
        stuck ??= error
        return []
      })
      left.splice(0, batch.length, ...again)
    }
    if (stuck) pause(stuck)
    else if (left.length > 0) return
    else if (!isAll) await sendAll(isStillMine)
    // Another tab has sent what is still here.
    else for (const id of known) mine.delete(id)
  }

  /** Posts a batch with the client's time and known clock offset, so that the server can correct times. */
  const requestOf = (entries: readonly NewEntry[]): readonly [url: string, body: string] => {
    const { to, json, at } = entries[0]!
    if (to) return [options.ingestUrl + to, JSON.stringify({ ...parsed(json), occurredAt: isoOf(at + offsetMs) })]
    const list = entries.map((entry) => entry.json).join()
    const about = JSON.stringify({ sentAt: isoOf(now()), clockOffsetMs: offsetMs || undefined })
    return [`${options.ingestUrl}/v1/engagements`, `{"engagements":[${list}],${about.slice(1)}`]
  }

  /** Posts a batch; resolves to those of its entries that are to be sent again. */
  const send = async (batch: readonly Entry[], isStillMine?: StillMine): Promise<readonly Entry[]> => {
    inFlight = batch
    const sentAtMs = now()
    const { receipts = [], receivedAt } = await network
      .post(...requestOf(batch))
      .catch((error: unknown): Answer => {
        const { status, code } = error as FreshetError
        if (status === 413 && batch.length > 1) return {}
        // A proxy says nothing about events, and keys may be on their way to the servers.
        if (!/^4(?!0[138]|29)/.test(`${status}`) || code.startsWith('HTTP_')) throw error
        return { receipts: batch.map(() => error as Receipt) }
      })
      .finally(() => {
        inFlight = []
      })
    if ((await isStillMine?.()) === false) throw Error('lease')
    if (receipts.length !== batch.length) {
      if (batch.length < 2) throw Error('receipts')
      batchLimit = Math.ceil(batch.length / 2)
      return batch
    }
    failures = 0
    batchLimit = Math.min(maxBatchEvents, batchLimit * 2)
    const knownMs = offsetMs
    // A request takes no longer than its timeout.
    const slackMs = options.requestTimeoutMs ?? defaultTimeoutMs
    offsetMs = clockOffsetMs(knownMs, slackMs, [sentAtMs, now(), Date.parse(receivedAt!)])
    const receiptOf = (entry: NewEntry): Receipt => receipts[batch.indexOf(entry as Entry)]!
    const accepted = batch.filter((entry) => !('code' in receiptOf(entry)))
    onAccepted(accepted, (entry) => receiptOf(entry).token)
    await remove(accepted)
    return end(
      batch.filter((entry) => !accepted.includes(entry)),
      (entry) => {
        const { code, field, message } = receiptOf(entry)
        return (offsetMs === knownMs || !code.startsWith('EVENT_TIME_')) && { code, field, message }
      },
    )
  }

  /** Notes, reports and removes those that have an ending. If the process dies in between, whoever comes next finds the note. Resolves to the others. */
  const end = async <E extends Entry>(entries: readonly E[], endingOf: (entry: E) => Ending | false): Promise<E[]> => {
    const others: E[] = []
    const ended = entries.flatMap((entry) => {
      const ending = entry.ending ?? endingOf(entry)
      return ending ? { ...entry, ending } : (others.push(entry), [])
    })
    if (ended.length === 0) return others
    const some = ended.filter(({ key }) => key > 0)
    if (some.length > 0) await store!.put(some).catch(onError)
    for (const entry of ended) onEnded(entry, entry.ending)
    // The app hears of it before it is forgotten.
    await Promise.resolve()
    await remove(ended)
    return others
  }

  const remove = async (entries: readonly Held[]): Promise<void> => {
    const keys: number[] = []
    for (const { key, id, done, json } of entries) {
      if (key > 0) {
        keys.push(key)
        gone.add(id)
      } else inMemory.delete(key)
      bytes -= sizeOf({ json })
      mine.delete(id)
      done?.()
    }
    if (keys.length > 0)
      await store!.remove(keys).then(() => {
        for (const { id } of entries) gone.delete(id)
      }, onError)
  }

  const isNew = ({ id }: NewEntry): boolean => !gone.has(id)

  const first = async (count: number): Promise<readonly Entry[]> => [
    ...((await store?.first(count).catch(onError)) ?? []),
    ...inMemory.values(),
  ]

  /** Adds at once what was tracked while the storage was busy. */
  const addAll = async (): Promise<void> => {
    const some = adding
    adding = []
    const isStored =
      store !== null &&
      // What waits in memory is older.
      inMemory.size === 0 &&
      (await store.put(some.map(([entry]) => entry)).then(() => true, onError))
    for (const [entry, done] of some) {
      if (!isStored) inMemory.set(--lastKey, { ...entry, key: lastKey, done })
      if (isStored || !store) done()
    }
    if (cancelPause ? bytes > maxQueuedBytes : newCount >= maxBatchEvents) void drain()
    else if (!closed) cancelTimer ??= after(flushIntervalMs, () => void drain())
  }

  const sendNow = (): Promise<unknown> => {
    if (!isOrdered) {
      cancelPause?.()
      cancelPause = null
    }
    return drain()
  }

  return {
    enqueue: (entry) =>
      new Promise((done) => {
        if (closed || bytes > 2 * maxQueuedBytes) {
          onEnded(entry, closed ? 'closed' : 'queue full')
          done()
          return
        }
        bytes += sizeOf(entry)
        newCount++
        mine.set(entry.id, entry)
        if (adding.push([entry, done]) === 1) added = added.then(addAll)
      }),
    sendNow,
    waiting: async (count) => (await first(count)).filter(isNew),
    leave() {
      // A batch that is full now begins nothing.
      newCount = 0
      let room = maxKeepaliveBytes
      for (const entry of inFlight) room -= sizeOf(entry)
      const batch = [...mine.values()].filter(
        (entry) => !entry.to && !inFlight.some(({ id }) => id === entry.id) && (room -= sizeOf(entry)) > 0,
      )
      // Nobody may be left to read the answer. The entries stay, and are sent again with the same ids.
      if (batch.length > 0 && maySend()) network.postLast(...requestOf(batch))
    },
    dropAll: () =>
      exclusively(async () => {
        await added
        await end((await first(1e6)).filter(isNew), () => 'no consent')
      }),
    async close() {
      closed = true
      await sendNow()
      cancelTimer?.()
      cancelPause?.()
      await exclusively(() => end([...inMemory.values()], () => 'closed'))
      await store?.close()
    },
  }
}

/** The longest prefix of `entries` that fits one request, at least one. */
function nextBatch(entries: readonly Entry[], limit: number): readonly Entry[] {
  let bytes = 0
  const end = entries.findIndex((entry, index) => {
    bytes += sizeOf(entry)
    return index > 0 && (index >= limit || bytes > maxKeepaliveBytes || entry.to || entries[0]!.to)
  })
  return end < 0 ? entries : entries.slice(0, end)
}
