import { createFreshet, type NodeOptions } from './node.ts'
import { createClient, type Freshet } from './client.ts'
import type { ClientEnvironment, ClientPage, PageEvent, Sight } from './environment.ts'
import type { DroppedEvent, FreshetOptions, RejectedEvent } from './options.ts'
import { createLists } from './lists.ts'
import type { Entry, NewEntry, Store } from './store.ts'

/** A request that the client made. */
export interface Call {
  readonly url: string
  readonly body: {
    readonly engagements: readonly {
      readonly eventId: string
      readonly userId: string
      readonly occurredAt: string
      readonly [field: string]: unknown
    }[]
    readonly sentAt: string
    readonly clockOffsetMs?: number
    readonly [field: string]: unknown
  }
  readonly init: RequestInit & { readonly headers: Record<string, string> }
}
/** What a server does with a request. */
export type Answer = (call: Call) => Response | Error | Promise<Response>

export const startMs = Date.UTC(2026, 0, 31, 12)

/** Lets everything that waits for nothing happen. */
export const settled = async (): Promise<void> => {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve))
}

export const json = (status: number, body: unknown, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(body), { status, headers })

/** Accepts every event; the token counts per user. */
export function taking(): Answer {
  const counts = new Map<string, number>()
  return ({ url, body }) => {
    if (url.endsWith('/merge')) return json(202, { receipts: [{ id: 'm', token: 'e9-9' }] })
    const receipts = body.engagements.map(({ eventId, userId }) => {
      const position = counts.get(userId) ?? 0
      counts.set(userId, position + 1)
      return { id: eventId, token: `e0-${position}` }
    })
    return json(202, { receipts })
  }
}

/** The server answers 503. */
export const unavailable =
  (retryAfter?: string): Answer =>
  () =>
    json(
      503,
      { error: { code: 'INGEST_UNAVAILABLE', message: 'no' } },
      retryAfter === undefined ? {} : { 'retry-after': retryAfter },
    )

/** Answers a request for a feed by `feed`, others by `otherwise`. */
export const feedOr =
  (feed: object, otherwise: Answer): Answer =>
  (call) =>
    /\/v1\/(feed|related|search)$/.test(call.url) ? json(200, feed) : otherwise(call)

/** A store in memory, with calls of it replaced. */
export function aStore(calls: Partial<Store> = {}): { readonly store: Store; readonly entries: Map<number, Entry> } {
  const entries = new Map<number, Entry>()
  const store: Store = {
    async put(list) {
      for (const entry of list as readonly (NewEntry & Partial<Entry>)[]) {
        // Keys begin again at 1 when it was cleared.
        const key = entry.key ?? Math.max(0, ...entries.keys()) + 1
        entries.set(key, { ...entry, key })
      }
    },
    first: async (count) => [...entries.values()].sort((a, b) => a.key - b.key).slice(0, count),
    async remove(keys) {
      for (const key of keys) entries.delete(key)
    },
    exclusive: (run) => run(),
    close: async () => undefined,
    ...calls,
  }
  return { store, entries }
}

/** The ids of the events of requests. */
export const idsOf = (calls: readonly Call[]): string[][] =>
  calls.flatMap(({ body }) =>
    (body.engagements as typeof body.engagements | undefined) === undefined
      ? []
      : [body.engagements.map(({ eventId }) => eventId)],
  )

/** A page whose visibility and elements the test decides. */
export function aPage() {
  const listeners = new Set<readonly [PageEvent, () => void]>()
  const sights = new Map<object, (sight: Sight) => void>()
  const state = { visible: true }
  const page: ClientPage = {
    on(event, listener, signal) {
      const entry = [event, listener] as const
      listeners.add(entry)
      signal.addEventListener('abort', () => listeners.delete(entry))
    },
    isVisible: () => state.visible,
    watch(element, onSight) {
      sights.set(element, onSight)
      return () => sights.delete(element)
    },
  }
  const fire = (event: PageEvent): void => {
    for (const [name, listener] of [...listeners]) if (name === event) listener()
  }
  return {
    ...{ page, fire, listeners },
    show(visible: boolean) {
      state.visible = visible
      fire('visibilitychange')
    },
    see(element: object, share: number, above = false) {
      sights.get(element)?.({ share, above })
    },
  }
}

/** A client with a fake clock, network and page. */
export function setUp(
  options: Partial<NodeOptions & FreshetOptions> = {},
  more: { readonly page?: ClientPage; readonly store?: Store; readonly kept?: Map<string, string> } = {},
) {
  const { page = null, store, kept = new Map<string, string>() } = more
  let now = startMs
  let timers: { at: number; run: () => void }[] = []
  let ids = 0
  const calls: Call[] = []
  const dropped: DroppedEvent[] = []
  const rejected: RejectedEvent[] = []
  const errors: string[] = []
  const server: { answer: Answer } = { answer: taking() }
  const environment: ClientEnvironment = {
    fetch: async (url, init) => {
      const call = { url, init, body: JSON.parse(init.body as string) as Call['body'] } as Call
      calls.push(call)
      if (init.signal?.aborted === true) throw init.signal.reason as Error
      const answer = await Promise.race([
        server.answer(call),
        new Promise<Response>((_, reject) =>
          init.signal?.addEventListener('abort', () => reject(init.signal?.reason as Error), { once: true }),
        ),
      ])
      if (answer instanceof Error) throw answer
      return answer
    },
    now: () => now,
    after(ms, run) {
      const timer = { at: now + ms, run }
      timers.push(timer)
      return () => {
        timers = timers.filter((each) => each !== timer)
      }
    },
    random: () => 1,
    newEventId: () => `id${ids++}`,
    page,
    kept: (name) => ({ get: () => kept.get(name) ?? null, set: (text) => void kept.set(name, text) }),
  }
  const pass = async (ms: number): Promise<void> => {
    const end = now + ms
    for (;;) {
      await settled()
      const next = timers.filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)[0]
      if (next === undefined) break
      now = next.at
      timers = timers.filter((each) => each !== next)
      next.run()
    }
    now = end
    await settled()
  }
  const all: NodeOptions = {
    ingestUrl: 'https://events.example/',
    feedUrl: 'https://feed.example',
    onDropped: (event) => dropped.push(event),
    onRejected: (event) => rejected.push(event),
    onError: (error) => errors.push(error.message),
    environment,
    ...options,
  }
  const client: Freshet =
    store === undefined
      ? createFreshet(all)
      : (createClient(
          all,
          { ...environment, ...options.environment },
          { store, defaultMaxBytes: 1e6, createLists },
        ) as Freshet)
  /** Tracks events with ids `e0`, `e1` … */
  let tracked = 0
  const track = (userId = 'u1', details = {}): string => {
    const eventId = `e${tracked++}`
    void client.track({ eventId, userId, action: 'click', pinId: 'p', ...details })
    return eventId
  }
  return {
    ...{ client, track, calls, dropped, rejected, errors, server, pass, kept },
    timers: () => timers.length,
    now: () => now,
  }
}
