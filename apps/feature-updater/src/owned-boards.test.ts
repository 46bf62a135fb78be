import { createVirtualClock } from '@freshet/adapters/memory/clock'
import { createMemoryEventLog, type MemoryEventLog } from '@freshet/adapters/memory/event-log'
import { createMemoryStateStore } from '@freshet/adapters/memory/state-store'
import { decodeBoardChange, encodeBoardChange } from '@freshet/contracts/codecs/board'
import { encodeUserErasure } from '@freshet/contracts/codecs/onward'
import { userInspection } from '@freshet/contracts/inspection/routes'
import type { EventLog, LogRecord } from '@freshet/contracts/ports/event-log'
import type { StateStore } from '@freshet/contracts/ports/state-store'
import { readToEnd } from '@freshet/contracts/read-to-end'
import { topicLayouts } from '@freshet/contracts/topics'
import { withoutOwner, type BoardChange } from '@freshet/domain/board'
import { asId, type BoardId, type UserId } from '@freshet/domain/ids'
import { nextPinStamp, type PinStamp } from '@freshet/domain/pin-version'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { storedBoardTitles } from './board-titles.ts'
import { createCatalogueKeeper } from './catalogue-keeper.ts'
import { updaterConfigOf } from './config.ts'
import { aRecord, noonMs } from './testing.ts'
import { createUpdater } from './updater.ts'

const errors: Error[] = []
const onError = (error: Error): void => void errors.push(error)

interface Replica {
  stop(): Promise<void>
}

async function aWorld() {
  errors.length = 0
  const clock = createVirtualClock(noonMs)
  const log = createMemoryEventLog({ clock })
  const store = createMemoryStateStore({ clock })
  await log.applyTopics(topicLayouts(2))
  return {
    log,
    store,
    clock,
    /** An updater with its keeper, as `main.ts` starts them. `on`: the log, as this replica sees it. */
    async start(on: EventLog = log): Promise<Replica> {
      const config = updaterConfigOf({ updater: { canaryEveryMs: 0, logCheckMs: 0 } })
      const updater = createUpdater({ log: on, store, clock, config, onError })
      const { ownedBoards } = updater
      const keeper = createCatalogueKeeper({ log: on, store, ownedBoards, group: 'g', maxBatchRecords: 3, onError })
      await updater.start()
      await keeper.start()
      return {
        async stop() {
          await keeper.stop()
          await updater.stop()
        },
      }
    },
    send: (change: BoardChange) => {
      const key = change.kind === 'delete' ? change.boardId : change.board.boardId
      return log.append('boards.v1', [{ key, value: encodeBoardChange(change), partition: null }])
    },
    erase: (userId: string) =>
      log.append('erasures.v1', [
        {
          ...{ key: userId, partition: null },
          value: encodeUserErasure({ userId: asId<UserId>(userId), erasedAtMs: noonMs }),
        },
      ]),
  }
}

function aBoard(id: string, ownerId: string | null, more: { title?: string; isSecret?: boolean } = {}) {
  return {
    boardId: asId<BoardId>(id),
    ownerId: ownerId === null ? null : asId<UserId>(ownerId),
    title: `of ${ownerId}`,
    isSecret: false,
    ...more,
  }
}

async function records(log: MemoryEventLog): Promise<LogRecord[]> {
  const found: LogRecord[] = []
  await readToEnd({
    ...{ log, topic: 'boards.v1', maxBatchRecords: 100, onError },
    onRecords: (_, more) => found.push(...more),
  })
  return found
}

/** What compaction leaves: the last change of each board. */
async function compacted(log: MemoryEventLog): Promise<Record<string, BoardChange>> {
  const last = (await records(log)).map(({ key, value }) => [key, decodeBoardChange(key, value)] as const)
  return Object.fromEntries(last)
}

/** What the keeper stores of boards. */
async function stored(store: StateStore): Promise<Record<string, BoardChange>> {
  const tag = await store.pointer('boards-log')
  const found: Record<string, BoardChange> = {}
  for (const partition of [0, 1])
    for await (const page of store.scan(`catalogue.boards-${tag}`, partition))
      for (const { key, value } of page) found[key] = decodeBoardChange(key, value)
  return found
}

const users = ['ann', 'bob'] as const
const op = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('board' as const),
      id: fc.constantFrom('a', 'b'),
      owner: fc.constantFrom(...users, null),
      version: fc.option(fc.integer({ min: 1, max: 4 })),
      isSecret: fc.boolean(),
      isDeleted: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('erase' as const), owner: fc.constantFrom(...users) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'drain' as const }) },
)

describe('the boards of an erased user', () => {
  it('lose owner and title in the topic and in the store of the keeper, whatever comes late, and all other changes count as before', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(op, { minLength: 3, maxLength: 14 }), async (ops) => {
        const { log, store, start, send, erase } = await aWorld()
        let replica = await start()
        const law = new Map<string, { stamp: PinStamp; change: BoardChange }>()
        const erased = new Set<string>()
        for (const each of ops) {
          if (each.kind === 'erase') {
            erased.add(each.owner)
            await erase(each.owner)
          } else if (each.kind === 'board') {
            const { id, owner, version, isSecret, isDeleted } = each
            const versioned = version === null ? {} : { version }
            // The same version is the same entry, as when a message comes again.
            const board = version === null ? aBoard(id, owner, { isSecret }) : aBoard(id, users[version % 2]!)
            const change: BoardChange = isDeleted
              ? { kind: 'delete', boardId: board.boardId, ...versioned }
              : { kind: 'upsert', board, ...versioned }
            const stamp = nextPinStamp(law.get(id)?.stamp ?? null, { version, isDeleted })
            if (stamp !== null) law.set(id, { stamp, change })
            await send(change)
          } else if (each.kind === 'drain') await log.drain()
          else {
            await replica.stop()
            replica = await start()
          }
        }
        await log.drain()
        await replica.stop()
        const shown = (change: BoardChange) => {
          if (change.kind === 'delete') return 'deleted'
          const owner = change.board.ownerId
          const { board } = (owner !== null && erased.has(owner) ? withoutOwner(change) : change) as typeof change
          return [board, change.version]
        }
        const expected = Object.fromEntries([...law].map(([id, { change }]) => [id, shown(change)]))
        const isNamed = ([, change]: [string, BoardChange]) =>
          change.kind === 'upsert' && change.board.ownerId !== null && erased.has(change.board.ownerId)
        const [last, kept] = [await compacted(log), await stored(store)]
        expect(Object.entries(last).filter(isNamed)).toEqual([])
        expect(Object.entries(kept).filter(isNamed)).toEqual([])
        expect(Object.fromEntries(Object.entries(last).map(([id, change]) => [id, shown(change)]))).toEqual(expected)
        expect(errors.filter(({ message }) => message !== 'the reader was stopped')).toEqual([])
      }),
      { numRuns: 100 },
    )
  }, 60_000)

  it('are blanked at the next start, if the process was killed before it had done that', async () => {
    const { log, start, send, erase } = await aWorld()
    await send({ kind: 'upsert', board: aBoard('a', 'ann', { isSecret: true }) })
    await send({ kind: 'upsert', board: aBoard('b', 'bob'), version: 7 })
    await erase('ann')
    const replica = await start()
    await log.drain()
    await replica.stop()
    expect(await compacted(log)).toEqual({
      a: { kind: 'upsert', board: { boardId: 'a', ownerId: null, title: '', isSecret: true } },
      b: { kind: 'upsert', board: aBoard('b', 'bob'), version: 7 },
    })
  })

  it('have their titles in the state of users until their owner is erased, and no others have', async () => {
    const { log, store, clock, start, send, erase } = await aWorld()
    const titles = async () => Object.fromEntries(await storedBoardTitles({ log, store })(['a', 'b', 'c', 'd', 'none']))
    expect(await titles()).toEqual({})
    const replica = await start()
    const save = { userId: asId<UserId>('bob'), action: 'save', boardId: asId<BoardId>('c') } as const
    await log.append('engagements.v1', [aRecord(save)])
    await send({ kind: 'upsert', board: aBoard('a', 'ann'), version: 1 })
    await send({ kind: 'upsert', board: aBoard('b', 'bob', { title: '' }), version: 1 })
    await send({ kind: 'upsert', board: aBoard('c', null, { title: 'Kitchen' }), version: 1 })
    await send({ kind: 'upsert', board: aBoard('d', null), version: 1 })
    await send({ kind: 'delete', boardId: asId<BoardId>('d'), version: 2 })
    await log.drain()
    expect(await titles()).toEqual({ a: 'of ann', c: 'Kitchen' })
    const shown = userInspection({ log, store, clock, titlesOf: storedBoardTitles({ log, store }) })
    expect(await shown.answer('bob', {}, AbortSignal.timeout(5_000))).toMatchObject({
      boards: [{ boardId: 'c', title: 'Kitchen' }],
    })
    await erase('ann')
    await log.drain()
    expect(await titles()).toEqual({ c: 'Kitchen' })
    await replica.stop()
  })

  it('keep a change without a version that comes while they are blanked', async () => {
    const { log, start, send, erase } = await aWorld()
    await send({ kind: 'upsert', board: aBoard('a', 'ann') })
    let isFirst = true
    const replica = await start({
      ...log,
      async append(topic, ...rest) {
        if (topic === 'boards.v1' && isFirst) {
          isFirst = false
          await send({ kind: 'upsert', board: aBoard('a', null, { title: 'new', isSecret: true }) })
        }
        return log.append(topic, ...rest)
      },
    })
    await erase('ann')
    await log.drain()
    await replica.stop()
    expect(await compacted(log)).toEqual({
      a: { kind: 'upsert', board: aBoard('a', null, { title: 'new', isSecret: true }) },
    })
  })
})
