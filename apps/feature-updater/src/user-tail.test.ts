import { tailBytesIn, userStateVersion, wordsVersion } from '@freshet/contracts/codecs/user-tail'
import { UserState } from '@freshet/contracts/gen/freshet/state/v1/state'
import { decodeUserState, withoutTail } from '@freshet/contracts/codecs/user-state'
import { asId, type PinId } from '@freshet/domain/ids'
import { partitionOf } from '@freshet/domain/partition'
import { afterEach, describe, expect, it } from 'vitest'
import { aRecord, anUpdaterWorld, noonMs, type UpdaterWorld } from './testing.ts'

let world: UpdaterWorld
afterEach(() => world.stop())

async function stored(userId = 'u'): Promise<Uint8Array> {
  const { values } = await world.store.read('user.1', partitionOf(userId, world.partitions), [userId])
  const value = values[0]
  if (value == null) throw new Error(`nothing is stored of ${userId}`)
  return value
}

const aClick = (number: number) =>
  aRecord({ subject: { kind: 'pin', pinId: asId<PinId>(`p${number}`) }, occurredAtMs: noonMs + number })

describe('the tail of a user', () => {
  it.each([
    ['is known', 1 << 20],
    ['is read from the end of the value, since nothing is cached', 0],
  ])('grows up to its bound and is folded in then, where its length %s', async (_, cacheBytes) => {
    const compactAfterBytes = 300
    world = await anUpdaterWorld({ fold: { compactAfterBytes }, updater: { cacheBytes } })
    const tails: number[] = []
    for (let number = 0; number < 80; number++) {
      await world.send(aClick(number))
      const value = await stored()
      tails.push(tailBytesIn(value))
      expect(decodeUserState(value).recent.pinIds).toHaveLength(number + 1)
    }
    expect(Math.max(...tails)).toBeLessThanOrEqual(compactAfterBytes)
    expect(Math.max(...tails)).toBeGreaterThan(compactAfterBytes / 2)
    expect(tails.filter((bytes) => bytes === 0).length).toBeGreaterThan(5)
    expect(tails.filter((bytes) => bytes > 0).length).toBeGreaterThan(30)
  })

  it('is left out where a user does much at once', async () => {
    world = await anUpdaterWorld({ fold: { compactAfterBytes: 300 } })
    await world.send(...Array.from({ length: 50 }, (_, number) => aClick(number)))
    expect(tailBytesIn(await stored())).toBeLessThanOrEqual(300)
    expect(decodeUserState(await stored()).recent.pinIds).toHaveLength(50)
  })

  it('says the same as a state written whole at every event', async () => {
    const values: Uint8Array[] = []
    for (const compactAfterBytes of [0, 1280]) {
      world = await anUpdaterWorld({ fold: { compactAfterBytes } })
      for (let number = 0; number < 20; number++) await world.send(aClick(number))
      values.push(withoutTail(await stored()))
      if (compactAfterBytes === 0) {
        expect(tailBytesIn(await stored())).toBe(0)
        await world.stop()
      }
    }
    expect(values[1]).toEqual(values[0])
  })

  it('begins a new value where the old one has expired, though its length is still cached', async () => {
    world = await anUpdaterWorld({ fold: { userTtlMs: 3_600_000 } })
    await world.send(aClick(1), aClick(2))
    await world.clock.advance(3_600_001)
    await world.send(aClick(3))
    expect(decodeUserState(await stored()).recent.pinIds).toEqual(['p3'])
  })

  it.each([1 << 20, 0])(
    'of a user with a blocked word never hides the layout (cache of %i bytes)',
    async (cacheBytes) => {
      world = await anUpdaterWorld({ updater: { cacheBytes } })
      const layout = async () => UserState.decode(await stored()).version
      const aWord = (action: 'block' | 'unblock', occurredAtMs: number) =>
        aRecord({ action, subject: { kind: 'word', word: 'cats' }, occurredAtMs })
      await world.send(aClick(1))
      expect(await layout()).toBe(userStateVersion)
      await world.send(aWord('block', noonMs + 2))
      for (let number = 3; number < 6; number++) {
        await world.send(aClick(number))
        expect(await layout()).toBe(wordsVersion)
      }
      await world.send(aWord('unblock', noonMs + 7), aClick(8))
      expect(await layout()).toBe(wordsVersion)
      expect(decodeUserState(await stored()).recent.pinIds).toEqual(['p1', 'p3', 'p4', 'p5', 'p8'])
    },
  )

  it('goes with its user', async () => {
    world = await anUpdaterWorld()
    await world.send(aClick(1), { key: 'u', value: null, partition: null })
    expect(await world.user('u')).toBeNull()
    await world.send(aClick(2))
    await world.send({ key: 'u', value: null, partition: null })
    expect(await world.user('u')).toBeNull()
    await world.send(aClick(3))
    expect((await world.user('u'))?.recent.pinIds).toEqual(['p3'])
  })
})
