import { createClockOffset } from './clock-offset.ts'
import type { ClientEnvironment } from './environment.ts'
import type { DropReason, FreshetOptions, Problem } from './options.ts'
import { defaultTimeoutMs, maxKeepaliveBytes, type Answer, type FreshetError, type Network } from './send.ts'
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
  /** Entries were accepted, each with its token. */
  readonly onAccepted: (accepted: readonly (readonly [entry: NewEntry, token: string])[]) => void
  /** An entry ended otherwise. */
  readonly onEnded: (entry: NewEntry, ending: Ending) => void
  readonly onError: (error: Error) => void
}

/** Entries on their way to the server. */
export interface Queue {
  /** Resolves when the entry is in storage or has ended. */
  add(entry: NewEntry): Promise<void>
  /** Sends what waits now. Resolves when none is left or an attempt has failed. */
  flush(): Promise<unknown>
  /** The oldest entries that wait. */
  waiting(count: number): Promise<readonly Entry[]>
  /** The page closes: hands what fits to the browser, and keeps it until it is acknowledged. */
  leave(): void
  /** Drops everything that waits. */
  clear(reason: DropReason): Promise<unknown>
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
  // A request takes no longer than its timeout.
  const clockOffset = createClockOffset(options.requestTimeoutMs ?? defaultTimeoutMs)

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
    if (gone.size > 0) await removeGone().catch(onError)
    const known = [...mine.keys()]
    const before = bytes
    const count = bytes > maxQueuedBytes ? 1e6 : 1e3
    const entries = await first(count)
    const isAll = entries.length < count
    if (isAll) bytes += entries.reduce((sum, entry) => sum + sizeOf(entry), -before)
    // Down to 90 % of the bound, so that it rarely happens.
    let over = isAll && bytes > maxQueuedBytes ? bytes - 0.9 * maxQueuedBytes : 0
    const oldestMs = now() - maxAgeMs
    const left: Entry[] = []
    const ended: Entry[] = []
    for (const entry of entries) {
      const {
        at,
        json,
        ending = at < oldestMs ? 'too old' : over > 0 ? 'queue full' : !parsed(json) && 'damaged',
      } = entry
      over -= sizeOf(entry)
      if (ending) ended.push({ ...entry, ending })
      else left.push(entry)
    }
    await end(ended)
    let stuck: unknown
    while (left.length > 0 && !cancelPause && maySend()) {
      const batch = nextBatch(left.slice(0, batchLimit))
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
    const offsetMs = clockOffset.ms()
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
      .catch((error: FreshetError): Answer => {
        const { status, code } = error
        if (status === 413 && batch.length > 1) return {}
        // A proxy says nothing about events, and keys may be on their way to the servers.
        if (!/^4(?!0[138]|29)/.test(`${status}`) || code.startsWith('HTTP_')) throw error
        return { receipts: batch.map(() => error) }
      })
      .finally(() => {
        inFlight = []
      })
    if ((await isStillMine?.()) === false) throw Error('another page took over')
    if (receipts.length !== batch.length) {
      if (batch.length < 2) throw Error('no receipt')
      batchLimit = Math.ceil(batch.length / 2)
      return batch
    }
    failures = 0
    batchLimit = Math.min(maxBatchEvents, batchLimit * 2)
    const clockWasWrong = clockOffset.learn({
      ...{ sentAtMs, answeredAtMs: now() },
      receivedAtMs: Date.parse(receivedAt!),
    })
    const accepted: (readonly [Entry, string])[] = []
    const rejected: Entry[] = []
    const again = batch.filter((entry, index) => {
      const receipt = receipts[index]!
      if (!('code' in receipt)) accepted.push([entry, receipt.token])
      else if (clockWasWrong && receipt.code.startsWith('EVENT_TIME_')) return true
      else rejected.push({ ...entry, ending: problemOf(receipt) })
      return false
    })
    onAccepted(accepted)
    await remove(accepted.map(([entry]) => entry))
    await end(rejected)
    return again
  }

  /** Notes, reports and removes. If the process dies in between, whoever comes next finds the note. */
  const end = async (ended: readonly Entry[]): Promise<void> => {
    await stored(ended, (some) => store!.put(some))
    for (const entry of ended) onEnded(entry, entry.ending!)
    // The app hears of it before it is forgotten.
    await Promise.resolve()
    await remove(ended)
  }

  const remove = async (entries: readonly Held[]): Promise<void> => {
    for (const entry of entries) {
      if (entry.key > 0) gone.add(entry.id)
      bytes -= sizeOf(entry)
      inMemory.delete(entry.key)
      mine.delete(entry.id)
      entry.done?.()
    }
    await stored(entries, async (some) => {
      await store!.remove(some.map(({ key }) => key))
      for (const { id } of some) gone.delete(id)
    })
  }

  /** Does something with those of the entries that are in the storage. */
  const stored = async (
    entries: readonly Entry[],
    run: (some: readonly Entry[]) => Promise<unknown>,
  ): Promise<void> => {
    const some = entries.filter(({ key }) => key > 0)
    if (some.length > 0) await run(some).catch(onError)
  }

  /** Removes what the storage could not remove before. */
  const removeGone = async (): Promise<void> => {
    const all = await store!.first(1e6)
    await store!.remove(all.filter(({ id }) => gone.has(id)).map(({ key }) => key))
    gone.clear()
  }

  const first = async (count: number): Promise<readonly Entry[]> => {
    const kept = (await store?.first(count + gone.size).catch(onError)) ?? []
    return [...kept.filter(({ id }) => !gone.has(id)), ...inMemory.values()].slice(0, count)
  }

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

  const flush = (): Promise<unknown> => {
    if (!isOrdered) {
      cancelPause?.()
      cancelPause = null
    }
    return drain()
  }

  return {
    add: (entry) =>
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
    flush,
    waiting: first,
    leave() {
      let room = maxKeepaliveBytes
      for (const entry of inFlight) room -= sizeOf(entry)
      const batch = [...mine.values()].filter(
        (entry) => !entry.to && !inFlight.some(({ id }) => id === entry.id) && (room -= sizeOf(entry)) > 0,
      )
      // Nobody may be left to read the answer. The entries stay, and are sent again with the same ids.
      if (batch.length > 0 && maySend()) network.postLast(...requestOf(batch))
    },
    clear: (ending) =>
      exclusively(async () => {
        await added
        await end((await first(1e6)).map((entry) => ({ ...entry, ending })))
      }),
    async close() {
      closed = true
      await flush()
      cancelTimer?.()
      cancelPause?.()
      await exclusively(() => end([...inMemory.values()].map((entry) => ({ ...entry, ending: 'closed' }))))
      await store?.close()
    },
  }
}

function problemOf({ code, field, message }: Problem): Problem {
  return { code, field, message }
}

/** The longest prefix of `entries` that fits one request, at least one. */
function nextBatch(entries: readonly Entry[]): readonly Entry[] {
  let bytes = 0
  const end = entries.findIndex((entry, index) => {
    bytes += sizeOf(entry)
    return index > 0 && (bytes > maxKeepaliveBytes || entry.to || entries[0]!.to)
  })
  return end < 0 ? entries : entries.slice(0, end)
}
