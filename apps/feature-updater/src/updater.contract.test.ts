import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createKafkaEventLog } from '@freshet/adapters/kafka/event-log'
import { openEnvironment } from '@freshet/adapters/lmdb/environment'
import { createLmdbEventLog } from '@freshet/adapters/lmdb/event-log'
import { createLmdbStateStore } from '@freshet/adapters/lmdb/state-store'
import { createSeededRandom } from '@freshet/adapters/memory/random'
import { createRedisStateStore } from '@freshet/adapters/redis/state-store'
import { createSystemClock } from '@freshet/adapters/system/clock'
import { kafkaServer } from '@freshet/adapters/testing/kafka-server'
import { redisServer } from '@freshet/adapters/testing/redis-server'
import { redisUser } from '@freshet/adapters/testing/redis-user'
import { decodeBoardChange, encodeBoardChange } from '@freshet/contracts/codecs/board'
import { encodeUserErasure } from '@freshet/contracts/codecs/onward'
import { nothingElse } from '@freshet/contracts/ports/state-store'
import { decodePartitionMeta } from '@freshet/contracts/codecs/partition-meta'
import { decodePinState } from '@freshet/contracts/codecs/pin-state'
import { decodeUserState } from '@freshet/contracts/codecs/user-state'
import type { EventLog, NewRecord } from '@freshet/contracts/ports/event-log'
import type { StateStore } from '@freshet/contracts/ports/state-store'
import { readToEnd } from '@freshet/contracts/read-to-end'
import { topicLayouts } from '@freshet/contracts/topics'
import type { BoardChange } from '@freshet/domain/board'
import { counted, type Counters } from '@freshet/domain/decay'
import { actions } from '@freshet/domain/engagement'
import { asId, type BoardId, type EventId, type PinId, type UserId } from '@freshet/domain/ids'
import { afterAll, describe, expect, it, test } from 'vitest'
import { storedBoardTitles } from './board-titles.ts'
import { createCatalogueKeeper } from './catalogue-keeper.ts'
import { updaterConfigOf } from './config.ts'
import { rebuildState } from './rebuild.ts'
import { aRecord, noonMs } from './testing.ts'
import { createUpdater, type Updater } from './updater.ts'

/** What a process opens, with the rights of its service; every call is another process's. */
interface Backend {
  open(
    as: 'feature-updater' | 'freshet',
  ): Promise<{ readonly log: EventLog; readonly store: StateStore; close(): Promise<void> }>
  close(): Promise<void>
}

const partitions = 4
const clock = createSystemClock()
const [kafka, redis] = [await kafkaServer(), await redisServer()]
afterAll(async () => {
  for (const server of [kafka, redis]) if ('target' in server) await server.stop()
})

describe('LMDB', () => {
  exactlyOnce(lmdb)
  ownersErased(lmdb)
})
if ('absent' in kafka) test.skip(`updater on Kafka and Redis: ${kafka.absent}`)
else if ('absent' in redis) test.skip(`updater on Kafka and Redis: ${redis.absent}`)
else {
  const { brokers } = kafka.target
  const { url } = redis.target
  describe('Kafka and Redis', () => {
    exactlyOnce(() => kafkaAndRedis(brokers, url))
    ownersErased(() => kafkaAndRedis(brokers, url))
  })
}

async function lmdb(): Promise<Backend> {
  const folder = await mkdtemp(join(tmpdir(), 'freshet-updater-'))
  const environment = await openEnvironment({ folder, fsync: false })
  const log = createLmdbEventLog({ environment, clock })
  const store = createLmdbStateStore({ environment, clock })
  return {
    open: () => Promise.resolve({ log, store, close: () => Promise.resolve() }),
    async close() {
      await log.close()
      await store.close()
      await environment.close()
      await rm(folder, { recursive: true })
    },
  }
}

function kafkaAndRedis(brokers: readonly string[], url: string): Promise<Backend> {
  const keyPrefix = `updater-${process.pid}:`
  return Promise.resolve({
    async open(as) {
      const log = createKafkaEventLog({ brokers, clientId: 'updater-test', clock, replicationFactor: 1 })
      const store = createRedisStateStore({ url: await redisUser(url, as, keyPrefix), keyPrefix })
      return {
        log,
        store,
        async close() {
          await log.close()
          await store.close()
        },
      }
    },
    close: () => Promise.resolve(),
  })
}

function ownersErased(make: () => Promise<Backend>): void {
  it('takes an erased owner off boards, before and after the erasure, with the rights of its service', async () => {
    const backend = await make()
    const { log, close } = await backend.open('freshet')
    await log.applyTopics(topicLayouts(partitions))
    const own = await backend.open('feature-updater')
    const errors: Error[] = []
    const onError = (error: Error): void => void errors.push(error)
    const config = updaterConfigOf({ updater: { canaryEveryMs: 0 } })
    const updater = createUpdater({ ...own, clock, config, onError })
    const { ownedBoards } = updater
    const keeper = createCatalogueKeeper({ ...own, ...config.updater, ownedBoards, onError })
    await updater.start()
    await keeper.start()
    const send = (id: string, version?: number) => {
      const board = { boardId: asId<BoardId>(id), isSecret: true, title: 'of Ann', ownerId: asId<UserId>('ann') }
      const value = encodeBoardChange({ kind: 'upsert', board, ...(version !== undefined && { version }) })
      return log.append('boards.v1', [{ key: id, value, partition: null }])
    }
    const titles = storedBoardTitles(own)
    const last = async () => {
      const found = new Map<string, BoardChange>()
      await readToEnd({
        ...{ log, topic: 'boards.v1', maxBatchRecords: 100, onError },
        onRecords(_, records) {
          for (const { key, value } of records) found.set(key, decodeBoardChange(key, value))
        },
      })
      return Object.fromEntries(found)
    }
    await send('versioned', 5)
    await send('plain')
    await expect.poll(() => titles(['versioned']), { timeout: 20_000 }).toEqual(new Map([['versioned', 'of Ann']]))
    const value = encodeUserErasure({ userId: asId<UserId>('ann'), erasedAtMs: noonMs })
    await log.append('erasures.v1', [{ key: 'ann', value, partition: null }])
    const blank = (boardId: string) => ({ boardId, isSecret: true, title: '', ownerId: null })
    const blanked = {
      versioned: { kind: 'upsert', board: blank('versioned'), version: 5 },
      plain: { kind: 'upsert', board: blank('plain') },
    }
    await expect.poll(last, { timeout: 20_000 }).toEqual(blanked)
    await expect.poll(() => titles(['versioned']), { timeout: 20_000 }).toEqual(new Map())
    // Late ones, past event-ingest.
    await send('versioned', 5)
    await send('plain')
    await expect.poll(last, { timeout: 20_000 }).toEqual(blanked)
    // A broker that has just started has no coordinators of groups yet.
    expect(errors.filter(({ name }) => name !== 'KafkaJSProtocolError')).toEqual([])
    await keeper.stop()
    await updater.stop()
    await own.close()
    await close()
    await backend.close()
  }, 90_000)
}

function exactlyOnce(make: () => Promise<Backend>): void {
  it('counts every event once in both stages while updaters come and go, and a rebuild gives the same', async () => {
    const backend = await make()
    const generator = await backend.open('freshet')
    await generator.log.applyTopics(topicLayouts(partitions))
    const errors: Error[] = []
    const running: { updater: Updater; close(): Promise<void> }[] = []
    const join = async () => {
      const { log, store, close } = await backend.open('feature-updater')
      const updater = createUpdater({
        log,
        store,
        clock,
        config: updaterConfigOf({ updater: { canaryEveryMs: 0, maxBatchRecords: 40 } }),
        onError: (error) => errors.push(error),
      })
      await updater.start()
      running.push({ updater, close })
    }
    const leave = async () => {
      const first = running.shift()
      await first?.updater.stop()
      await first?.close()
    }

    const { records, distinct } = eventsWithRepeats(3000)
    await join()
    for (let from = 0; from < records.length; from += 250) {
      await generator.log.append('engagements.v1', records.slice(from, from + 250))
      if (from % 1000 === 500) await join()
      if (from % 1000 === 750) await leave()
    }
    await eventually(async () => {
      for (const [topic, scope] of [
        ['engagements.v1', 'user.1'],
        ['pin-engagements.v1', 'pin.1'],
      ] as const) {
        const ends = await generator.log.ends(topic)
        const stored = await generator.store.positions(scope, [...ends.keys()])
        if (ends.some((end, partition) => end > (stored[partition] ?? 0))) return false
      }
      return true
    })

    const [users, pins] = [new Map<string, number>(), new Map<string, number>()]
    let accounted = 0
    for (let partition = 0; partition < partitions; partition++) {
      for await (const page of generator.store.scan('user.1', partition)) {
        for (const { key, value } of page) users.set(key, clicks(decodeUserState(value).counters))
      }
      for await (const page of generator.store.scan('pin.1', partition)) {
        for (const { key, value } of page) pins.set(key, clicks(decodePinState(value).counters))
      }
      const { meta } = await generator.store.readForFold({
        ...nothingElse,
        scope: 'user.1',
        partition,
      })
      const { counts } = decodePartitionMeta(meta)
      accounted += counts.applied + counts.duplicate + counts.late + counts.deadLettered
    }
    expect(users).toEqual(distinct.users)
    expect(pins).toEqual(distinct.pins)
    expect(accounted).toBe(records.length)

    const report = await rebuildState({
      log: generator.log,
      store: generator.store,
      clock: createSystemClock(),
      config: updaterConfigOf(),
      family: 'user',
      generation: '2',
      signal: AbortSignal.timeout(60_000),
      onError: (error) => errors.push(error),
    })
    expect(report).toMatchObject({ identical: true, compared: users.size })
    while (running.length > 0) await leave()
    await generator.close()
    await backend.close()
  })
}

/** Clicks of some users on some pins, a fifth of them sent again later; and how often each user and pin was really meant. */
function eventsWithRepeats(count: number) {
  const random = createSeededRandom('repeats')
  const records: NewRecord[] = []
  const distinct = { users: new Map<string, number>(), pins: new Map<string, number>() }
  const add = (counts: Map<string, number>, key: string) => counts.set(key, (counts.get(key) ?? 0) + 1)
  for (let i = 0; i < count; i++) {
    if (i > 0 && random.next() < 0.2) {
      records.push(records[Math.floor(random.next() * records.length)] as NewRecord)
      continue
    }
    const [user, pin] = [`u${Math.floor(random.next() * 50)}`, `p${Math.floor(random.next() * 30)}`]
    add(distinct.users, user)
    add(distinct.pins, pin)
    records.push(
      aRecord({
        eventId: asId<EventId>(`event-${i}`),
        userId: asId<UserId>(user),
        subject: { kind: 'pin', pinId: asId<PinId>(pin) },
        occurredAtMs: noonMs + i,
      }),
    )
  }
  return { records, distinct }
}

function clicks(counters: Counters): number {
  return counted(counters, actions.indexOf('click'), 'total', noonMs)
}

async function eventually(condition: () => Promise<boolean>): Promise<void> {
  const deadline = clock.now() + 60_000
  while (!(await condition())) {
    if (clock.now() > deadline) throw new Error('not within a minute')
    await clock.sleep(50)
  }
}
