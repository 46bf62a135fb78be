import { Server, ServerCredentials } from '@grpc/grpc-js'
import { ContractError } from '@freshet/contracts/errors'
import { AttributeResponse, type AttributeRequest } from '@freshet/contracts/gen/freshet/ranking/v1/ranking'
import type { Attribution } from '@freshet/contracts/ports/calls'
import { afterEach, describe, expect, test } from 'vitest'
import { createRankerClient } from './ranker-client.ts'
import { addRanker } from './ranker-server.ts'

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

/** A ranker that attributes as the test says; absent: it cannot. Resolves to its port. */
async function served(attribution: Partial<Attribution>): Promise<number> {
  const server = new Server()
  addRanker(server, { rank: () => Promise.reject(new Error('not asked')), ...attribution }, { onDefect: () => {} })
  closing.push(() => server.forceShutdown())
  return new Promise((resolve) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (_error, port) => resolve(port))
  })
}

function clientOf(...ports: readonly number[]): Attribution {
  const client = createRankerClient({ address: ports.map((port) => `127.0.0.1:${port}`).join(',') })
  closing.push(() => client.close())
  return client
}

const request = { feedServed: Uint8Array.of(0, 255, 7), pinIds: ['a', 'ü'] }
const call = { timeoutMs: 10_000 }
const answer = AttributeResponse.fromPartial({
  method: 'ablation',
  heads: ['save'],
  featureNames: ['age'],
  scores: Buffer.from(Float64Array.of(-1.5, 0.25).buffer),
})

describe('Ranker.Attribute over gRPC', () => {
  test('request, trace and answer arrive as they were sent', async () => {
    const seen: { readonly request: AttributeRequest; readonly trace: string | undefined }[] = []
    const port = await served({
      async attribute(given, { headers }) {
        seen.push({ request: given, trace: headers?.['traceparent'] })
        return answer
      },
    })
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    expect(await clientOf(port).attribute(request, { ...call, headers: { traceparent } })).toEqual(answer)
    expect([Uint8Array.from(seen[0]!.request.feedServed), seen[0]!.request.pinIds]).toEqual([
      request.feedServed,
      request.pinIds,
    ])
    expect(seen[0]!.trace).toBe(traceparent)
  })

  test('a ranker that cannot attribute answers with the reason', async () => {
    const { problem, featureNames } = await clientOf(await served({})).attribute(request, call)
    expect([problem, featureNames]).toEqual(['this ranker does not attribute scores to features', []])
  })

  test('errors keep their codes, and the deadline holds', async () => {
    const port = await served({
      attribute({ pinIds }) {
        if (pinIds[0] === 'slow') return new Promise(() => {})
        return Promise.reject(new ContractError('CALL_INVALID_ARGUMENT', 'pin_ids[0] is "a", which is not on the page'))
      },
    })
    const client = clientOf(port)
    await expect(client.attribute(request, call)).rejects.toMatchObject({
      code: 'CALL_INVALID_ARGUMENT',
      message: 'pin_ids[0] is "a", which is not on the page',
    })
    await expect(client.attribute({ ...request, pinIds: ['slow'] }, { timeoutMs: 50 })).rejects.toMatchObject({
      code: 'CALL_DEADLINE_EXCEEDED',
    })
  })

  test('of two rankers the one that is there answers', async () => {
    const there = await served({ attribute: async () => answer })
    const client = clientOf(await deadPort(), there)
    for (let asked = 0; asked < 4; asked++) expect(await client.attribute(request, call)).toEqual(answer)
  })
})

/** A port at which nothing listens. */
async function deadPort(): Promise<number> {
  const port = await served({})
  closing.pop()!()
  return port
}
