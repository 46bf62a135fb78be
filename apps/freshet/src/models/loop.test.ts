import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMemoryArtefactStore } from '@freshet/adapters/memory/artefact-store'
import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'
import { mulberry32 } from '@freshet/domain/mulberry32'
import { artefactName, decodeArtefact } from '@freshet/ranking/artefact/bytes'
import { describe, expect, it } from 'vitest'
import { aCreator, aTopic, aWhole, type Act, type Whole } from '../whole.fixture.ts'

const minuteMs = 60_000
const topics = ['a', 'b', 'c', 'd'].map(aTopic)
const users = Array.from({ length: 8 }, (_, n) => `u${n}`)

/** A spec that knows users by name: each likes one topic. */
const mine = `spec mine
input candidate.retrieval_score, candidate.topic_save_rate, user.id, pin.topics, candidate.position
training only candidate.position = 0
feature fan = hash(cross(user.id, pin.topics), rows: 512)
head save: probability = linear(log(candidate.retrieval_score), candidate.topic_save_rate, fan, log1p(candidate.position))
utility = save
train epochs: 8, rate: 0.05, batch: 64
`

/** All services with a trainer that trains every 10 minutes on whatever there is. */
async function aLoop(store: ArtefactStore, specFile: string | null = null): Promise<Whole> {
  const joiner = { windowMs: 5 * minuteMs, deliveryMs: 1_000 }
  const ranking = { trainIntervalMs: 10 * minuteMs, minRows: 100, minNewRows: 20 }
  const whole = await aWhole({ trainer: { joiner, ranking }, ranking: { specFile } }, undefined, store)
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

  it('serves a spec of the ranking language in retrieval order, learns it, and then ranks with what it learned', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'freshet-loop-'))
    const specFile = join(folder, 'mine.rank')
    await writeFile(specFile, mine)
    const store = createMemoryArtefactStore()
    const whole = await aLoop(store, specFile)
    const { ranker } = whole.embedded
    expect(ranker.model().version).toBe('mine-untrained')
    const { plan } = ranker.model()
    await play(whole, 5, 1)
    const served = ranker.model()
    expect(served.version).not.toBe('mine-untrained')
    expect(served.plan).toBe(plan)
    const { model } = decodeArtefact(await store.get(artefactName('home', served.version)), 'model')
    expect(model.plan.spec).toBe('mine')
    expect((await whole.feed({ userId: 'u0' })).items.length).toBeGreaterThan(0)
    await whole.stop()
    await rm(folder, { recursive: true })
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
