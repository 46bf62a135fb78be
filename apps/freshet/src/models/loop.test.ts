import { createMemoryArtefactStore } from '@freshet/adapters/memory/artefact-store'
import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'
import { mulberry32 } from '@freshet/domain/mulberry32'
import { artefactName } from '@freshet/ranking/artefact/bytes'
import { describe, expect, it } from 'vitest'
import { aCreator, aTopic, aWhole, type Act, type Whole } from '../whole.fixture.ts'

const minuteMs = 60_000
const topics = ['a', 'b', 'c', 'd'].map(aTopic)
const users = Array.from({ length: 8 }, (_, n) => `u${n}`)

/** All services with a trainer that trains every 10 minutes on whatever there is. */
async function aLoop(store: ArtefactStore): Promise<Whole> {
  const joiner = { windowMs: 5 * minuteMs, deliveryMs: 1_000 }
  const ranking = { trainIntervalMs: 10 * minuteMs, minRows: 100, minNewRows: 20 }
  const whole = await aWhole({ trainer: { joiner, ranking } }, undefined, store)
  const pins = Array.from({ length: 80 }, (_, n) => {
    const fields = { title: `pin ${n}`, topics: [topics[n % 4]!], creatorId: aCreator(`c${n % 10}`) }
    return [`p${n}`, fields] as const
  })
  await whole.pins(pins)
  return whole
}

/** Each user looks at a feed and saves pins of one topic, seldom others. */
async function play(whole: Whole, rounds: number, seed: number): Promise<void> {
  const random = mulberry32(seed)
  for (let round = 0; round < rounds; round++) {
    for (const [n, userId] of users.entries()) {
      const { feedId, items } = await whole.feed({ userId, pageSize: 10 })
      await whole.embedded.blender.flush()
      const acts = items.flatMap(({ pinId }): Act[] => {
        const act = { userId, on: pinId, feedId }
        const likes = Number(pinId.slice(1)) % 4 === n % 4
        const saves = random() < (likes ? 0.7 : 0.05)
        return [
          { ...act, action: 'impression' },
          ...(saves ? [{ ...act, action: 'save', boardId: userId } as const] : []),
        ]
      })
      await whole.act(...acts)
    }
    await whole.advance(11 * minuteMs)
    await whole.embedded.training?.runDue()
    // The ranker reads the registry.
    await whole.act()
  }
}

describe('the loop in one process', () => {
  it('trains on what was served and done, publishes what passes the gate, and ranks with it', async () => {
    const store = createMemoryArtefactStore()
    const whole = await aLoop(store)
    const builtIn = whole.embedded.ranker.model().version
    await play(whole, 5, 1)
    const { training, ranker } = whole.embedded
    const { outcomes, newestAtMs, seconds } = training!.ranking!.stats()
    expect(outcomes.get('published')).toBeGreaterThan(0)
    expect([newestAtMs, seconds]).toEqual([expect.any(Number), expect.any(Number)])
    const { version, plan } = ranker.model()
    expect(version).not.toBe(builtIn)
    expect(await store.list('models/')).toContain(artefactName('home', version))
    const feed = await whole.feed({ userId: 'u0' })
    expect(feed.items.length).toBeGreaterThan(0)
    expect(plan).toMatch(/^[0-9a-f]{16}$/)
    await whole.stop()
  })

  it('gives the same models for the same events', async () => {
    const bytesOf = async (): Promise<readonly string[]> => {
      const store = createMemoryArtefactStore()
      const whole = await aLoop(store)
      await play(whole, 3, 2)
      await whole.stop()
      const names = await store.list('models/')
      return Promise.all(names.map(async (name) => `${name} ${Buffer.from(await store.get(name)).toString('base64')}`))
    }
    const first = await bytesOf()
    expect(first.length).toBeGreaterThan(0)
    expect(await bytesOf()).toEqual(first)
  })
})
