import {
  Freshness,
  GetFeedRequest,
  GetPinsRequest,
  type GetFeedResponse,
} from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { parseBoardJson, parseCreatorJson } from '@freshet/contracts/json/entry'
import type { EventLog } from '@freshet/contracts/ports/event-log'
import { nextPinStamp, type PinStamp } from '@freshet/domain/pin-version'
import { ingestSettings } from '@freshet/event-ingest/config'
import { createIngest, type Answer, type Ingest } from '@freshet/event-ingest/ingest'
import { createMetrics } from '@freshet/service/metrics'
import { silentReport } from '@freshet/service/reporting'
import fc from 'fast-check'
import { afterEach, expect, it } from 'vitest'
import { z } from 'zod'
import { aCreator, aWhole, type Whole } from './whole.fixture.ts'

let whole: Whole | null = null
afterEach(async () => {
  await whole?.stop()
  whole = null
})

interface Catalogue extends Whole {
  /** Posts changes as a server does; resolves to the tokens once all services have them. */
  creators(...changes: readonly object[]): Promise<string[]>
  boards(...changes: readonly object[]): Promise<string[]>
}

/** Ten pins of two creators, and an ingest. */
async function aCatalogue(): Promise<Catalogue> {
  let log: EventLog | null = null
  const made = await aWhole({}, (seen) => (log = seen))
  whole = made
  await made.pins(
    Array.from({ length: 10 }, (_, n) => [`pin-${n}`, { creatorId: aCreator(n < 5 ? 'cara' : 'dan') }] as const),
  )
  const ingest: Ingest = createIngest({
    log: log!,
    clock: { now: made.now, sleep: () => new Promise<void>(() => {}) },
    config: z.object(ingestSettings).parse({}),
    metrics: createMetrics(),
    report: silentReport,
  })
  const tokensOf = async (answer: Promise<Answer>): Promise<string[]> => {
    const taken = await answer
    await made.act()
    if (taken.kind === 'refused') throw new Error(taken.problem.message)
    return taken.receipts.map((receipt) => ('token' in receipt ? receipt.token : receipt.message))
  }
  return {
    ...made,
    creators: (...events) => tokensOf(ingest.takeCreators({ events, read: parseCreatorJson, single: false, bytes: 0 })),
    boards: (...events) => tokensOf(ingest.takeBoards({ events, read: parseBoardJson, single: false, bytes: 0 })),
  }
}

const idsOf = ({ items }: GetFeedResponse): string[] => items.map(({ pinId }) => pinId)
const ofCara = ['pin-0', 'pin-1', 'pin-2', 'pin-3', 'pin-4']
const dry = { evaluation: GetFeedRequest.fromPartial({ evaluation: { dryRun: true } }).evaluation! }
const feedOf = async (made: Whole, more: object = {}): Promise<string[]> =>
  idsOf(await made.feed({ ...dry, ...more })).toSorted()
const cardOf = (made: Whole, pinId: string) =>
  made.embedded.blender.getPins(GetPinsRequest.fromPartial({ pinIds: [pinId] }), { timeoutMs: 500 })

it('pins of a suspended creator are gone everywhere at once, and come back when that is lifted', async () => {
  const made = await aCatalogue()
  await made.creators({ creatorId: 'cara', name: 'Cara', imageUrl: 'https://img.example/cara', version: 1 })
  expect(await feedOf(made)).toHaveLength(10)
  expect((await cardOf(made, 'pin-1')).pins).toMatchObject([
    { creatorName: 'Cara', creatorImageUrl: 'https://img.example/cara' },
  ])

  const [token] = await made.creators({ creatorId: 'cara', suspended: true, version: 2 })
  const feed = await made.feed({ ...dry, after: [token!] })
  expect(feed.freshness).toBe(Freshness.CURRENT)
  expect(idsOf(feed).toSorted()).toEqual(['pin-5', 'pin-6', 'pin-7', 'pin-8', 'pin-9'])
  const related = await made.related({ pinId: 'pin-9', userId: 'bob' })
  expect(related.items.filter(({ pinId }) => ofCara.includes(pinId))).toEqual([])
  expect((await cardOf(made, 'pin-1')).missing).toEqual([{ pinId: 'pin-1', reason: 'suspended-creator' }])

  // Also pins that come later, and a message that comes late.
  await made.pins([['pin-new', { creatorId: aCreator('cara') }]])
  await made.creators({ creatorId: 'cara', name: 'Cara', version: 1 })
  expect(await feedOf(made)).toHaveLength(5)

  await made.creators({ creatorId: 'cara', name: 'Cara again', version: 3 })
  expect(await feedOf(made)).toHaveLength(11)
  expect((await cardOf(made, 'pin-new')).pins).toMatchObject([{ creatorName: 'Cara again' }])
})

it('a deleted creator stays deleted whatever comes late: the version law, seen in the feed', async () => {
  const change = fc.record({ version: fc.option(fc.integer({ min: 1, max: 3 })), isDeleted: fc.boolean() })
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 6 }), async (changes) => {
      const made = await aCatalogue()
      let stamp: PinStamp | null = null
      for (const { version, isDeleted } of changes) {
        stamp = nextPinStamp(stamp, { version, isDeleted }) ?? stamp
        await made.creators({ creatorId: 'cara', deleted: isDeleted, ...(version !== null && { version }) })
      }
      expect(await feedOf(made)).toHaveLength(stamp!.isDeleted ? 5 : 10)
      await made.stop()
    }),
    { numRuns: 25 },
  )
}, 60_000)

it('the candidate service finds no pin of a suspended creator, so that a feed is full without them', async () => {
  const made = await aCatalogue()
  await made.creators({ creatorId: 'cara', suspended: true })
  const { stages } = await made.feed({ ...dry, explain: true })
  const removed = stages.flatMap(({ removed: byReason }) => Object.entries(byReason))
  expect(removed.filter(([reason]) => reason === 'suspended-creator')).toEqual([])
  expect(made.embedded.candidates.stats().pins).toBe(5)
})

it('a secret or deleted board links no pins, before and after the change, and an open one does again', async () => {
  const made = await aCatalogue()
  const save = (userId: string, ...pins: number[]) =>
    made.act(...pins.map((n) => ({ userId, action: 'save' as const, on: `pin-${n}`, boardId: 'b' })))
  const onBoard = (): Promise<string[]> => feedOf(made, { userId: 'bob', filter: { boardIds: ['b'] } })
  await save('u1', 1, 2)
  expect(await onBoard()).toEqual(['pin-1', 'pin-2'])
  await made.boards({ boardId: 'b', secret: true, version: 1 })
  await save('u2', 3)
  expect(await onBoard()).toEqual([])
  await made.boards({ boardId: 'b', version: 2 })
  await save('u3', 4)
  expect(await onBoard()).toEqual(['pin-4'])
  await made.boards({ boardId: 'b', deleted: true, version: 3 }, { boardId: 'b', version: 2 })
  expect(await onBoard()).toEqual([])
})
