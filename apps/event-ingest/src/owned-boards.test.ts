import { createMemoryEventLog } from '@freshet/adapters/memory/event-log'
import { createVirtualClock } from '@freshet/adapters/memory/clock'
import { decodeBoardChange } from '@freshet/contracts/codecs/board'
import { Board } from '@freshet/contracts/gen/freshet/catalogue/v1/catalogue'
import { parseBoardJson } from '@freshet/contracts/json/entry'
import { readToEnd } from '@freshet/contracts/read-to-end'
import { topicLayouts } from '@freshet/contracts/topics'
import type { BoardChange } from '@freshet/domain/board'
import { createMetrics } from '@freshet/service/metrics'
import { silentReport } from '@freshet/service/reporting'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ingestSettings } from './config.ts'
import { createIngest } from './ingest.ts'
import { parseBoardMessage } from './messages.ts'
import { createSuppression } from './suppression.ts'

const atMs = Date.UTC(2026, 0, 1)

async function aWorld(pseudonymOf = (userId: string): string => userId) {
  const clock = createVirtualClock(atMs)
  const log = createMemoryEventLog({ clock })
  await log.applyTopics(topicLayouts(1))
  const suppression = createSuppression(10)
  const config = z.object(ingestSettings).parse({})
  const metrics = createMetrics()
  const ingest = createIngest({ log, clock, config, metrics, report: silentReport, suppression, pseudonymOf })
  const receiptsOf = async (events: readonly unknown[], read: typeof parseBoardJson) => {
    const answer = await ingest.takeBoards({ events, read, single: false, bytes: 0 })
    return answer.kind === 'taken' ? answer.receipts : answer.problem
  }
  return {
    ingest,
    json: (...events: readonly object[]) => receiptsOf(events, parseBoardJson),
    messages: (...events: readonly Partial<Board>[]) => receiptsOf(events.map(Board.fromPartial), parseBoardMessage),
    async boards(): Promise<BoardChange[]> {
      const found: BoardChange[] = []
      const onError = (error: Error): never => {
        throw error
      }
      await readToEnd({
        ...{ log, topic: 'boards.v1', maxBatchRecords: 10, onError },
        onRecords: (_, records) => found.push(...records.map(({ key, value }) => decodeBoardChange(key, value))),
      })
      return found
    },
  }
}

const accepted = { token: expect.any(String) as string }

describe('owner and title of a board', () => {
  it('reach the log from JSON and from messages alike, and a removal has neither', async () => {
    const { json, messages, boards } = await aWorld()
    const all = [
      { boardId: 'Küche & Bad', title: 'Küche & Bad', ownerId: 'ann', version: 2 },
      { boardId: 'b', secret: true },
      { boardId: 'c', title: '' },
      { boardId: 'd', title: 'x', ownerId: 'ann', deleted: true, version: 3 },
    ]
    const expected = [
      { boardId: 'Küche & Bad', isSecret: false, title: 'Küche & Bad', ownerId: 'ann' },
      { boardId: 'b', isSecret: true, title: '', ownerId: null },
      { boardId: 'c', isSecret: false, title: '', ownerId: null },
    ]
    expect(await json(...all)).toMatchObject(all.map(() => accepted))
    expect(await messages(...all)).toMatchObject(all.map(() => accepted))
    const changes = [
      { kind: 'upsert', board: expected[0], version: 2 },
      ...expected.slice(1).map((board) => ({ kind: 'upsert', board })),
      { kind: 'delete', boardId: 'd', version: 3 },
    ]
    expect(await boards()).toEqual([...changes, ...changes])
  })

  it('are named when they are wrong', async () => {
    const { json, messages, boards } = await aWorld()
    const wrong = [
      { boardId: 'a', title: 't'.repeat(201) },
      { boardId: 'b', ownerId: 'a b' },
      { boardId: 'c', ownerId: 'o'.repeat(129) },
    ]
    const problems = [
      { field: 'boards[0].title', code: 'EVENT_TEXT_INVALID' },
      { field: 'boards[1].ownerId', code: 'EVENT_ID_INVALID' },
      { field: 'boards[2].ownerId', code: 'EVENT_ID_INVALID' },
    ]
    expect(await json(...wrong)).toMatchObject(problems)
    expect(await messages(...wrong)).toMatchObject(problems)
    expect(await messages({ boardId: 'a', ownerId: 'x\ufffd' })).toMatchObject([{ field: 'boards[0].ownerId' }])
    expect(await json({ boardId: 'a', ownerId: null }, { boardId: 'a', ownerId: '' })).toMatchObject([
      { field: 'boards[0].ownerId', code: 'EVENT_FIELD_TYPE' },
      { field: 'boards[1].ownerId', code: 'EVENT_FIELD_MISSING' },
    ])
    expect(await boards()).toEqual([])
  })

  it('are refused of a user who was erased, and the board without them, its removal and other owners are not', async () => {
    const { ingest, json, messages, boards } = await aWorld()
    await ingest.eraseUser('ann')
    const refused = { code: 'USER_ERASED', field: 'boards[0].ownerId' }
    expect(await json({ boardId: 'a', title: 'of Ann', ownerId: 'ann', version: 9 })).toMatchObject([refused])
    expect(await messages({ boardId: 'a', title: 'of Ann', ownerId: 'ann' })).toMatchObject([refused])
    const others = [
      { boardId: 'a', version: 9 },
      { boardId: 'b', ownerId: 'bob' },
      { boardId: 'c', ownerId: 'ann', deleted: true },
    ]
    expect(await json(...others)).toMatchObject([accepted, accepted, accepted])
    expect(JSON.stringify(await boards())).not.toMatch(/ann/i)
  })

  it('have the owner under its pseudonym, by which an erasure finds it too', async () => {
    const { ingest, json, boards } = await aWorld((userId) => `~${userId}`)
    await json({ boardId: 'a', ownerId: 'ann' }, { boardId: 'b' })
    expect(await boards()).toMatchObject([{ board: { ownerId: '~ann' } }, { board: { ownerId: null } }])
    await ingest.eraseUser('ann')
    expect(await json({ boardId: 'a', ownerId: 'ann' })).toMatchObject([{ code: 'USER_ERASED' }])
  })
})
