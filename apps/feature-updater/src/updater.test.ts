import { encodeEngagement } from '@freshet/contracts/codecs/engagement'
import { decodeDeadLetter, encodeUserErasure } from '@freshet/contracts/codecs/onward'
import { noHeaders } from '@freshet/contracts/headers'
import { whyNotFolded } from '@freshet/contracts/not-folded'
import { nothingElse } from '@freshet/contracts/ports/state-store'
import { decodePartitionMeta } from '@freshet/contracts/codecs/partition-meta'
import { pinEngagementRowsIn } from '@freshet/contracts/codecs/pin-engagement-batch'
import { decodePinFeatures } from '@freshet/contracts/codecs/pin-state'
import { badAcceptedPointer } from '@freshet/contracts/scopes'
import { counted } from '@freshet/domain/decay'
import { actions } from '@freshet/domain/engagement'
import { hasRelation } from '@freshet/domain/features/relations'
import { asId, type BoardId, type CreatorId, type EventId, type PinId, type UserId } from '@freshet/domain/ids'
import { partitionOf } from '@freshet/domain/partition'
import { afterEach, describe, expect, it } from 'vitest'
import { updaterConfigOf } from './config.ts'
import { rebuildState } from './rebuild.ts'
import { createUpdater } from './updater.ts'
import { aRecord, anEngagement, anUpdaterWorld, noonMs, type UpdaterWorld } from './testing.ts'

let world: UpdaterWorld
afterEach(() => world.stop())

const total = (state: { counters: Parameters<typeof counted>[0] } | null, action: (typeof actions)[number]) =>
  state === null ? 0 : counted(state.counters, actions.indexOf(action), 'total', noonMs)

async function sumOfCounts(outcome: 'applied' | 'duplicate' | 'late' | 'deadLettered' | 'erased'): Promise<number> {
  let sum = 0
  for (let partition = 0; partition < world.partitions; partition++) {
    const { meta } = await world.store.readForFold({
      ...nothingElse,
      scope: 'user.1',
      partition,
    })
    sum += decodePartitionMeta(meta).counts[outcome]
  }
  return sum
}

describe('feature updater', () => {
  it('brings an engagement into user state, pin state and pin features', async () => {
    world = await anUpdaterWorld()
    await world.send(aRecord({ action: 'save', boardId: asId<BoardId>('b') }))
    expect((await world.user('u'))?.recent.pinIds).toEqual(['p'])
    expect(total(await world.pin('p'), 'save')).toBe(1)
    expect(total(await world.pin('board b'), 'save')).toBe(1)
    const published = await world.records('pin-features.v1')
    expect(published.map(({ key }) => key)).toEqual(['p'])
    expect(decodePinFeatures(published[0]?.value as Uint8Array).state).toEqual(await world.pin('p'))
  })

  it('folds an event once, however often it is sent', async () => {
    world = await anUpdaterWorld()
    const record = aRecord()
    await world.send(record, record)
    await world.send(record)
    expect(total(await world.user('u'), 'click')).toBe(1)
    expect(total(await world.pin('p'), 'click')).toBe(1)
    expect(await sumOfCounts('applied')).toBe(1)
    expect(await sumOfCounts('duplicate')).toBe(2)
  })

  it('takes equal event ids of two users for two events', async () => {
    world = await anUpdaterWorld()
    const eventId = asId<EventId>('1')
    await world.send(aRecord({ eventId }), aRecord({ eventId, userId: asId<UserId>('v') }))
    expect(total(await world.pin('p'), 'click')).toBe(2)
  })

  it('A1: applies events however late they are, and in whatever order users come', async () => {
    world = await anUpdaterWorld()
    const userIds = ['first', 'second', 'third']
    const history = userIds.flatMap((userId) =>
      Array.from({ length: 40 }, (_, i) =>
        aRecord({
          eventId: asId<EventId>(`${userId}-${i}`),
          userId: asId<UserId>(userId),
          occurredAtMs: noonMs - (40 - i) * 86_400_000,
        }),
      ),
    )
    await world.send(aRecord(), ...history)
    for (const userId of userIds) expect(total(await world.user(userId), 'click')).toBe(40)
    expect(await sumOfCounts('applied')).toBe(121)
    expect(await sumOfCounts('late')).toBe(0)
    expect(await world.records('engagements-late.v1')).toEqual([])
  })

  it('A1: counts a hide and a block that come 26 h and 29 days late, and lets the newest by event time win', async () => {
    world = await anUpdaterWorld()
    const hourMs = 3_600_000
    const creator = { kind: 'creator', creatorId: asId<CreatorId>('c') } as const
    const hide = { action: 'hide', occurredAtMs: noonMs - 26 * hourMs } as const
    await world.send(
      aRecord(),
      aRecord({ ...hide, eventId: asId<EventId>('hide') }),
      aRecord({
        eventId: asId<EventId>('block'),
        action: 'block',
        subject: creator,
        occurredAtMs: noonMs - 29 * 24 * hourMs,
      }),
    )
    const relations = (await world.user('u'))!.relations
    expect(hasRelation(relations, 'hide-pin', 'p')).toBe(true)
    expect(hasRelation(relations, 'block-creator', 'c')).toBe(true)
    await world.send(
      aRecord({ eventId: asId<EventId>('unhide'), action: 'unhide', occurredAtMs: hide.occurredAtMs + 1 }),
      aRecord({ ...hide, eventId: asId<EventId>('again'), occurredAtMs: hide.occurredAtMs - hourMs }),
    )
    expect(hasRelation((await world.user('u'))!.relations, 'hide-pin', 'p')).toBe(false)
  })

  it('A1: remembers ids by when they were received: a history of years and an event from the future expire none', async () => {
    world = await anUpdaterWorld()
    const dayMs = 86_400_000
    const record = (id: string, occurredAtMs: number, receivedAtMs: number) =>
      aRecord({ eventId: asId<EventId>(id), occurredAtMs }, receivedAtMs)
    await world.send(record('1', noonMs, noonMs), record('future', noonMs + 3650 * dayMs, noonMs))
    await world.send(
      ...Array.from({ length: 30 }, (_, i) => record(`old${i}`, noonMs - (30 - i) * 100 * dayMs, noonMs)),
    )
    await world.send(record('1', noonMs, noonMs + dayMs), record('old3', noonMs - 2700 * dayMs, noonMs + dayMs))
    expect(await sumOfCounts('duplicate')).toBe(2)
    // Past the window it counts again: the promise that the README states.
    await world.send(record('1', noonMs, noonMs + 3 * dayMs))
    expect(await sumOfCounts('duplicate')).toBe(2)
  })

  it('A1: takes a receipt of a wrong clock for itself alone', async () => {
    world = await anUpdaterWorld()
    const dayMs = 86_400_000
    const record = (id: string, receivedAtMs: number) =>
      aRecord({ eventId: asId<EventId>(id), occurredAtMs: noonMs }, receivedAtMs)
    await world.send(record('1', noonMs), record('wrong', noonMs + 3650 * dayMs), record('1', noonMs + 3_600_000))
    await world.send(record('2', noonMs), record('2', noonMs + dayMs), record('1', noonMs + dayMs))
    expect(await sumOfCounts('applied')).toBe(3)
    expect(await sumOfCounts('duplicate')).toBe(3)
  })

  it('A1: tells which records changed nothing, and why, for those who wait for them', async () => {
    world = await anUpdaterWorld()
    const erasure = encodeUserErasure({ userId: asId<UserId>('u'), erasedAtMs: noonMs })
    await world.log.append('erasures.v1', [{ key: 'u', value: erasure, partition: null }])
    await world.log.drain()
    const bad = { key: 'u', value: Uint8Array.of(255, 255, 1), partition: null }
    await world.send(aRecord({ occurredAtMs: noonMs + 1 }), bad, bad, aRecord({ occurredAtMs: noonMs - 1 }))
    const partition = partitionOf('u', world.partitions)
    const { meta } = await world.store.readForFold({ ...nothingElse, scope: 'user.1', partition })
    const decoded = decodePartitionMeta(meta)
    expect([0, 1, 2, 3].map((position) => whyNotFolded(decoded, position))).toEqual([
      null,
      'deadLettered',
      'deadLettered',
      'erased',
    ])
  })

  it('clamps an event time that is far ahead of its receipt', async () => {
    world = await anUpdaterWorld()
    await world.send(aRecord({ occurredAtMs: noonMs + 86_400_000 }, noonMs), aRecord({}, noonMs))
    expect(total(await world.user('u'), 'click')).toBe(2)
    expect((await world.user('u'))?.lastAtMs).toBe(noonMs + 300_000)
  })

  it('puts what it cannot decode aside, byte for byte, and goes on', async () => {
    world = await anUpdaterWorld()
    const bad = Uint8Array.of(255, 255, 1)
    await world.send({ key: 'u', value: bad, partition: null }, aRecord())
    const [letter] = (await world.records('dead-letters.v1')).map(({ value }) => decodeDeadLetter(value as Uint8Array))
    expect(letter).toMatchObject({
      sourceTopic: 'engagements.v1',
      sourcePartition: partitionOf('u', world.partitions),
      sourcePosition: 0,
      key: 'u',
      code: 'CODEC_INVALID',
      schema: 'freshet.engagement.v1.Engagement',
      atMs: noonMs,
    })
    expect(Uint8Array.from(letter?.value ?? [])).toEqual(bad)
    expect(total(await world.user('u'), 'click')).toBe(1)
    expect(await sumOfCounts('deadLettered')).toBe(1)
  })

  it('refuses an engagement under the key of another user: the state of both would have two writers', async () => {
    world = await anUpdaterWorld()
    await world.send({ key: 'v', value: encodeEngagement(anEngagement(), 0), partition: null })
    expect(await world.user('u')).toBeNull()
    expect(await world.records('dead-letters.v1')).toHaveLength(1)
  })

  it('halts a partition when most of its records are bad, says so, and goes on once told to', async () => {
    world = await anUpdaterWorld({ start: false, updater: { haltMinBadRecords: 5, haltWindowRecords: 10 } })
    const value = Uint8Array.of(255)
    const at = { topic: 'engagements.v1', partition: partitionOf('u', world.partitions) }
    const records = Array.from({ length: 8 }, (_, position) => ({
      position,
      key: 'u',
      value,
      appendedAtMs: noonMs,
      headers: noHeaders,
    }))
    const batch = { ...at, from: 0, next: 8, records, end: 8 }
    await expect(world.updater.handleUserBatch(batch)).rejects.toThrow(/halted: 8 of 8 records are bad/)
    expect(world.updater.health().ok).toBe(false)
    expect(world.updater.notReady()).toMatch(/engagements\.v1\/\d: .*halted/)
    expect(await world.records('dead-letters.v1')).toEqual([])
    expect((await world.store.positions('user.1', [at.partition]))[0]).toBeNull()
    await world.store.movePointer(badAcceptedPointer, null, String(noonMs))
    await world.updater.refreshPointers()
    await world.updater.handleUserBatch(batch)
    expect(world.updater.health().ok).toBe(true)
    expect(await world.records('dead-letters.v1')).toHaveLength(8)

    // What comes bad after that halts again.
    const later = records.map((record) => ({ ...record, position: record.position + 8, appendedAtMs: noonMs + 1 }))
    const next = { ...at, from: 8, next: 16, records: later, end: 16 }
    await expect(world.updater.handleUserBatch(next)).rejects.toThrow(/halted: 8 of 8/)
  })

  it('does not halt while it folds again what was put aside before', async () => {
    world = await anUpdaterWorld({ updater: { haltMinBadRecords: 5, haltWindowRecords: 10 } })
    await world.store.movePointer(badAcceptedPointer, null, String(noonMs))
    await world.updater.refreshPointers()
    await world.send(...Array.from({ length: 8 }, () => ({ key: 'u', value: Uint8Array.of(255), partition: null })))
    const report = await rebuildState({
      log: world.log,
      store: world.store,
      clock: world.clock,
      config: updaterConfigOf({ updater: { haltMinBadRecords: 5, haltWindowRecords: 10 } }),
      family: 'user',
      generation: null,
      signal: new AbortController().signal,
      onError: (error) => world.errors.push(error),
    })
    expect(report).toMatchObject({ records: 8, identical: true })
    expect(world.errors).toEqual([])
  })

  it('sends a batch back to where the store stands, ahead or behind', async () => {
    world = await anUpdaterWorld({ start: false })
    const partition = partitionOf('u', world.partitions)
    const { value } = aRecord()
    const records = [{ position: 0, key: 'u', value, appendedAtMs: noonMs, headers: noHeaders }]
    const batch = { topic: 'engagements.v1', partition, from: 0, next: 1, records, end: 1 }
    expect(await world.updater.handleUserBatch({ ...batch, from: 7, next: 8 })).toEqual({ seekTo: 0 })
    expect(await world.updater.handleUserBatch(batch)).toBeUndefined()
    expect(await world.updater.handleUserBatch(batch)).toBeUndefined()
    expect(await world.updater.handleUserBatch({ ...batch, next: 5 })).toEqual({ seekTo: 1 })
    expect(world.updater.stats().moves).toEqual({ ROLLBACK: 1, SKIPPED: 1, PARTIAL: 1 })
    expect(total(await world.user('u'), 'click')).toBe(1)
  })

  it('forgets an erased user, and stays so for events from before', async () => {
    world = await anUpdaterWorld()
    await world.send(aRecord(), aRecord({ userId: asId<UserId>('v') }))
    const erasure = encodeUserErasure({ userId: asId<UserId>('u'), erasedAtMs: noonMs + 1000 })
    await world.log.append('erasures.v1', [{ key: 'u', value: erasure, partition: null }])
    await world.log.drain()
    expect(await world.user('u')).toBeNull()
    expect(await world.user('v')).not.toBeNull()
    await world.send(aRecord({ occurredAtMs: noonMs + 1000 }))
    expect(await world.user('u')).toBeNull()
    expect(await sumOfCounts('erased')).toBe(1)
    await world.send(aRecord({ occurredAtMs: noonMs + 1001 }))
    expect(total(await world.user('u'), 'click')).toBe(1)
  })

  it('empties what an erased user was served, and leaves what came after', async () => {
    world = await anUpdaterWorld()
    await world.send(aRecord())
    const { store, log, partitions } = world
    const put = (scope: string, key: string, value: Uint8Array) =>
      store.put(scope, partitionOf(key, partitions), { key, value, ttlMs: 3_600_000 })
    const left = async (scope: string, key: string) =>
      (await store.read(scope, partitionOf(key, partitions), [key])).values[0]?.length ?? 0
    const servedAt = (atMs: number) => new Uint8Array(Uint32Array.of(1, 2, atMs / 1000).buffer)
    for (const user of ['u', 'stateless', 'back'])
      await put('served', user, servedAt(user === 'back' ? noonMs + 5000 : noonMs))
    for (const user of ['u', 'stateless', 'back'])
      for (const scope of ['last-good', 'page-reserve']) await put(scope, user, Uint8Array.of(1))
    const erasure = (userId: string) => ({
      key: userId,
      value: encodeUserErasure({ userId: asId<UserId>(userId), erasedAtMs: noonMs + 1000 }),
      partition: null,
    })
    await log.append('erasures.v1', ['u', 'stateless', 'back'].map(erasure))
    await log.drain()
    for (const scope of ['served', 'last-good', 'page-reserve']) {
      expect(await left(scope, 'u'), scope).toBe(0)
      expect(await left(scope, 'stateless'), scope).toBe(0)
      expect(await left(scope, 'back'), scope).toBeGreaterThan(0)
    }
  })

  it('knows the erased again after a restart before it folds anything', async () => {
    world = await anUpdaterWorld({ start: false })
    const erasure = encodeUserErasure({ userId: asId<UserId>('u'), erasedAtMs: noonMs })
    await world.log.append('erasures.v1', [{ key: 'u', value: erasure, partition: null }])
    await world.log.append('engagements.v1', [aRecord()])
    await world.updater.start()
    await world.log.drain()
    expect(await world.user('u')).toBeNull()
    expect(world.updater.stats().erasedUsers).toBe(1)
  })

  it('halves a batch that is too much for one commit, and counts nothing twice', async () => {
    world = await anUpdaterWorld({ start: false, maxCommitBytes: 400 })
    const records = Array.from({ length: 40 }, (_, i) =>
      aRecord({ userId: asId<UserId>(`u${i}`), subject: { kind: 'pin', pinId: asId<PinId>(`p${i % 3}`) } }),
    )
    await world.log.append('engagements.v1', records)
    await world.updater.start()
    await world.log.drain()
    expect(world.errors).toEqual([])
    expect(await sumOfCounts('applied')).toBe(40)
    const clicks = await Promise.all(['p0', 'p1', 'p2'].map(async (pin) => total(await world.pin(pin), 'click')))
    expect(clicks.reduce((sum, count) => sum + count, 0)).toBe(40)
    // More records than target partitions: the commits were halved, and what was sent of the second half was sent again.
    const sent = (await world.records('pin-engagements.v1')).reduce(
      (rows, { value }) => rows + pinEngagementRowsIn(value),
      0,
    )
    expect(sent).toBeGreaterThan(40)
  })

  it('sends canaries to partitions that have folded nothing since it started', async () => {
    world = await anUpdaterWorld()
    await world.send(aRecord())
    await world.updater.stop()
    const { log, store, clock } = world
    const config = updaterConfigOf({ updater: { canaryEveryMs: 10_000 } })
    const next = createUpdater({ log, store, clock, config, onError: (error) => world.errors.push(error) })
    await next.start()
    await clock.advance(10_000)
    await log.drain()
    expect(await sumOfCounts('applied')).toBe(2)
    await next.stop()
  })

  it('counts follows of creators where creators are counted, and publishes no pin for them', async () => {
    world = await anUpdaterWorld()
    await world.send(aRecord({ action: 'follow', subject: { kind: 'creator', creatorId: asId<CreatorId>('c') } }))
    expect(hasRelation((await world.user('u'))!.relations, 'follow-creator', 'c')).toBe(true)
    expect(total(await world.pin('creator c'), 'follow')).toBe(1)
    expect(await world.records('pin-features.v1')).toEqual([])
  })

  it('answers from its cache what it has folded before', async () => {
    world = await anUpdaterWorld()
    await world.send(aRecord({ subject: { kind: 'pin', pinId: asId<PinId>('p1') } }))
    await world.send(aRecord({ subject: { kind: 'pin', pinId: asId<PinId>('p1') } }))
    expect(world.updater.stats()).toMatchObject({ cacheHits: 2, batches: 4 })
    expect(world.updater.stats().cacheBytes).toBeGreaterThan(0)
  })

  it('sends a canary through both stages of every partition that has folded anything', async () => {
    world = await anUpdaterWorld({ updater: { canaryEveryMs: 10_000 } })
    await world.send(aRecord())
    const partition = partitionOf('u', world.partitions)
    const before = (await world.store.positions('user.1', [partition]))[0] ?? 0
    await world.clock.advance(10_000)
    await world.log.drain()
    expect((await world.store.positions('user.1', [partition]))[0]).toBe(before + 1)
    expect(await sumOfCounts('applied')).toBe(2)
    await world.clock.advance(100)
    expect(world.errors).toEqual([])
  })

  it('folds all of a partition again after the store lost everything, though no record comes', async () => {
    world = await anUpdaterWorld({ updater: { canaryEveryMs: 10_000 } })
    await world.send(aRecord())
    const partition = partitionOf('u', world.partitions)
    await world.clock.advance(10_000)
    await world.log.drain()
    const before = (await world.store.positions('user.1', [partition]))[0] ?? 0
    for (const scope of ['user.1', 'pin.1']) await world.store.dropScope(scope, [partition])
    expect((await world.store.positions('user.1', [partition]))[0] ?? 0).toBe(0)
    for (let seconds = 0; seconds < 30; seconds++) {
      await world.clock.advance(1_000)
      await world.log.drain()
    }
    expect((await world.store.positions('user.1', [partition]))[0]).toBeGreaterThan(before)
    expect((await world.store.read('user.1', partition, ['u'])).values[0]).not.toBeNull()
  })

  it('A1: refuses to forget ids within the dedupe window', () => {
    expect(() => updaterConfigOf({ fold: { dedupeTtlMs: 86_400_000, dedupeWindowMs: 86_400_000 } })).toThrow(RangeError)
  })
})
