import { createMemoryStateStore } from '@freshet/adapters/memory/state-store'
import { decodePartitionMeta } from '@freshet/contracts/codecs/partition-meta'
import { epochIn, positionIn, storedPosition } from '@freshet/contracts/followed-log'
import { noHeaders } from '@freshet/contracts/headers'
import { nothingElse } from '@freshet/contracts/ports/state-store'
import { asId, type EventId, type UserId } from '@freshet/domain/ids'
import { partitionOf } from '@freshet/domain/partition'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { adoptionOf, adoptLog } from './adopt.ts'
import { updaterConfigOf } from './config.ts'
import { rebuildState, type RebuildReport } from './rebuild.ts'
import { anUpdaterWorld, aRecord, noonMs, type UpdaterWorld } from './testing.ts'
import { createUpdater } from './updater.ts'

let world: UpdaterWorld
afterEach(() => world.stop())

const engagement = (eventId: string, userId = 'u') =>
  aRecord({ eventId: asId<EventId>(eventId), userId: asId<UserId>(userId), occurredAtMs: noonMs })

/** What an operator does: `freshet log adopt`. */
async function adopt({ log, store, clock, updater }: UpdaterWorld): Promise<readonly string[]> {
  const kinds: string[] = []
  for (const family of ['user', 'pin'] as const) {
    const adoption = await adoptionOf({ log, store, clock }, family)
    kinds.push(adoption.kind)
    expect(await adoptLog(store, adoption, 0)).toBe(true)
  }
  await updater.refreshPointers()
  return kinds
}

/** What an operator does: `freshet rebuild user`. */
function rebuildOf({ log, store, clock }: UpdaterWorld): Promise<RebuildReport> {
  return rebuildState({
    log,
    store,
    clock,
    config: updaterConfigOf(),
    family: 'user',
    generation: '2',
    signal: new AbortController().signal,
    onError: () => undefined,
  })
}

/** Gives readers that wait for a better log the time to look again. */
async function settle({ clock, log }: UpdaterWorld): Promise<void> {
  for (let i = 0; i < 5; i++) await clock.advance(2_100)
  await log.drain()
}

const clicksOf = async (userId: string): Promise<number> => (await world.user(userId))?.recent.pinIds.length ?? 0
/** Folded engagements of a pin, of all actions. */
async function pinEvents(): Promise<number> {
  const values = (await world.pin('p'))?.counters.values ?? []
  return [...values].reduce((sum, value, i) => (i % 4 === 3 ? sum + value : sum), 0)
}

describe('A2 · a log younger than the state', () => {
  it('A2: is noticed while running: not ready, the command is named, nothing is folded, and what waits is counted', async () => {
    world = await anUpdaterWorld()
    await world.send(engagement('a'), engagement('b'))
    expect(world.updater.notReady()).toBeNull()
    world.log.recreate('engagements.v1')
    await world.log.append('engagements.v1', [engagement('c')])
    await world.updater.look()
    expect(world.updater.notReady()).toMatch(/engagements\.v1 is another log .* `freshet log adopt`/)
    await world.clock.advance(10_000)
    expect(await clicksOf('u')).toBe(2)
    expect(await world.updater.lag()).toBe(1)
    expect(world.updater.stats()).toMatchObject({ replacedPartitions: 4, waitingForAdoption: 1 })
  })

  it('A2: is noticed on assignment, though it has grown beyond the stored position', async () => {
    world = await anUpdaterWorld()
    await world.send(engagement('a'))
    await world.updater.stop()
    world.log.recreate('engagements.v1')
    await world.log.append(
      'engagements.v1',
      Array.from({ length: 50 }, (_, i) => engagement(`new${i}`)),
    )
    const { log, store, clock } = world
    const config = updaterConfigOf({ updater: { canaryEveryMs: 0, logCheckMs: 0 } })
    const later = createUpdater({ log, store, clock, config })
    await later.start()
    await clock.advance(10_000)
    expect(later.notReady()).toContain('freshet log adopt')
    expect(await clicksOf('u')).toBe(1)
    await later.stop()
  })

  it('A2: a log that ends before the stored position is noticed where it cannot say which it is', async () => {
    world = await anUpdaterWorld({ start: false })
    const { log, store, clock } = world
    const nameless = { ...log, identity: () => Promise.resolve(null) }
    const config = updaterConfigOf({ updater: { canaryEveryMs: 0, logCheckMs: 0 } })
    const updater = createUpdater({ log: nameless, store, clock, config })
    await updater.start()
    await world.send(engagement('a'), engagement('b'))
    log.recreate('engagements.v1')
    const looked = updater.look()
    await clock.advance(2_000)
    await looked
    expect(updater.notReady()).toMatch(/ends at 0, before the stored position 2/)
    await updater.stop()
  })

  it('A2: once adopted, its events are folded once, in both stages, and repeats of the old log are still repeats', async () => {
    world = await anUpdaterWorld()
    await world.send(engagement('a'), engagement('b'))
    world.log.recreate('engagements.v1')
    await world.log.append('engagements.v1', [engagement('b'), engagement('c')])
    await world.updater.look()
    expect(await adopt(world)).toEqual(['other', 'none'])
    await settle(world)
    expect(world.updater.notReady()).toBeNull()
    expect(await clicksOf('u')).toBe(3)
    expect(await pinEvents()).toBe(3)
    const [stored] = await world.store.positions('user.1', [partitionOf('u', 4)])
    expect([epochIn(stored ?? 0), positionIn(stored ?? 0)]).toEqual([1, 2])
  })

  it('A2: law: whatever logs are lost and adopted, every event that was acknowledged and folded counts once', async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('send' as const), event: fc.nat(15), user: fc.nat(3) }) },
      fc.record({ kind: fc.constantFrom('engagements.v1' as const, 'pin-engagements.v1' as const) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        world = await anUpdaterWorld()
        const sent = new Set<string>()
        for (const one of steps) {
          if (one.kind === 'send') {
            const { event, user } = one as { event: number; user: number }
            sent.add(`u${user} e${event}`)
            await world.send(engagement(`e${event}`, `u${user}`))
            continue
          }
          world.log.recreate(one.kind)
          await world.updater.look()
          await adopt(world)
          await settle(world)
        }
        for (let user = 0; user < 4; user++) {
          const distinct = [...sent].filter((id) => id.startsWith(`u${user} `)).length
          expect(await clicksOf(`u${user}`)).toBe(distinct)
        }
        expect(await pinEvents()).toBe(sent.size)
        await world.stop()
      }),
      { numRuns: 40 },
    )
  })

  it('A2: law: the fence orders places of different logs, so that a batch of the old log is never applied after adoption', async () => {
    world = await anUpdaterWorld({ start: false })
    const place = fc.record({ epoch: fc.nat(4095), position: fc.nat(2 ** 31) })
    fc.assert(
      fc.property(place, place, (a, b) => {
        const [x, y] = [storedPosition(a.epoch, a.position), storedPosition(b.epoch, b.position)]
        expect(Number.isSafeInteger(x)).toBe(true)
        expect([epochIn(x), positionIn(x)]).toEqual([a.epoch, a.position])
        expect(x < y).toBe(a.epoch < b.epoch || (a.epoch === b.epoch && a.position < b.position))
      }),
    )
    const store = createMemoryStateStore({ clock: world.clock })
    const nothing = { puts: [], appends: [], deletes: [], remember: [], meta: null }
    const at = { scope: 'user.1', partition: 0 }
    await store.commit({ ...at, from: 0, next: 3, ...nothing })
    await store.commit({ ...at, from: 3, next: storedPosition(1, 0), ...nothing })
    expect(await store.commit({ ...at, from: 3, next: 5, ...nothing })).toMatchObject({ kind: 'SKIPPED' })
    expect(
      await store.commit({ ...at, from: storedPosition(1, 0), next: storedPosition(1, 2), ...nothing }),
    ).toMatchObject({ kind: 'APPLIED' })
  })

  it('A2: an updater that does not know yet of an adoption applies nothing of its own', async () => {
    world = await anUpdaterWorld()
    await world.send(engagement('a'))
    const { log, store, clock } = world
    const config = updaterConfigOf({ updater: { canaryEveryMs: 0, logCheckMs: 0 } })
    const zombie = createUpdater({ log, store, clock, config })
    await zombie.refreshPointers()
    world.log.recreate('engagements.v1')
    await world.log.append('engagements.v1', [engagement('b')])
    await adopt(world)
    await settle(world)
    const record = { ...engagement('lost'), position: 1, appendedAtMs: noonMs, headers: noHeaders }
    const partition = partitionOf('u', 4)
    await zombie.handleUserBatch({ topic: 'engagements.v1', partition, from: 1, next: 2, end: 2, records: [record] })
    expect(await clicksOf('u')).toBe(2)
  })

  it('A2: a rebuild ends with the reason and the command', async () => {
    world = await anUpdaterWorld()
    await world.send(engagement('a'), engagement('b'))
    world.log.recreate('engagements.v1')
    await expect(rebuildOf(world)).rejects.toThrow(/engagements\.v1 is another log .* `freshet log adopt`/)
  })

  it('A2: a rebuild after an adoption says that the new generation knows less', async () => {
    world = await anUpdaterWorld()
    await world.send(engagement('a'), engagement('b'))
    world.log.recreate('engagements.v1')
    await world.log.append('engagements.v1', [engagement('c')])
    await adopt(world)
    await settle(world)
    const report = await rebuildOf(world)
    expect(report).toMatchObject({ compared: 1, different: 1, truncatedPartitions: [0, 1, 2, 3] })
  })
})

describe('A2 · records that retention deleted before they were folded', () => {
  it('A2: are counted once, make the updater not ready, and are taken note of by the command', async () => {
    world = await anUpdaterWorld()
    await world.send(engagement('a'))
    await world.updater.stop()
    await world.log.append('engagements.v1', [engagement('b'), engagement('c'), engagement('d')])
    await world.clock.advance(40 * 86_400_000)
    world.log.compact()
    const { log, store, clock } = world
    const lostBy: number[] = []
    const updater = createUpdater({
      log,
      store,
      clock,
      config: updaterConfigOf({ updater: { canaryEveryMs: 0, logCheckMs: 0 } }),
      observer: { committed: ({ outcomes }) => void lostBy.push(outcomes.lost), moved: () => undefined },
    })
    await updater.start()
    await clock.advance(3_000)
    await log.append('engagements.v1', [engagement('e')])
    await log.drain()
    await updater.look()
    expect(updater.notReady()).toMatch(/3 records before they were folded; `freshet log adopt`/)
    expect(lostBy.reduce((sum, lost) => sum + lost, 0)).toBe(3)
    const { meta } = await store.readForFold({ ...nothingElse, scope: 'user.1', partition: partitionOf('u', 4) })
    expect(decodePartitionMeta(meta).counts).toMatchObject({ applied: 2, lost: 3 })
    expect((await adoptionOf({ log, store, clock }, 'user')).kind).toBe('note')
    await adopt({ ...world, updater })
    await updater.look()
    expect(updater.notReady()).toBeNull()
    expect(await clicksOf('u')).toBe(2)
    await updater.stop()
  })
})
