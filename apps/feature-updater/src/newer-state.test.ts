import { decodeUserState, encodeUserState } from '@freshet/contracts/codecs/user-state'
import { userFoldVersion } from '@freshet/contracts/codecs/user-tail'
import { PinState } from '@freshet/contracts/gen/freshet/state/v1/state'
import { encodePinState } from '@freshet/contracts/codecs/pin-state'
import { newPinState } from '@freshet/domain/pin-state'
import { defaultUserLimits, newUserState } from '@freshet/domain/user-state'
import { partitionOf } from '@freshet/domain/partition'
import { afterEach, describe, expect, it } from 'vitest'
import { aRecord, anEngagement, anUpdaterWorld, noonMs, type UpdaterWorld } from './testing.ts'
import { encodeEngagement } from '@freshet/contracts/codecs/engagement'
import { noHeaders } from '@freshet/contracts/headers'

let world: UpdaterWorld
afterEach(() => world.stop())

/** Stores a value of a newer fold, at position 1 of the key's partition. */
async function storeNewer(scope: string, key: string, value: Uint8Array): Promise<void> {
  await world.store.commit({
    scope,
    partition: partitionOf(key, world.partitions),
    from: 0,
    next: 1,
    puts: [{ key, value, ttlMs: null }],
    appends: [],
    deletes: [],
    meta: null,
    remember: [],
  })
}

const stored = async (scope: string, key: string) =>
  (await world.store.read(scope, partitionOf(key, world.partitions), [key])).values[0]

describe('an updater that meets state of a newer fold', () => {
  it('neither appends to nor overwrites the state of a user, is not ready, and reports what to do', async () => {
    world = await anUpdaterWorld({ start: false })
    const future = encodeUserState(newUserState, defaultUserLimits, userFoldVersion + 1)
    await storeNewer('user.1', 'u', future)
    const batch = {
      topic: 'engagements.v1',
      partition: partitionOf('u', world.partitions),
      from: 1,
      next: 2,
      end: 2,
      records: [
        {
          position: 1,
          key: 'u',
          value: encodeEngagement(anEngagement(), noonMs),
          appendedAtMs: noonMs,
          headers: noHeaders,
        },
      ],
    }
    await expect(world.updater.handleUserBatch(batch)).rejects.toMatchObject({ code: 'CODEC_NEWER' })
    expect(world.updater.notReady()).toMatch(/has fold 2; this version reads up to 1: update this process/)
    expect(await stored('user.1', 'u')).toEqual(future)
    expect(await world.records('pin-engagements.v1')).toEqual([])
  })

  it('does not overwrite the state of a pin', async () => {
    world = await anUpdaterWorld({ start: false })
    const future = PinState.encode({ ...PinState.decode(encodePinState(newPinState)), foldVersion: 2 }).finish()
    await world.log.append('engagements.v1', [aRecord()])
    await world.updater.start()
    await world.log.drain()
    const [sent] = await world.records('pin-engagements.v1')
    const partition = partitionOf('p', world.partitions)
    await world.store.commit({
      scope: 'pin.1',
      partition,
      from: 1,
      next: 2,
      puts: [{ key: 'p', value: future, ttlMs: null }],
      appends: [],
      deletes: [],
      meta: null,
      remember: [],
    })
    const batch = {
      topic: 'pin-engagements.v1',
      partition,
      from: 2,
      next: 3,
      end: 3,
      records: [{ ...sent!, position: 2 }],
    }
    await expect(world.updater.handlePinBatch(batch)).rejects.toMatchObject({ code: 'CODEC_NEWER' })
    expect(await stored('pin.1', 'p')).toEqual(future)
  })

  it('reads the values that it wrote itself', async () => {
    world = await anUpdaterWorld()
    await world.send(aRecord(), aRecord())
    const value = await stored('user.1', 'u')
    expect(decodeUserState(value!).recent.pinIds).toEqual(['p', 'p'])
  })
})
