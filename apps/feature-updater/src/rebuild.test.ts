import { setImmediate as turn } from 'node:timers/promises'
import { encodeUserErasure } from '@freshet/contracts/codecs/onward'
import type { StateStore } from '@freshet/contracts/ports/state-store'
import { asId, type PinId, type UserId } from '@freshet/domain/ids'
import { partitionOf } from '@freshet/domain/partition'
import { afterEach, describe, expect, it } from 'vitest'
import { updaterConfigOf } from './config.ts'
import { dropGeneration, servingGeneration, switchGeneration } from './generations.ts'
import { rebuildState, type RebuildReport } from './rebuild.ts'
import { aRecord, anUpdaterWorld, noonMs, type UpdaterWorld } from './testing.ts'

let world: UpdaterWorld
afterEach(() => world.stop())

const never = new AbortController().signal

function someRecords(count: number, from = 0) {
  return Array.from({ length: count }, (_, i) =>
    aRecord({
      userId: asId<UserId>(`u${(from + i) % 13}`),
      subject: { kind: 'pin', pinId: asId<PinId>(`p${(from + i) % 7}`) },
      action: (['impression', 'click', 'save', 'hide'] as const)[i % 4]!,
      occurredAtMs: noonMs + (from + i) * 1000,
    }),
  )
}

function rebuild(
  family: 'user' | 'pin',
  onProgress?: () => void,
  store: StateStore = world.store,
): Promise<RebuildReport> {
  return rebuildState({
    log: world.log,
    store,
    // As the system's clock has it: a sleep of 0 ms is a turn of the event loop.
    clock: { ...world.clock, sleep: (ms, signal) => (ms > 0 ? world.clock.sleep(ms, signal) : turn()) },
    config: updaterConfigOf({ updater: { maxBatchRecords: 7 } }),
    family,
    generation: null,
    signal: never,
    ...(onProgress === undefined ? {} : { onProgress }),
    onError: (error) => world.errors.push(error),
  })
}

describe('rebuild', () => {
  it.each(['user', 'pin'] as const)(
    'folds the log into a new generation of %s state, byte for byte the old one',
    async (family) => {
      world = await anUpdaterWorld()
      await world.send(...someRecords(200))
      const sentBefore = (await world.records('pin-engagements.v1')).length
      const report = await rebuild(family)
      expect(report).toMatchObject({ old: '1', fresh: '2', identical: true, different: 0, truncatedPartitions: [] })
      expect(report.compared).toBe(family === 'user' ? 13 : 7)
      expect(report.freshChecksum).toBe(report.oldChecksum)
      expect((await world.records('pin-engagements.v1')).length).toBe(sentBefore)
      expect(world.errors).toEqual([])
    },
  )

  it('ends where retention has left nothing of the log, and says of which partitions', async () => {
    world = await anUpdaterWorld({ updater: { generationPollMs: 0 } })
    await world.send(...someRecords(20))
    await world.clock.advance(400 * 86_400_000)
    world.log.compact()
    const report = await rebuild('user')
    expect(report).toMatchObject({ records: 0, onlyFresh: 0, different: 0 })
    const ends = await world.log.ends('engagements.v1')
    expect(report.truncatedPartitions).toEqual(ends.flatMap((end, partition) => (end > 0 ? [partition] : [])))
    const positions = await world.store.positions('user.2', [0, 1, 2, 3])
    expect(positions.map((position) => position ?? 0)).toEqual(ends)
  })

  it('compares at equal positions while new events are folded into the old generation', async () => {
    world = await anUpdaterWorld()
    await world.send(...someRecords(100))
    let more = 0
    const report = await rebuild('user', () => {
      if (more++ < 10) void world.log.append('engagements.v1', someRecords(5, 100 + more * 5))
    })
    expect(more).toBeGreaterThan(10)
    expect(report).toMatchObject({ identical: true, compared: 13 })
  })

  it('ends where another one folds into the same generation', async () => {
    world = await anUpdaterWorld()
    await world.send(...someRecords(200))
    const both = await Promise.all([rebuild('user'), rebuild('user')])
    for (const report of both) expect(report).toMatchObject({ identical: true, compared: 13 })
  })

  it('switches, goes on in the new generation, and back, losing nothing', async () => {
    world = await anUpdaterWorld()
    await world.send(...someRecords(50))
    await rebuild('user')
    const at = { store: world.store, log: world.log, family: 'user' as const }
    await switchGeneration({ ...at, from: '1', to: '2' })
    await world.clock.advance(1000)
    await world.send(...someRecords(50, 50))
    expect(await servingGeneration(world.store, 'user')).toBe('2')
    expect((await world.user('u3', '2'))?.recent.pinIds.length).toBeGreaterThan(
      (await world.user('u3', '1'))!.recent.pinIds.length,
    )
    await switchGeneration({ ...at, from: '2', to: '1' })
    await world.clock.advance(1000)
    await world.send(...someRecords(50, 100))
    expect(await world.user('u3', '1')).toEqual((await rebuildInto('3')) && (await world.user('u3', '3')))
    await expect(dropGeneration({ ...at, generation: '1' })).rejects.toThrow(/serves/)
    await dropGeneration({ ...at, generation: '2' })
    expect(await world.user('u3', '2')).toBeNull()
  })

  async function rebuildInto(generation: string): Promise<boolean> {
    const { identical } = await rebuildState({
      log: world.log,
      store: world.store,
      clock: world.clock,
      config: updaterConfigOf(),
      family: 'user',
      generation,
      signal: never,
      onError: (error) => world.errors.push(error),
    })
    return identical
  }

  it('refuses to switch to a generation that holds nothing, or from one that does not serve', async () => {
    world = await anUpdaterWorld()
    await world.send(...someRecords(10))
    const at = { store: world.store, log: world.log, family: 'user' as const }
    await expect(switchGeneration({ ...at, from: '1', to: '2' })).rejects.toThrow(/holds nothing/)
    await rebuild('user')
    await expect(switchGeneration({ ...at, from: '5', to: '2' })).rejects.toThrow(/does not serve/)
  })

  it('finds values that are not what the log says', async () => {
    world = await anUpdaterWorld()
    await world.send(...someRecords(60))
    const partition = partitionOf('u3', world.partitions)
    const value = (await world.store.read('user.1', partition, ['u3'])).values[0] as Uint8Array
    await world.store.put('user.1', partition, { key: 'u3', value: value.slice(0, -2), ttlMs: null })
    const report = await rebuild('user')
    expect(report).toMatchObject({ identical: false, different: 1, examples: [`${partition} u3`] })
    expect(report.freshChecksum).not.toBe(report.oldChecksum)
  })

  it('keeps the erased out of the new generation', async () => {
    world = await anUpdaterWorld()
    await world.send(...someRecords(60))
    const erasure = encodeUserErasure({ userId: asId<UserId>('u3'), erasedAtMs: noonMs + 3_600_000 })
    await world.log.append('erasures.v1', [{ key: 'u3', value: erasure, partition: null }])
    await world.log.drain()
    expect(await world.user('u3')).toBeNull()
    expect(await rebuild('user')).toMatchObject({ identical: true, compared: 12 })
    expect(await world.user('u3', '2')).toBeNull()
  })

  it('leaves room for what comes in: two commits at a time, and a turn of the event loop before each page compared', async () => {
    world = await anUpdaterWorld()
    await world.send(...someRecords(400))
    let underWay = 0
    let mostUnderWay = 0
    let turns = 0
    let compares = true
    const comparedAt: number[] = []
    const keysRead: string[] = []
    const store: StateStore = {
      ...world.store,
      async commit(commit, call) {
        mostUnderWay = Math.max(mostUnderWay, ++underWay)
        // The first commit stays until a second one joins it: how fast the log delivers must not decide the test.
        for (let turnsLeft = 10_000; mostUnderWay < 2 && turnsLeft > 0; turnsLeft--) await turn()
        await turn()
        return world.store.commit(commit, call).finally(() => underWay--)
      },
      read(scope, partition, keys, call) {
        if (scope === 'user.1') comparedAt.push(turns)
        if (scope === 'user.1') keysRead.push(...keys)
        return world.store.read(scope, partition, keys, call)
      },
    }
    const counting = (async () => {
      for (; compares; turns++) await turn()
    })()
    const report = await rebuild('user', undefined, store)
    compares = false
    await counting
    expect(report).toMatchObject({ identical: true, compared: 13 })
    expect(mostUnderWay).toBe(2)
    expect(comparedAt.length).toBeGreaterThan(1)
    expect(new Set(comparedAt).size).toBe(comparedAt.length)
    expect(keysRead.toSorted()).toEqual([...new Set(keysRead)].toSorted())
  })

  it('goes on where a stopped rebuild left off', async () => {
    world = await anUpdaterWorld()
    await world.send(...someRecords(120))
    const stop = new AbortController()
    let done = 0
    const stopped = rebuildState({
      log: world.log,
      store: world.store,
      clock: world.clock,
      config: updaterConfigOf({ updater: { maxBatchRecords: 5 } }),
      family: 'user',
      generation: null,
      signal: stop.signal,
      onProgress: (records) => {
        done += records
        if (done >= 20) stop.abort(new Error('enough'))
      },
      onError: () => undefined,
    })
    await expect(stopped).rejects.toThrow('enough')
    const report = await rebuild('user')
    expect(report.identical).toBe(true)
    expect(report.records).toBeLessThan(120)
  })
})
