import { Server, ServerCredentials } from '@grpc/grpc-js'
import { createRankerClient } from '@freshet/adapters/grpc/ranker-client'
import { addRanker } from '@freshet/adapters/grpc/ranker-server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aRanker, aRequest } from './testing.ts'

/** The ranker with its own server, and a client. */
async function served() {
  const world = await aRanker({ maxCandidates: 50 })
  await world.catalogue(20)
  await world.ranker.start()
  await world.log.drain()
  const defects: unknown[] = []
  const server = new Server()
  addRanker(server, world.ranker, { onDefect: (error) => defects.push(error) })
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, at) =>
      error === null ? resolve(at) : reject(error),
    )
  })
  const client = createRankerClient({ address: `127.0.0.1:${port}`, maxReconnectBackoffMs: 100 })
  const close = async () => {
    client.close()
    server.forceShutdown()
    await world.close()
  }
  return { ...world, client, defects, close }
}

describe('ranker over gRPC', () => {
  let world: Awaited<ReturnType<typeof served>>
  beforeAll(async () => {
    world = await served()
  })
  afterAll(() => world.close())

  it('answers the same bytes as in the process', async () => {
    const { client, ranker } = world
    const [far, near] = await Promise.all([
      client.rank(aRequest(20), { timeoutMs: 5_000 }),
      ranker.rank(aRequest(20), { timeoutMs: 5_000 }),
    ])
    for (const column of ['utilities', 'probabilities', 'features'] as const)
      expect(Buffer.from(far[column]).equals(near[column])).toBe(true)
    expect({ ...far, utilities: 0, probabilities: 0, features: 0 }).toEqual({
      ...near,
      utilities: 0,
      probabilities: 0,
      features: 0,
    })
  })

  it('rejects a bad request by field and continues to serve', async () => {
    const { client, defects } = world
    for (const [request, why] of [
      [aRequest(51), /pin_ids holds 51 candidates; at most 50 are allowed/],
      [{ ...aRequest(2), retrievalScores: new Uint8Array(3) }, /retrieval_scores has 3 bytes/],
      [{ ...aRequest(1), userState: Uint8Array.of(255, 255, 255) }, /user_state cannot be decoded/],
    ] as const) {
      const error: unknown = await client.rank(request, { timeoutMs: 5_000 }).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code: 'CALL_INVALID_ARGUMENT', message: expect.stringMatching(why) as string })
    }
    expect((await client.rank(aRequest(50), { timeoutMs: 5_000 })).utilities).toHaveLength(200)
    expect(defects).toEqual([])
  })

  it('answers in time, without the positions, if they never come', async () => {
    const { client, clock } = world
    const behind = [{ topic: 'pins.v1', partition: 0, position: 1_000_000 }]
    const answer = client.rank(aRequest(2, { await: behind }), { timeoutMs: 5_000 })
    await expect.poll(() => clock.nextWake()).not.toBeNull()
    await clock.advance(5_000)
    expect(await answer).toMatchObject({ fresh: false })
  })

  it('ends a call that its client cancels', async () => {
    const { client, clock } = world
    const ending = new AbortController()
    const behind = [{ topic: 'pins.v1', partition: 0, position: 1_000_000 }]
    const given = client.rank(aRequest(2, { await: behind }), { timeoutMs: 5_000, signal: ending.signal })
    await expect.poll(() => clock.nextWake()).not.toBeNull()
    ending.abort()
    await expect(given).rejects.toMatchObject({ code: 'CALL_CANCELLED' })
    await expect.poll(() => clock.nextWake()).toBeNull()
  })
})
