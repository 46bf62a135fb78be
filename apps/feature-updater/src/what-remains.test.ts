import {
  decodeReceivedEngagement,
  encodeDeadLetter,
  encodeLateEngagement,
  encodeUserErasure,
} from '@freshet/contracts/codecs/onward'
import { counted } from '@freshet/domain/decay'
import { actions } from '@freshet/domain/engagement'
import { asId, type UserId } from '@freshet/domain/ids'
import { afterEach, describe, expect, it } from 'vitest'
import { updaterConfigOf } from './config.ts'
import { allDeadLetters } from './dead-letters.ts'
import { rebuildState } from './rebuild.ts'
import { replayDeadLetters } from './replay-dead-letters.ts'
import { aRecord, anEngagement, anUpdaterWorld, noonMs, type UpdaterWorld } from './testing.ts'
import { createUpdater } from './updater.ts'

let world: UpdaterWorld
afterEach(() => world.stop())

const ann = asId<UserId>('ann-with-a-long-name')
const { signal } = new AbortController()
const onError = (error: Error) => world.errors.push(error)

async function erase(): Promise<void> {
  const value = encodeUserErasure({ userId: ann, erasedAtMs: noonMs + 1 })
  await world.log.append('erasures.v1', [{ key: ann, value, partition: null }])
  await world.log.drain()
}

const clicks = async (generation?: string): Promise<number> => {
  const pin = await world.pin('p', generation)
  return pin === null ? 0 : counted(pin.counters, actions.indexOf('click'), 'total', noonMs)
}

describe('what remains after an erasure', () => {
  it('are the raw events, which no rebuild of user state applies, and the counters of pins, which a rebuild keeps', async () => {
    world = await anUpdaterWorld()
    await world.send(aRecord({ userId: ann }))
    await erase()
    expect(await world.user(ann)).toBeNull()
    const raw = (await world.records('engagements.v1')).flatMap(({ value }) =>
      value === null ? [] : [decodeReceivedEngagement(value).engagement.userId],
    )
    expect(raw).toEqual([ann])
    expect(await world.records('pin-engagements.v1')).not.toEqual([])
    expect(await clicks()).toBe(1)
    for (const family of ['user', 'pin'] as const)
      await rebuildState({
        ...{ log: world.log, store: world.store, clock: world.clock, config: updaterConfigOf() },
        ...{ family, generation: '2', signal, onError },
      })
    expect(await world.user(ann, '2')).toBeNull()
    expect(await clicks('2')).toBe(1)
  })

  it('are dead letters and late events, of which a replay applies none to the user', async () => {
    world = await anUpdaterWorld()
    const { log, clock } = world
    const late = {
      engagement: anEngagement({ userId: ann }),
      receivedAtMs: noonMs,
      sourcePartition: 0,
      sourcePosition: 9,
      lateByMs: 1,
    }
    const letter = encodeDeadLetter({
      ...{ sourceTopic: 'engagements.v1', sourcePartition: 0, sourcePosition: 7, key: ann, code: 'CODEC_INVALID' },
      ...{
        value: aRecord({ userId: ann }).value as Uint8Array,
        message: 'wrong',
        schema: 'freshet.engagement.v1.Engagement',
        atMs: noonMs,
      },
    })
    await log.append('dead-letters.v1', [{ key: ann, value: letter, partition: null }])
    await log.append('engagements-late.v1', [{ key: ann, value: encodeLateEngagement(late), partition: null }])
    await erase()
    const running = replayDeadLetters({
      ...{ log, clock, filter: allDeadLetters, maxPerSecond: 1_000, dryRun: false, signal, onError },
    })
    let isOver = false
    void running.finally(() => (isOver = true))
    while (!isOver) {
      await new Promise((resolve) => setImmediate(resolve))
      if (clock.nextWake() !== null) await clock.advance(1)
    }
    expect(await running).toMatchObject({ matched: 2, replayed: 2 })
    await log.drain()
    expect(await world.user(ann)).toBeNull()
    expect(await clicks()).toBe(0)
  })

  it('are hashes of 8 bytes of users and event ids, which name neither', async () => {
    world = await anUpdaterWorld({ start: false })
    const { log, clock } = world
    const remembered: { readonly hashes: unknown }[] = []
    const commit: typeof world.store.commit = (one, ...rest) => {
      remembered.push(...one.remember)
      return world.store.commit(one, ...rest)
    }
    const config = updaterConfigOf({ updater: { canaryEveryMs: 0, logCheckMs: 0, generationPollMs: 0 } })
    const updater = createUpdater({ log, store: { ...world.store, commit }, clock, config })
    await updater.start()
    await log.append('engagements.v1', [aRecord({ userId: ann })])
    await log.drain()
    await updater.stop()
    expect(remembered).toHaveLength(1)
    for (const { hashes, ...rest } of remembered) {
      expect(hashes).toBeInstanceOf(BigUint64Array)
      expect(hashes).toHaveLength(1)
      expect(Object.values(rest).every((value) => typeof value === 'number')).toBe(true)
    }
  })
})
