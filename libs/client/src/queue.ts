import { createClockOffset } from './clock-offset.ts'
import type { ClientEnvironment } from './environment.ts'
import type { DropReason, Problem } from './options.ts'
import { errorOf, isOurs, maxKeepaliveBytes, type Network } from './send.ts'
import { parsed, sizeOf, type Ending, type Entry, type NewEntry, type StillMine, type Store } from './store.ts'

/** What a queue needs. */
export interface QueueOptions {
  /** null: entries wait in memory. */
  readonly store: Store | null
  readonly network: Network
  readonly environment: ClientEnvironment
  readonly ingestUrl: string
  readonly timeoutMs: number
  readonly maxBatchEvents: number
  readonly flushIntervalMs: number
  readonly maxBytes: number
  readonly maxAgeMs: number
  readonly initialRetryMs: number
  readonly maxRetryMs: number
  /** Whether anything may be sent. */
  readonly maySend: () => boolean
  /** An entry was accepted. */
  readonly onAccepted: (entry: NewEntry, token: string) => void
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
  clear(reason: DropReason): Promise<void>
  /** Makes one more attempt and stops. What waits in memory is dropped. */
  close(): Promise<void>
}

/** The server's result for one event. */
type Receipt = { readonly token: string } | Problem

/** Creates a queue over a store. Everything that ends an entry happens while the store is held exclusively. */
export function createQueue(options: QueueOptions): Queue {
  const { store, network, maxBatchEvents, maxBytes, onEnded, onError } = options
  const { now, after, random } = options.environment
  /** Entries in memory, by negative keys: those that the storage refused, or all. */
  const inMemory = new Map<number, Entry>()
  /** Entries that this client added and that were not acknowledged to it, with what to call when they are safe. */
  const mine = new Map<string, { readonly entry: NewEntry; done?: (() => void) | undefined }>()
  /** Ids of entries that ended, but that the storage has not removed yet. Not by keys: a storage that the user has cleared begins again at 1. */
  const gone = new Set<string>()
  /** Merges that failed in this round, with the reason: the rest does not wait for them. */
  const stuck = new Map<string, unknown>()
  let lastKey = 0
  let adding: NewEntry[] = []
  let added: Promise<unknown> = Promise.resolve()
  let inFlight: readonly NewEntry[] = []
  /** NaN: not known. */
  let bytes = Number.NaN
  let newCount = 0
  let running: Promise<boolean> | null = null
  let turn: Promise<unknown> = Promise.resolve()
  let again = false
  let cancelTimer: (() => void) | null = null
  let cancelPause: (() => void) | null = null
  let isOrdered = false
  let failures = 0
  let batchLimit = maxBatchEvents
  let closed = false
  // A request takes no longer than its timeout.
  const clockOffset = createClockOffset(options.timeoutMs)

  /** Reports a failure and sends nothing for a while. If the server asked for it, nothing shortens it. */
  const pause = (error: unknown, retryAfterMs = 0): false => {
    onError(error as Error)
    const ms = Math.min(options.maxRetryMs, options.initialRetryMs * 2 ** failures++)
    isOrdered = retryAfterMs > 0
    cancelPause?.()
    cancelPause = after(Math.max(retryAfterMs, ms * (0.5 + random() / 2)), () => {
      cancelPause = null
      void drain()
    })
    return false
  }

  /** Sends batch after batch until nothing is left (true) or an attempt failed (false). */
  const drain = (): Promise<boolean> => {
    again = true
    running ??= exclusively(sendAll)
      .catch(pause)
      .then((done) => {
        running = null
        // Something was added after the last look.
        return done && again ? drain() : done
      })
    return running
  }

  /** One after another in this client, and among all that share the storage. */
  const exclusively = <T>(run: (isStillMine?: StillMine) => Promise<T>): Promise<T> => {
    let began = false
    const result = turn.then(() =>
      store
        ? store
            .exclusive((isStillMine) => {
              began = true
              return run(isStillMine)
            })
            .catch((error: unknown) => {
              if (began) throw error
              // Where locks are forbidden, so is the storage that tabs would share.
              return run()
            })
        : run(),
    )
    turn = result.catch(() => undefined)
    return result
  }

  const sendAll = async (isStillMine?: StillMine): Promise<boolean> => {
    stuck.clear()
    if (gone.size > 0) await removeGone().catch(onError)
    cancelTimer?.()
    cancelTimer = null
    for (;;) {
      again = false
      newCount = 0
      await added
      const known = [...mine].filter(([, { done }]) => !done)
      await trim()
      if (cancelPause) return false
      const entries = (await first(batchLimit + stuck.size)).filter(({ id }) => !stuck.has(id))
      const late = entries.filter(({ at, ending }) => ending ?? at < now() - options.maxAgeMs)
      const damaged = entries.filter(({ json }) => !parsed(json))
      if (late.length > 0) await end(late, 'too old')
      else if (damaged.length > 0) await end(damaged, 'damaged')
      else if (!options.maySend()) return false
      else if (entries.length > 0) {
        if (!(await send(nextBatch(entries), isStillMine))) return false
      } else if (stuck.size > 0) return pause(stuck.values().next().value)
      else {
        // Another tab has sent them.
        for (const [id] of known) mine.delete(id)
        bytes = Number.NaN
        if (!again) return true
      }
    }
  }

  /** Posts a batch with the client's time and known clock offset, so that the server can correct times. */
  const requestOf = (entries: readonly NewEntry[]): readonly [url: string, body: string] => {
    const { to, json } = entries[0]!
    if (to) {
      const merge = JSON.parse(json) as { readonly occurredAt: string }
      const occurredAt = new Date(Date.parse(merge.occurredAt) + clockOffset.ms()).toISOString()
      return [options.ingestUrl + to, JSON.stringify({ ...merge, occurredAt })]
    }
    const list = entries.map((entry) => entry.json).join()
    const sentAt = new Date(now()).toISOString()
    const offset = clockOffset.ms() && `,"clockOffsetMs":${clockOffset.ms()}`
    return [`${options.ingestUrl}/v1/engagements`, `{"engagements":[${list}],"sentAt":"${sentAt}"${offset || ''}}`]
  }

  /** Whether sending can continue immediately. */
  const send = async (batch: readonly Entry[], isStillMine?: StillMine): Promise<boolean> => {
    const { id, to } = batch[0]!
    inFlight = batch
    const sentAtMs = now()
    let answer
    try {
      answer = await network.post(...requestOf(batch))
    } catch (error) {
      if (!to) throw error
      stuck.set(id, error)
      return true
    } finally {
      inFlight = []
    }
    if ((await isStillMine?.()) === false) throw Error('another page took over')
    const { status } = answer
    const { receipts, receivedAt } = (answer.json ?? {}) as {
      readonly receipts?: readonly Receipt[]
      readonly receivedAt?: string
    }
    if ((status === 202 || status === 400) && receipts?.length === batch.length) {
      failures = 0
      batchLimit = Math.min(maxBatchEvents, batchLimit * 2)
      const exchange = { sentAtMs, answeredAtMs: now(), receivedAtMs: Date.parse(receivedAt!) }
      await settle(batch, receipts, clockOffset.learn(exchange))
      return true
    }
    const error = errorOf(answer)
    if (status === 413 && batch.length > 1) {
      failures = 0
      batchLimit = Math.ceil(batch.length / 2)
      return true
    }
    // A proxy says nothing about events, and keys may be on their way to the servers.
    const isRefusal = status >= 400 && status < 500 && ![401, 403, 408, 429].includes(status)
    if (!isRefusal || !isOurs(answer)) {
      if (to && (isRefusal || status === 401 || status === 403)) {
        stuck.set(id, error)
        return true
      }
      const retryAfter = answer.headers.get('retry-after') ?? ''
      return pause(error, Number(retryAfter) * 1000 || Date.parse(retryAfter) - now() || 0)
    }
    failures = 0
    await end(batch, problemOf(error))
    return true
  }

  const settle = async (
    batch: readonly Entry[],
    receipts: readonly Receipt[],
    clockWasWrong: boolean,
  ): Promise<void> => {
    const accepted: Entry[] = []
    const rejected: Entry[] = []
    batch.forEach((entry, index) => {
      const receipt = receipts[index]!
      if (!('code' in receipt)) {
        accepted.push(entry)
        options.onAccepted(entry, receipt.token)
      } else if (!clockWasWrong || !receipt.code.startsWith('EVENT_TIME_'))
        rejected.push({ ...entry, ending: problemOf(receipt) })
    })
    await remove(accepted)
    await end(rejected)
  }

  /** Notes, reports and removes. If the process dies in between, whoever comes next finds the note. */
  const end = async (entries: readonly Entry[], otherwise?: Ending): Promise<void> => {
    const ended = entries.map((entry) => ({ ...entry, ending: entry.ending ?? otherwise! }))
    await stored(ended, (some) => store!.put(some))
    for (const entry of ended) onEnded(entry, entry.ending)
    // The app hears of it before it is forgotten.
    await Promise.resolve()
    await remove(ended)
  }

  const remove = async (entries: readonly Entry[]): Promise<void> => {
    for (const entry of entries) {
      if (entry.key > 0) gone.add(entry.id)
      bytes -= sizeOf(entry)
      inMemory.delete(entry.key)
      mine.get(entry.id)?.done?.()
      mine.delete(entry.id)
    }
    await stored(entries, async (some) => {
      await store!.remove(some.map(({ key }) => key))
      for (const { id } of some) gone.delete(id)
    })
  }

  /** Removes what the storage could not remove before. */
  const removeGone = async (): Promise<void> => {
    const all = await store!.first(1e6)
    await store!.remove(all.filter(({ id }) => gone.has(id)).map(({ key }) => key))
    gone.clear()
  }

  /** Does something with those of the entries that are in the storage. */
  const stored = async (
    entries: readonly Entry[],
    run: (some: readonly Entry[]) => Promise<unknown>,
  ): Promise<void> => {
    const some = entries.filter(({ key }) => key > 0)
    if (some.length > 0) await run(some).catch(onError)
  }

  const first = async (count: number): Promise<readonly Entry[]> => {
    const kept = (await store?.first(count + gone.size).catch(onError)) ?? []
    return [...kept.filter(({ id }) => !gone.has(id)), ...inMemory.values()].slice(0, count)
  }

  /** Drops the oldest entries while there are too many bytes, down to 90 % of the bound, so that it rarely happens. */
  const trim = async (): Promise<void> => {
    if (bytes <= maxBytes) return
    const all = await first(1e6)
    bytes = all.reduce((sum, entry) => sum + sizeOf(entry), 0)
    if (bytes <= maxBytes) return
    let over = bytes - maxBytes * 0.9
    await end(
      all.filter((entry) => {
        const isOver = over > 0
        over -= sizeOf(entry)
        return isOver
      }),
      'queue full',
    )
  }

  /** Adds what was tracked in this turn at once. */
  const addAll = async (): Promise<void> => {
    const entries = adding
    adding = []
    // What waits in memory is older.
    const isStored =
      store !== null &&
      inMemory.size === 0 &&
      (await store.put(entries).then(
        () => true,
        (error: unknown) => onError(error as Error),
      ))
    for (const entry of entries) {
      if (!isStored) inMemory.set(--lastKey, { ...entry, key: lastKey })
      const own = mine.get(entry.id)
      if (own && (isStored || !store)) {
        own.done?.()
        own.done = undefined
      }
    }
    if (cancelPause ? bytes > maxBytes : newCount >= maxBatchEvents) void drain()
    else if (!closed) cancelTimer ??= after(options.flushIntervalMs, () => void drain())
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
        if (closed || bytes > 2 * maxBytes) {
          onEnded(entry, closed ? 'closed' : 'queue full')
          done()
          return
        }
        bytes += sizeOf(entry)
        newCount++
        const same = mine.get(entry.id)
        mine.set(entry.id, {
          entry,
          done() {
            same?.done?.()
            done()
          },
        })
        if (adding.push(entry) === 1) added = Promise.all([added, Promise.resolve().then(addAll)])
      }),
    flush,
    waiting: first,
    leave() {
      let room = maxKeepaliveBytes
      for (const entry of inFlight) room -= sizeOf(entry)
      const batch: NewEntry[] = []
      for (const { entry } of mine.values())
        if (!entry.to && !inFlight.some(({ id }) => id === entry.id) && (room -= sizeOf(entry)) > 0) batch.push(entry)
      // Nobody may be left to read the answer. The entries stay, and are sent again with the same ids.
      if (batch.length > 0) network.postLast(...requestOf(batch))
    },
    clear: (reason) =>
      exclusively(async () => {
        await added
        await end(await first(1e6), reason)
      }),
    async close() {
      closed = true
      await flush()
      cancelTimer?.()
      cancelPause?.()
      await exclusively(() => end([...inMemory.values()], 'closed'))
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
