import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createClient } from './client.ts'
import { json, settled, startMs, type Call } from './fake.fixture.ts'
import type { Entry, NewEntry, Store } from './store.ts'

/** How the server treats a request. `lost`: it takes the events, and the answer does not arrive. */
type Treatment = 'ok' | 'down' | 'lost' | 'busy' | 'large' | 'denied' | 'foreign'

/** What is written survives its processes. */
interface Disk {
  readonly entries: Map<number, Entry>
  lastKey: number
}

/** One process on the disk, which dies at a step: before the step takes effect, or after it. */
function storeOf(
  disk: Disk,
  life: { steps: number; readonly dieAt: number; readonly isAfter: boolean; dead: boolean },
): Store {
  const never = new Promise<never>(() => undefined)
  const step = async <T>(run: () => T): Promise<T> => {
    if (life.dead) return never
    const dies = life.steps++ === life.dieAt
    if (dies) life.dead = true
    if (dies && !life.isAfter) return never
    const result = run()
    // A write takes a moment.
    await Promise.resolve()
    return dies ? never : result
  }
  return {
    put: (list) =>
      step(() => {
        for (const entry of list as readonly (NewEntry & Partial<Entry>)[]) {
          const key = entry.key ?? ++disk.lastKey
          // IndexedDB and the file write the entry under its key, also when it was removed.
          disk.entries.set(key, { ...entry, key })
        }
      }),
    first: (count) => step(() => [...disk.entries.values()].sort((a, b) => a.key - b.key).slice(0, count)),
    remove: (keys) =>
      step(() => {
        for (const key of keys) disk.entries.delete(key)
      }),
    exclusive: (run) => run(),
    close: async () => undefined,
  }
}

const treatments = fc.constantFrom<Treatment>('ok', 'down', 'lost', 'busy', 'large', 'denied', 'foreign')
const optOutAt = fc.option(fc.nat(4), { nil: -1, freq: 2 })
const lives = fc.array(
  fc.record({
    /** How many events are tracked between the requests. */
    events: fc.array(fc.boolean(), { minLength: 1, maxLength: 12 }),
    dieAt: fc.integer({ min: 0, max: 25 }),
    isAfter: fc.boolean(),
    plan: fc.array(treatments, { maxLength: 8 }),
    /** During which request the user opts out, until the next life. */
    optOutAt,
  }),
  { minLength: 1, maxLength: 4 },
)

async function play(
  plan: readonly LifePlan[],
  maxQueuedBytes: number,
): Promise<{
  readonly resolved: ReadonlySet<string>
  readonly applied: ReadonlySet<string>
  readonly unanswered: ReadonlySet<string>
  readonly rejected: readonly string[]
  readonly dropped: readonly string[]
  readonly left: number
  /** Requests that began after the user had opted out. */
  readonly forbidden: number
}> {
  const disk: Disk = { entries: new Map(), lastKey: 0 }
  const resolved = new Set<string>()
  const applied = new Set<string>()
  const unanswered = new Set<string>()
  const rejected: string[] = []
  const dropped: string[] = []
  let number = 0
  let now = startMs
  let left = -1
  let kept = '{"user":"u"}'
  let forbidden = 0
  const last: LifePlan = { events: [], dieAt: Infinity, isAfter: false, plan: [], optOutAt: -1 }
  for (const [index, { events, dieAt, isAfter, plan: steps, optOutAt }] of [...plan, last].entries()) {
    const life = { steps: 0, dieAt, isAfter, dead: false }
    const requests = [...steps]
    let requestCount = 0
    const timers: { readonly at: number; readonly run: () => void }[] = []
    const client = createClient(
      {
        ...{ ingestUrl: 'http://x', maxBatchEvents: 3, maxQueuedBytes, initialRetryMs: 10, maxRetryMs: 40 },
        flushIntervalMs: 10,
        onRejected: ({ event }) => {
          if (!life.dead) rejected.push(event.eventId)
        },
        onDropped: ({ event }) => {
          if (!life.dead) dropped.push(event.eventId)
        },
      },
      {
        async fetch(_, init) {
          const { engagements } = JSON.parse(init.body as string) as Call['body']
          if (life.dead) return new Promise<never>(() => undefined)
          if (kept.includes('false')) forbidden++
          if (requestCount++ === optOutAt) void client.optOut()
          const treatment = requests.shift() ?? 'ok'
          await Promise.resolve()
          if (treatment === 'down') throw new TypeError('down')
          if (treatment === 'busy') return json(503, {})
          if (treatment === 'denied') return json(403, { error: { code: 'KEY_UNKNOWN', field: '', message: '' } })
          if (treatment === 'foreign') return new Response('<html>', { status: 404 })
          if (treatment === 'large' && engagements.length > 1) return json(413, {})
          for (const { eventId } of engagements) {
            unanswered.add(eventId)
            if (!eventId.endsWith('bad')) applied.add(eventId)
          }
          if (treatment === 'lost') throw new TypeError('cut')
          return json(202, {
            receipts: engagements.map(({ eventId: id }) =>
              id.endsWith('bad') ? { id, code: 'BAD', field: '', message: '' } : { id, token: 't' },
            ),
          })
        },
        now: () => now,
        after(ms, run) {
          const timer = { at: now + ms, run }
          timers.push(timer)
          return () => {
            if (timers.includes(timer)) timers.splice(timers.indexOf(timer), 1)
          }
        },
        random: () => 1,
        newEventId: () => `id${number++}`,
        page: null,
        kept: () => ({
          get: () => kept,
          set: (text) => {
            if (!life.dead) kept = text
          },
        }),
      },
      { store: storeOf(disk, life), defaultMaxBytes: 0 },
    )
    const pass = async (): Promise<void> => {
      await settled()
      now += 50
      for (const timer of timers.splice(0)) if (!life.dead) timer.run()
      await settled()
    }
    client.optIn()
    for (const isBad of events) {
      const eventId = `${index}-${number++}${isBad ? 'bad' : ''}`
      void client.click('p', { eventId }).then((id) => {
        // A dead process learns nothing.
        if (!life.dead) resolved.add(id)
      })
      if (number % 3 === 0) await pass()
      if (life.dead) break
    }
    for (let i = 0; i < 12 && !life.dead; i++) await pass()
    if (index === plan.length) ({ left } = await client.flush())
  }
  return { resolved, applied, unanswered, rejected, dropped, left, forbidden }
}

interface LifePlan {
  readonly events: readonly boolean[]
  readonly dieAt: number
  readonly isAfter: boolean
  readonly plan: readonly Treatment[]
  readonly optOutAt: number
}

describe('every event that was taken', () => {
  it('ends as accepted, rejected and reported, or dropped and reported, wherever its processes die', async () => {
    await fc.assert(
      fc.asyncProperty(lives, fc.constantFrom(1e6, 1_800), async (plan, maxQueuedBytes) => {
        const { resolved, applied, unanswered, rejected, dropped, left, forbidden } = await play(plan, maxQueuedBytes)
        expect({ left, forbidden }).toEqual({ left: 0, forbidden: 0 })
        for (const id of resolved)
          expect([id, applied.has(id) || rejected.includes(id) || dropped.includes(id)]).toEqual([id, true])
        // The server never accepts what it rejected.
        expect(rejected.filter((id) => applied.has(id) || !id.endsWith('bad'))).toEqual([])
        // What was dropped can only have been accepted by an answer that did not arrive.
        expect(dropped.filter((id) => applied.has(id) && !unanswered.has(id))).toEqual([])
        expect(dropped.filter((id) => rejected.includes(id))).toEqual([])
        if (maxQueuedBytes === 1e6 && plan.every(({ optOutAt }) => optOutAt < 0)) expect(dropped).toEqual([])
      }),
      { numRuns: 500 },
    )
  })

  it('has one ending and one report while its process lives', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.boolean(), { minLength: 1, maxLength: 30 }),
        fc.array(treatments, { maxLength: 12 }),
        optOutAt,
        async (events, steps, optOutAt) => {
          const plan = [
            { events, dieAt: Infinity, isAfter: false, plan: steps.filter((step) => step !== 'lost'), optOutAt },
          ]
          const { resolved, applied, rejected, dropped, forbidden } = await play(plan, 3_000)
          expect(forbidden).toBe(0)
          expect(resolved.size).toBe(events.length)
          const endings = [...applied, ...rejected, ...dropped].sort()
          expect(endings).toEqual([...resolved].sort())
        },
      ),
      { numRuns: 100 },
    )
  })
})
