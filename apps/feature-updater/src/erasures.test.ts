import { createVirtualClock } from '@freshet/adapters/memory/clock'
import { createMemoryEventLog } from '@freshet/adapters/memory/event-log'
import { createMemoryStateStore } from '@freshet/adapters/memory/state-store'
import { encodeUserErasure } from '@freshet/contracts/codecs/onward'
import type { LogBatch } from '@freshet/contracts/ports/event-log'
import { nothingElse, type StateStore } from '@freshet/contracts/ports/state-store'
import { servingPointer } from '@freshet/contracts/scopes'
import { topicLayouts, type TopicName } from '@freshet/contracts/topics'
import { asId, type UserId } from '@freshet/domain/ids'
import { describe, expect, it } from 'vitest'
import { updaterConfigOf } from './config.ts'
import { aRecord, noonMs } from './testing.ts'
import { createUpdater, type Updater } from './updater.ts'

const ann = asId<UserId>('ann')
const at = { topic: 'engagements.v1', partition: 0 }

/** A log and a store of one partition, on which a test plays the readers of several updaters. */
async function aWorld() {
  const clock = createVirtualClock(noonMs)
  const log = createMemoryEventLog({ clock })
  const store = createMemoryStateStore({ clock })
  await log.applyTopics(topicLayouts(1))
  const held: LogBatch[] = []
  const reader = await log.readAll({
    topics: ['engagements.v1', 'erasures.v1'],
    maxBatchRecords: 1,
    startAt: () => null,
    onError: (error) => {
      throw error
    },
    onBatch: (batch) => Promise.resolve(void held.push(batch)),
  })
  const anUpdater = (on: StateStore = store): Updater =>
    createUpdater({ log, store: on, clock, config: updaterConfigOf({}) })
  return {
    store,
    anUpdater,
    async batches(topic: TopicName, from = 0): Promise<readonly LogBatch[]> {
      await log.drain()
      return held.filter((batch) => batch.topic === topic && batch.from >= from)
    },
    happened: (minutes: number) =>
      log.append('engagements.v1', [aRecord({ userId: ann, occurredAtMs: noonMs + minutes * 60_000 })]),
    erase: (minutes: number) =>
      log.append('erasures.v1', [
        { key: ann, partition: null, value: encodeUserErasure({ userId: ann, erasedAtMs: noonMs + minutes * 60_000 }) },
      ]),
    stateOfAnn: async (scope = 'user.1') => (await store.read(scope, 0, [ann])).values[0] ?? null,
    stop: () => reader.stop(),
  }
}

describe('an erasure', () => {
  it('reaches what was folded before it was known and committed afterwards', async () => {
    const world = await aWorld()
    const committing = Promise.withResolvers<undefined>()
    const slow: StateStore = {
      ...world.store,
      commit: async (...change) => {
        await committing.promise
        return world.store.commit(...change)
      },
    }
    const updater = world.anUpdater(slow)
    await world.happened(0)
    await world.erase(1)
    const [first] = await world.batches('engagements.v1')
    const folding = updater.handleUserBatch(first!)
    for (const batch of await world.batches('erasures.v1')) await updater.handleErasureBatch(batch)
    expect(await world.batches('engagements.v1')).toHaveLength(1)
    committing.resolve(undefined)
    await folding
    expect(await world.stateOfAnn()).not.toBeNull()
    const tombstones = await world.batches('engagements.v1', first!.next)
    expect(tombstones).toHaveLength(1)
    for (const batch of tombstones) await updater.handleUserBatch(batch)
    expect(await world.stateOfAnn()).toBeNull()
    await world.stop()
  })

  it('reaches what the last owner of a partition folded without knowing of it', async () => {
    const world = await aWorld()
    const [late, next] = [world.anUpdater(), world.anUpdater()]
    await world.erase(1)
    for (const batch of await world.batches('erasures.v1')) await next.handleErasureBatch(batch)
    await world.happened(0)
    const [first] = await world.batches('engagements.v1')
    await late.handleUserBatch(first!)
    expect(await world.stateOfAnn()).not.toBeNull()

    await next.startAt(at)
    await world.happened(-1)
    for (const batch of await world.batches('engagements.v1', first!.next)) await next.handleUserBatch(batch)
    for (const batch of await world.batches('engagements.v1', first!.next + 1)) await next.handleUserBatch(batch)
    expect(await world.stateOfAnn()).toBeNull()
    await world.stop()
  })

  it('reaches a generation that was folded without knowing of it, when that one is switched to', async () => {
    const world = await aWorld()
    const updater = world.anUpdater()
    const foldFrom = async (position: number): Promise<number> => {
      const batches = await world.batches('engagements.v1', position)
      for (const batch of batches) await updater.handleUserBatch(batch)
      return batches.at(-1)?.next ?? position
    }
    await world.happened(0)
    const first = await foldFrom(0)
    const value = (await world.stateOfAnn()) ?? new Uint8Array(0)
    await world.erase(1)
    for (const batch of await world.batches('erasures.v1')) await updater.handleErasureBatch(batch)
    const afterTombstone = await foldFrom(first)
    // As a rebuild leaves it that had read the erasures before this one, and an old event after the tombstone.
    const { meta } = await world.store.readForFold({ ...nothingElse, scope: 'user.1', partition: 0 })
    await world.store.commit({
      scope: 'user.2',
      partition: 0,
      from: 0,
      next: afterTombstone,
      puts: [{ key: ann, value, ttlMs: 1_000_000 }],
      appends: [],
      deletes: [],
      meta: meta ?? new Uint8Array(0),
      remember: [],
    })
    await world.store.movePointer(servingPointer('user'), null, '2')
    await updater.refreshPointers()
    await world.happened(-1)
    await foldFrom(await foldFrom(afterTombstone))
    expect(await world.stateOfAnn('user.2')).toBeNull()
    await world.stop()
  })
})
