import { orderingSchema } from '@freshet/blender/ordering/config'
import type { GetFeedResponse } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { afterEach, expect, it } from 'vitest'
import { aWhole, type Act, type Whole } from './whole.fixture.ts'

const off = { creator: { most: 1_000 }, topic: { most: 1_000, mostAtStart: 1_000 } }
/** Of 120 pins, the first 60 were all saved to one board last, the others each to a board of its own. */
const onBigBoard = 60
const isOnBigBoard = (pinId: string): boolean => Number(pinId.slice(4)) < onBigBoard
const bigOf = ({ items }: GetFeedResponse): number => items.filter(({ pinId }) => isOnBigBoard(pinId)).length

let whole: Whole | null = null
afterEach(async () => {
  await whole?.stop()
  whole = null
})

/** More users took the pins of the big board, which somebody had saved to another board before. */
async function withBoards(caps: object): Promise<Whole> {
  const made = await aWhole({ blender: { ordering: orderingSchema.parse({ caps: { ...off, ...caps } }) } })
  await made.pins(Array.from({ length: 120 }, (_, n) => [`pin-${n}`, {}] as const))
  const saves = Array.from({ length: 120 }, (_, n): Act[] => {
    const on = `pin-${n}`
    const boardId = isOnBigBoard(on) ? 'big' : `own-${n}`
    const earlier: Act = { userId: `early-${n}`, action: 'save', on, boardId: `earlier-${n}` }
    const last: Act = { userId: `late-${n}`, action: 'save', on, boardId }
    return isOnBigBoard(on) ? [earlier, last, { userId: `click-${n}`, action: 'click', on }] : [last]
  })
  await made.act(...saves.flat())
  return made
}

it('a cap of boards holds from saves to the feed, on the first page and on the next, through the whole product', async () => {
  whole = await withBoards({})
  expect(bigOf(await whole.feed({ userId: 'newcomer', pageSize: 20 }))).toBeGreaterThan(10)
  await whole.stop()
  whole = await withBoards({ board: { most: 2, window: 20 } })
  const first = await whole.feed({ userId: 'newcomer', pageSize: 20 })
  const second = await whole.feed({ userId: 'newcomer', pageSize: 20, pageToken: first.nextPageToken })
  expect([first, second].map((page) => [page.items.length, bigOf(page)])).toEqual([
    [20, 2],
    [20, 2],
  ])
})
