import { encodeBoardChange } from '@freshet/contracts/codecs/board'
import { encodeUserErasure } from '@freshet/contracts/codecs/onward'
import { encodeMergeRequest } from '@freshet/contracts/codecs/user-merge'
import { FeedServed } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import { exportInspection, exportUser, topicsOfUsers, type HeldOnUser } from '@freshet/contracts/inspection/export-user'
import { topics } from '@freshet/contracts/topics'
import { asId, type BoardId, type UserId } from '@freshet/domain/ids'
import { aRecord, anUpdaterWorld, noonMs, type UpdaterWorld } from '@freshet/feature-updater/testing'
import { afterEach, describe, expect, it } from 'vitest'

const ann = asId<UserId>('ann')
let world: UpdaterWorld
afterEach(() => world.stop())

/** The memory log hands records out when it is drained. */
async function drained<T>(work: Promise<T>): Promise<T> {
  let over = false
  const done = work.finally(() => (over = true))
  while (!over) {
    await world.log.drain()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return done
}

async function exported(userId: string): Promise<readonly HeldOnUser[]> {
  const held: HeldOnUser[] = []
  await drained(exportUser(userId, world, (one) => held.push(one)))
  return held
}

describe('the export of a user', () => {
  it('reads every topic that is kept by user', async () => {
    world = await anUpdaterWorld()
    const byUser = Object.entries(topics).filter(([, { key }]) => key === 'user id')
    expect([...topicsOfUsers].sort()).toEqual(byUser.map(([name]) => name).sort())
  })

  it('has events, merges, feeds, erasures, unreadable records and state, and nothing of others', async () => {
    world = await anUpdaterWorld()
    const mergeOf = (fromUserId: string) => ({
      key: fromUserId,
      partition: null,
      value: encodeMergeRequest({ fromUserId, intoUserId: 'zoe', occurredAtMs: noonMs, receivedAtMs: noonMs }),
    })
    await world.send(aRecord({ userId: ann }), aRecord({ userId: asId<UserId>('bob') }))
    const feed = FeedServed.encode(FeedServed.fromPartial({ feedId: 'f1', userId: ann, atMs: noonMs })).finish()
    await world.log.append('feeds-served.v1', [{ key: ann, value: feed, partition: null }])
    await world.log.append('dead-letters.v1', [{ key: ann, value: Uint8Array.of(255, 255), partition: null }])
    const before = await exported(ann)
    expect(before.map(({ from }) => from)).toEqual(['engagements.v1', 'feeds-served.v1', 'dead-letters.v1', 'user.1'])
    expect(JSON.stringify(before)).toContain('f1')
    expect(JSON.stringify(before)).not.toContain('bob')
    await world.send(mergeOf('ann'))
    expect(JSON.stringify((await exported(ann)).filter(({ from }) => from === 'engagements.v1'))).toContain('zoe')
    expect(await exported('nobody')).toEqual([])
  })

  it('has the boards that the user owns, and no others', async () => {
    world = await anUpdaterWorld()
    for (const [id, ownerId] of [
      ['b1', ann],
      ['b2', asId<UserId>('bob')],
      ['b3', null],
    ] as const) {
      const board = { boardId: asId<BoardId>(id), isSecret: true, title: `title of ${id}`, ownerId }
      const value = encodeBoardChange({ kind: 'upsert', board, version: 3 })
      await world.log.append('boards.v1', [{ key: id, value, partition: null }])
    }
    const held = await exported(ann)
    expect(held).toMatchObject([{ from: 'boards.v1', held: { board: { boardId: 'b1', title: 'title of b1' } } }])
  })

  it('still has what an erasure has left in the log, and no state', async () => {
    world = await anUpdaterWorld()
    await world.send(aRecord({ userId: ann }))
    const value = encodeUserErasure({ userId: ann, erasedAtMs: noonMs + 1 })
    await world.log.append('erasures.v1', [{ key: ann, value, partition: null }])
    await world.log.drain()
    const held = await exported(ann)
    expect(held.map(({ from }) => from)).toEqual(['engagements.v1', 'engagements.v1', 'erasures.v1'])
    expect(held[1]?.held).toEqual({ tombstone: true })
  })

  it('is one object on the operations port, which says whether it is complete', async () => {
    world = await anUpdaterWorld()
    await world.send(aRecord({ userId: ann }))
    const route = exportInspection(world)
    const signal = AbortSignal.timeout(10_000)
    expect(await drained(route.answer('ann', {}, signal))).toMatchObject({ userId: 'ann', complete: true })
    await expect(route.answer('', {}, signal)).rejects.toMatchObject({ code: 'CALL_INVALID_ARGUMENT' })
  })
})
