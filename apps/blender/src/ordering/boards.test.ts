import { bytesOf } from '@freshet/contracts/bytes/columns'
import { describe, expect, test } from 'vitest'
import { aBlender, foundPins, manyPins, rankedPins } from '../blender.harness.ts'
import type { OrderingConfig } from './config.ts'
import { only } from './only-steps.fixture.ts'

const numberOf = (pinId: string) => Number(pinId.slice(4))
/** The best 60 of 120 pins are on one board, the next 40 on eight others, the last 20 on none. */
const boardOf = (pinId: string) => {
  const pin = numberOf(pinId)
  return pin >= 60 ? 77 : pin >= 20 ? 1 + (pin % 8) : 0
}

/** A blender whose candidate service knows boards, and answers them to requests that ask for them. */
async function withBoards(ordering: OrderingConfig) {
  const pins = manyPins(120)
  const blender = await aBlender({ pins, config: { ordering } })
  const { services, feed } = blender
  services.retrieve = (request) => {
    const found = foundPins(pins, request)
    return request.withBoards ? { ...found, boards: bytesOf(Uint32Array.from(found.pinIds, boardOf)) } : found
  }
  /** The boards of the pins of a session, page by page. */
  async function boardsOf(pages: number, pageSize: number): Promise<number[][]> {
    const boards: number[][] = []
    let pageToken = ''
    for (let page = 0; page < pages; page++) {
      const { items, nextPageToken } = await feed({ pageSize, pageToken })
      boards.push(items.map(({ pinId }) => boardOf(pinId)))
      pageToken = nextPageToken
    }
    return boards
  }
  return { ...blender, boardsOf }
}

const capped = only({
  caps: {
    board: { most: 2, window: 10 },
    creator: { most: 1_000 },
    topic: { most: 1_000, mostAtStart: 1_000 },
  },
})

describe('rules about boards', () => {
  test('caps hold on a first page, and on next pages, which come from the reserve; pins on no board are free', async () => {
    const { boardsOf, services } = await withBoards(capped)
    const pages = await boardsOf(3, 10)
    expect(services.retrieved).toHaveLength(1)
    for (const page of pages)
      for (const board of page)
        expect(page.filter((other) => other === board).length).toBeLessThanOrEqual(board === 0 ? 10 : 2)
    expect(pages.map((page) => page.filter((board) => board === 77).length)).toEqual([2, 2, 2])
  })

  test('spacing puts distance between pins of one board, on a first page and on a next page', async () => {
    const { boardsOf, services } = await withBoards(
      only({ spacing: { board: { weight: 3, window: 3 }, creator: { weight: 0 }, topic: { weight: 0 } } }),
    )
    services.rank = (request) => ({
      ...rankedPins(request),
      utilities: bytesOf(Float32Array.from(request.pinIds, (id) => 100 + (numberOf(id) % 60) / 2)),
    })
    const pages = await boardsOf(2, 10)
    expect(services.retrieved).toHaveLength(1)
    for (const page of pages) {
      expect(page).toContain(77)
      page.slice(1).forEach((board, place) => expect(board).not.toBe(page[place]))
    }
  })

  test('are off by default, and then the candidate service is not asked for boards', async () => {
    const plain = await withBoards(only({}))
    expect(await plain.boardsOf(1, 10)).toEqual([new Array(10).fill(77)])
    expect(plain.services.retrieved.map((request) => request.withBoards)).toEqual([false])
  })

  test('do not apply to related pins', async () => {
    const { related, services } = await withBoards(capped)
    const { items } = await related({ pageSize: 10 })
    expect(items.map(({ pinId }) => boardOf(pinId))).toEqual(new Array(10).fill(77))
    expect(services.retrieved.map((request) => request.withBoards)).toEqual([false])
  })

  test('do nothing while the candidate service does not know boards, and its wrong columns are an error', async () => {
    const { feed, services } = await withBoards(capped)
    services.retrieve = (request) => foundPins(manyPins(120), request)
    expect((await feed({ pageSize: 10 })).items.map(({ pinId }) => boardOf(pinId))).toEqual(new Array(10).fill(77))
    services.retrieve = (request) => ({ ...foundPins(manyPins(120), request), boards: bytesOf(Uint32Array.of(1)) })
    expect((await feed({ pageSize: 10, userId: 'bea' })).reasons).toContain('CALL_INTERNAL')
  })
})
