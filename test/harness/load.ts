import { createBlenderClient } from '@freshet/adapters/grpc/blender-client'
import { createSeededRandom } from '@freshet/adapters/memory/random'
import type { Freshet } from '@freshet/client/client'
import { createFreshet } from '@freshet/client/node'
import type { Tracked } from '@freshet/client/options'
import { isContractError } from '@freshet/contracts/errors'
import { Degradation, Freshness, GetFeedRequest } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { eventually, pass } from './eventually.ts'
import type { Fleet } from './processes.ts'
import type { SentFile } from './sent-file.ts'

/** A load: events through SDK clients over HTTP, feeds over gRPC. */
export interface LoadOptions {
  readonly fleet: Pick<Fleet, 'ingestUrl' | 'feedAddress'>
  readonly file: SentFile
  readonly seed: number
  readonly eventsPerSecond: number
  readonly feedsPerSecond: number
  readonly users: number
  readonly pins: number
  /** Begins user ids: loads of one world do not share users. */
  readonly userPrefix: string
  /** By how much each SDK client's clock is off, milliseconds; the clients take turns. */
  readonly clockShiftsMs?: readonly number[]
  /** Share of events that happened two days ago: they count like all others. */
  readonly lateShare?: number
  /** Share of events that are tracked twice with the same id. */
  readonly repeatShare?: number
}

/** A feed asked for. */
export interface FeedSample {
  readonly atMs: number
  readonly latencyMs: number
  /** Pins came within the deadline. */
  readonly answered: boolean
  readonly degradation: Degradation | null
  /** Why no pins came: the code and text of the error, or the reasons of the empty feed. null: pins came. */
  readonly cause: string | null
}

/** What feeds were like within a time. */
export interface FeedFigures {
  readonly asked: number
  /** Share of feeds that came with pins within their deadline. */
  readonly availability: number
  /** Share of feeds that were no full ones. */
  readonly degraded: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Why feeds came without pins or not at all, with the number of each cause; the most frequent first. */
  readonly causes: readonly (readonly [cause: string, feeds: number])[]
}

/** A running load. */
export interface Load {
  /** Monotonic milliseconds, the time of `samples`. */
  now(): number
  samples(): readonly FeedSample[]
  figures(fromMs: number, toMs: number): FeedFigures
  /** When the last event was accepted; monotonic. */
  lastAcceptedMs(): number
  accepted(): number
  tracked(): number
  /** Answers of event-ingest with a status from 500 on. */
  serverErrors(): number
  /** The SDK's error messages and how often each came. */
  errors(): ReadonlyMap<string, number>
  /** Stops making events, waits until each was answered (rejects after the deadline with how many were not), stops asking. */
  finish(deadlineMs: number): Promise<void>
  /** Stops everything at once; after `finish`, nothing. */
  abandon(): Promise<void>
}

const clients = 4
const tickMs = 20
const feedTimeoutMs = 500
const dayMs = 86_400_000
const kinds = ['impression', 'impression', 'impression', 'closeup', 'click', 'click', 'save'] as const

/** Starts a load. */
export function startLoad(options: LoadOptions): Load {
  const { file, eventsPerSecond, feedsPerSecond, clockShiftsMs = [0], lateShare = 0, repeatShare = 0 } = options
  const random = createSeededRandom(options.seed)
  const below = (count: number): number => Math.floor(random.next() * count)
  const now = (): number => performance.now()
  const samples: FeedSample[] = []
  const errors = new Map<string, number>()
  const answered = { count: 0, lastAtMs: now(), serverErrors: 0 }
  const sdks = Array.from({ length: clients }, (_, i) => createSdk(clockShiftsMs[i % clockShiftsMs.length] ?? 0))
  const blender = createBlenderClient({ address: options.fleet.feedAddress })
  const underWay = new Set<Promise<void>>()
  let number = 0
  let feedsDue = 0
  let eventsDue = 0
  let tracking = true
  let asking = true

  function createSdk(shiftMs: number): Freshet {
    return createFreshet({
      ingestUrl: options.fleet.ingestUrl,
      maxBatchEvents: 100,
      flushIntervalMs: 100,
      maxQueuedBytes: 1 << 30,
      initialRetryMs: 100,
      maxRetryMs: 1_000,
      requestTimeoutMs: 6_000,
      onError: ({ message }) => errors.set(message, (errors.get(message) ?? 0) + 1),
      onRejected: ({ event, problem }) => file.rejected(ownerOf(event), event.eventId, problem.code),
      onDropped: ({ event }) => file.rejected(ownerOf(event), event.eventId, 'DROPPED'),
      environment: { now: () => Date.now() + shiftMs, fetch: recorded((url, init) => fetch(url, init)) },
    })
  }

  /** The SDK's fetch, with each answer written to the file before the SDK sees it. */
  function recorded(fetch: (url: string, init: RequestInit) => Promise<Response>): typeof fetch {
    return async (url, init) => {
      const response = await fetch(url, init)
      const text = await response.text()
      if (response.status >= 500) answered.serverErrors++
      if (response.status === 202) {
        const { engagements } = JSON.parse(init.body as string) as {
          engagements: { userId: string; eventId: string }[]
        }
        const { receipts } = JSON.parse(text) as { receipts: { token?: string; code?: string }[] }
        engagements.forEach(({ userId, eventId }, i) => {
          const { token, code = 'NONE' } = receipts[i] ?? {}
          if (token === undefined) file.rejected(userId, eventId, code)
          else {
            file.accepted(userId, eventId, token)
            answered.count++
          }
        })
        answered.lastAtMs = now()
      }
      return new Response(text, { status: response.status, headers: response.headers })
    }
  }

  const userOf = (index: number): string => `${options.userPrefix}${index}`

  function track(): void {
    const user = below(options.users)
    const action = kinds[below(kinds.length)] ?? 'click'
    const client = user % clients
    const shiftMs = clockShiftsMs[client % clockShiftsMs.length] ?? 0
    const eventId = `${options.userPrefix}e${number++}`
    const userId = userOf(user)
    const isLate = random.next() < lateShare
    file.sent(userId, eventId)
    const event = {
      eventId,
      userId,
      sessionId: `s-${userId}`,
      action,
      pinId: `pin${below(options.pins)}`,
      ...(action === 'save' ? { boardId: `board${user % 50}` } : {}),
      occurredAtMs: Date.now() + shiftMs - (isLate ? 2 * dayMs : 0),
    }
    void sdks[client]?.track(event)
    if (random.next() < repeatShare) void sdks[client]?.track(event)
  }

  async function ask(): Promise<void> {
    const startMs = now()
    const request = GetFeedRequest.fromPartial({ userId: userOf(below(options.users)), pageSize: 25 })
    try {
      const { items, degradation, reasons } = await blender.getFeed(request, { timeoutMs: feedTimeoutMs })
      const answered = items.length > 0
      const cause = answered ? null : `no pins, degradation ${degradation}: ${reasons.join(' ')}`
      samples.push({ atMs: startMs, latencyMs: now() - startMs, answered, degradation, cause })
    } catch (error) {
      samples.push({
        atMs: startMs,
        latencyMs: now() - startMs,
        answered: false,
        degradation: null,
        cause: causeOf(error),
      })
    }
  }

  void (async () => {
    let lastMs = now()
    while (tracking || asking) {
      await pass(tickMs)
      const elapsed = (now() - lastMs) / 1000
      lastMs = now()
      if (tracking) for (eventsDue += elapsed * eventsPerSecond; eventsDue >= 1; eventsDue--) track()
      if (asking) {
        for (feedsDue += elapsed * feedsPerSecond; feedsDue >= 1; feedsDue--) {
          const call = ask().finally(() => underWay.delete(call))
          underWay.add(call)
        }
      }
    }
  })()

  const load: Load = {
    now,
    samples: () => samples,
    figures: (fromMs, toMs) => figuresOf(samples.filter(({ atMs }) => atMs >= fromMs && atMs < toMs)),
    lastAcceptedMs: () => answered.lastAtMs,
    accepted: () => answered.count,
    tracked: () => number,
    serverErrors: () => answered.serverErrors,
    errors: () => errors,
    async finish(deadlineMs) {
      tracking = false
      let left = 0
      await eventually(
        'every event answered',
        async () => {
          const remaining = await Promise.all(sdks.map((sdk) => sdk.flush()))
          left = remaining.reduce((sum, each) => sum + each.left, 0)
          return left === 0 ? true : null
        },
        deadlineMs,
        100,
      ).catch((error: unknown) => {
        throw new Error(`${(error as Error).message}; ${left} left; ${JSON.stringify([...errors])}`)
      })
      await load.abandon()
    },
    async abandon() {
      tracking = false
      asking = false
      await Promise.all([...underWay])
      await Promise.all(sdks.map((sdk) => sdk.close()))
      blender.close()
    },
  }
  return load
}

function ownerOf(event: Tracked): string {
  return 'userId' in event ? event.userId : event.intoUserId
}

/** An error as a cause that can be counted: its code, and its text without what differs from call to call. */
function causeOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  const code = isContractError(error) ? error.code : 'defect'
  return `${code}: ${text.replace(/\d+(\.\d+)?/g, 'N').slice(0, 160)}`
}

function causesOf(samples: readonly FeedSample[]): FeedFigures['causes'] {
  const counts = new Map<string, number>()
  for (const { cause } of samples) if (cause !== null) counts.set(cause, (counts.get(cause) ?? 0) + 1)
  return [...counts].sort((a, b) => b[1] - a[1])
}

/** Figures of some feeds. */
function figuresOf(samples: readonly FeedSample[]): FeedFigures {
  const latencies = samples.map(({ latencyMs }) => latencyMs).toSorted((a, b) => a - b)
  const at = (share: number): number =>
    latencies[Math.min(latencies.length - 1, Math.floor(share * latencies.length))] ?? Number.NaN
  const share = (count: number): number => (samples.length === 0 ? Number.NaN : count / samples.length)
  return {
    asked: samples.length,
    availability: share(samples.filter(({ answered }) => answered).length),
    degraded: share(samples.filter(({ answered, degradation }) => answered && degradation !== Degradation.NONE).length),
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    causes: causesOf(samples),
  }
}

/** Posts a catalogue of pins `pin0` … over HTTP. */
export async function postPins(ingestUrl: string, count: number): Promise<void> {
  for (let first = 0; first < count; first += 500) {
    const pins = Array.from({ length: Math.min(500, count - first) }, (_, i) => ({
      pinId: `pin${first + i}`,
      creatorId: `creator${(first + i) % 37}`,
      topics: [`topic${(first + i) % 16}`],
      createdAt: new Date(Date.now() - (first + i + 1) * 60_000).toISOString(),
    }))
    const response = await fetch(`${ingestUrl}/v1/pins`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ pins }),
    })
    if (response.status !== 202) throw new Error(`pins: ${response.status} ${await response.text()}`)
    await response.text()
  }
}

/**
 * Whether the whole path works: an event is posted and the feed asked for with its token. Resolves when it comes in full
 * and fresh, with what was in the way most often until then (empty: nothing); rejects after the deadline. The events are
 * written to the file like all others.
 */
export async function wholePathWorks(
  fleet: Pick<Fleet, 'ingestUrl' | 'feedAddress'>,
  file: SentFile,
  deadlineMs: number,
): Promise<string> {
  const blender = createBlenderClient({ address: fleet.feedAddress })
  const obstacles = new Map<string, number>()
  const run = Math.floor(performance.now())
  let attempt = 0
  let last = 'no answer'
  const inTheWay = (what: string): null => {
    obstacles.set(what, (obstacles.get(what) ?? 0) + 1)
    return null
  }
  try {
    await eventually(
      'an event in a full feed',
      async () => {
        // A user of its own each time: what was served once is not served again.
        const userId = `probe-${run}-${attempt++}`
        const eventId = userId
        file.sent(userId, eventId)
        const event = { eventId, userId, action: 'click', pinId: 'pin1', occurredAt: new Date().toISOString() }
        const response = await fetch(`${fleet.ingestUrl}/v1/engagements`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ engagements: [event] }),
          signal: AbortSignal.timeout(3_000),
        }).catch(() => null)
        const { receipts = [] } = ((await response?.json().catch(() => null)) ?? {}) as {
          receipts?: { token?: string }[]
        }
        const token = receipts[0]?.token
        last = `ingest ${response?.status ?? 'away'}`
        if (token === undefined) return inTheWay(last)
        file.accepted(userId, eventId, token)
        const request = GetFeedRequest.fromPartial({ userId, pageSize: 5, after: [token], explain: true })
        const feed = await blender.getFeed(request, { timeoutMs: 2_000 }).catch((error: unknown) => {
          last = (error as Error).message
          return null
        })
        if (feed === null) return inTheWay(last)
        const stages = feed.stages.map(({ stage, error, candidatesOut, tookUs }) =>
          [stage, error, candidatesOut, `${Math.round(tookUs / 1000)} ms`].filter((part) => part !== '').join(' '),
        )
        last = `degradation ${feed.degradation}, freshness ${feed.freshness}, ${feed.reasons.join()}; ${stages.join(', ')}`
        const works =
          feed.items.length > 0 && feed.degradation === Degradation.NONE && feed.freshness === Freshness.CURRENT
        if (works) return true
        const failed = feed.stages.filter(({ error }) => error !== '').map(({ stage, error }) => `${stage} ${error}`)
        return inTheWay(failed.length === 0 ? last : failed.join(', '))
      },
      deadlineMs,
      100,
    )
    return [...obstacles].sort((a, b) => b[1] - a[1])[0]?.[0] ?? ''
  } catch (error) {
    throw new Error(`${(error as Error).message}: ${last}`, { cause: error })
  } finally {
    blender.close()
  }
}
