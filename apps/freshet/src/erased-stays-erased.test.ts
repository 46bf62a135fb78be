import { decodeReceivedEngagement } from '@freshet/contracts/codecs/onward'
import { isUserMerge } from '@freshet/contracts/codecs/user-merge'
import { ingestSettings } from '@freshet/event-ingest/config'
import { createIngest, type Ingest } from '@freshet/event-ingest/ingest'
import { createSuppression } from '@freshet/event-ingest/suppression'
import { parseEngagementJson } from '@freshet/contracts/json/engagement'
import { formatTime } from '@freshet/contracts/json/time'
import { updaterConfigOf } from '@freshet/feature-updater/config'
import { rebuildState } from '@freshet/feature-updater/rebuild'
import { anUpdaterWorld } from '@freshet/feature-updater/testing'
import { createMetrics } from '@freshet/service/metrics'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'

const users = ['ann', 'bob', 'eve'] as const
const minuteMs = 60_000

/** What happens, in any order. `at`: which ingest gets it; only the first one knows of an erasure at once. */
type Op =
  | { readonly kind: 'engage'; readonly user: number; readonly agoMinutes: number; readonly at: number }
  | { readonly kind: 'erase'; readonly user: number; readonly at: number }
  | {
      readonly kind: 'merge'
      readonly from: number
      readonly into: number
      readonly agoMinutes: number
      readonly at: number
    }
  /** Everything that was ever posted is posted again, as an import or a client with a full queue does. */
  | { readonly kind: 'again'; readonly at: number }
  /** The other ingest hears of the erasures in the log. */
  | { readonly kind: 'hear' }
  | { readonly kind: 'rebuild' }

const user = fc.nat({ max: users.length - 1 })
const at = fc.nat({ max: 1 })
const agoMinutes = fc.integer({ min: 0, max: 300 })
const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('engage' as const), user, agoMinutes, at }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('erase' as const), user, at }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('merge' as const), from: user, into: user, agoMinutes, at }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('again' as const), at }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'hear' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'rebuild' as const }) },
)

describe('a user who was erased', () => {
  it('stays erased, whatever is replayed, rebuilt, merged, imported again or late', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(op, { minLength: 3, maxLength: 14 }), async (ops) => {
        const world = await anUpdaterWorld()
        const { clock, log, store } = world
        const lists = [createSuppression(1_000), createSuppression(1_000)] as const
        const ingests: readonly Ingest[] = lists.map((suppression) =>
          createIngest({
            log,
            clock,
            config: z.object(ingestSettings).parse({}),
            metrics: createMetrics(),
            report: () => undefined,
            suppression,
          }),
        )
        const erased = new Map<string, number>()
        /** Of each ingest: the erasures that it knows of. */
        const known = [new Map<string, number>(), new Map<string, number>()] as const
        const posted: (readonly [kind: 'engage' | 'merge', body: Record<string, string>, occurredAtMs: number])[] = []
        let generation = 1
        const rebuilt = async (): Promise<string> => {
          generation++
          await log.drain()
          await rebuildState({
            log,
            store,
            clock,
            config: updaterConfigOf(),
            family: 'user',
            generation: String(generation),
            signal: new AbortController().signal,
            onError: (error) => world.errors.push(error),
          })
          return String(generation)
        }
        try {
          const post = async ([kind, body, occurredAtMs]: (typeof posted)[number], to: number): Promise<void> => {
            const answer =
              kind === 'merge'
                ? await ingests[to]!.mergeUsers({ fromUserId: body['from']!, intoUserId: body['into']!, occurredAtMs })
                : await ingests[to]!.takeEngagements({
                    events: [body],
                    single: true,
                    bytes: 100,
                    clock: { sentAtMs: null, offsetMs: 0 },
                    read: parseEngagementJson,
                  })
            const ids = kind === 'merge' ? [body['from']!, body['into']!] : [body['userId']!]
            const isErased = ids.some((id) => occurredAtMs <= (known[to]!.get(id) ?? -1))
            expect(answer.kind === 'taken' && answer.receipts[0]).toMatchObject(
              isErased ? { code: 'USER_ERASED' } : { token: expect.any(String) as string },
            )
          }
          let id = 0
          for (const each of ops) {
            await clock.advance(minuteMs)
            const nowMs = clock.now()
            switch (each.kind) {
              case 'engage': {
                const occurredAtMs = nowMs - each.agoMinutes * minuteMs
                const event = {
                  eventId: `e${id++}`,
                  userId: users[each.user]!,
                  action: 'click',
                  pinId: 'p',
                  occurredAt: formatTime(occurredAtMs),
                }
                posted.push(['engage', event, occurredAtMs])
                await post(posted.at(-1), each.at)
                break
              }
              case 'merge': {
                if (each.from === each.into) break
                const body = { from: users[each.from]!, into: users[each.into]! }
                posted.push(['merge', body, nowMs - each.agoMinutes * minuteMs])
                await post(posted.at(-1), each.at)
                break
              }
              case 'erase': {
                const userId = users[each.user]!
                await ingests[each.at]!.eraseUser(userId)
                erased.set(userId, nowMs)
                known[each.at]!.set(userId, nowMs)
                break
              }
              case 'hear':
                for (const [userId, erasedAtMs] of erased)
                  for (const [to, list] of lists.entries()) {
                    list.note(userId, erasedAtMs)
                    known[to]!.set(userId, erasedAtMs)
                  }
                break
              case 'again':
                for (const event of posted) await post(event, each.at)
                break
              case 'rebuild':
                await rebuilt()
                break
            }
          }
          // The generation that serves, and one folded from the whole log now. Others are caught up before they serve.
          await log.drain()
          for (const from of ['1', await rebuilt()]) {
            for (const [userId, erasedAtMs] of erased) {
              const state = await world.user(userId, from)
              expect(state === null || state.firstAtMs > erasedAtMs, `${userId} in generation ${from}`).toBe(true)
            }
          }
        } finally {
          await world.stop()
        }
      }),
      { numRuns: 30 },
    )
  }, 60_000)

  it('leaves nothing new in the log from before the erasure, once ingest knows of it', async () => {
    const world = await anUpdaterWorld()
    const suppression = createSuppression(10)
    const ingest = createIngest({
      log: world.log,
      clock: world.clock,
      config: z.object(ingestSettings).parse({}),
      metrics: createMetrics(),
      report: () => undefined,
      suppression,
    })
    const engage = (eventId: string, occurredAtMs: number) =>
      ingest.takeEngagements({
        events: [{ eventId, userId: 'ann', action: 'click', pinId: 'p', occurredAt: formatTime(occurredAtMs) }],
        single: true,
        bytes: 100,
        clock: { sentAtMs: null, offsetMs: 0 },
        read: parseEngagementJson,
      })
    const beforeMs = world.clock.now()
    await world.clock.advance(minuteMs)
    await ingest.eraseUser('ann')
    expect((await engage('late', beforeMs)).kind === 'taken').toBe(true)
    await world.clock.advance(minuteMs)
    // Who comes back is a new user.
    await engage('new', world.clock.now())
    const events = (await world.records('engagements.v1')).flatMap(({ value }) =>
      value === null || isUserMerge(value) ? [] : [decodeReceivedEngagement(value).engagement.eventId as string],
    )
    expect(events).toEqual(['new'])
    await world.stop()
  })

  it('is remembered up to the limit of the list, and the list says when it is full', () => {
    const list = createSuppression(2)
    for (const [index, id] of ['a', 'b', 'c'].entries()) list.note(id, index)
    expect([list.size(), list.full(), list.erasedAtMs('b'), list.erasedAtMs('c')]).toEqual([2, true, 1, null])
    list.note('a', 9)
    expect(list.erasedAtMs('a')).toBe(9)
  })
})
