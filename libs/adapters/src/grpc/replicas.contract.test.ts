import { Server, ServerCredentials } from '@grpc/grpc-js'
import { afterEach, expect, test } from 'vitest'
import { GetFeedRequest, GetFeedResponse } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { aRetrieveRequest, aRetrieveResponse } from '../suites/candidate-service.suite.ts'
import { aFakeBlender } from '../testing/fake-blender.ts'
import { createBlenderClient } from './blender-client.ts'
import { serveBlender } from './blender-server.ts'
import { createCandidateServiceClient } from './candidate-service-client.ts'
import { serveCandidateService } from './candidate-service-server.ts'

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})
const patience = { timeoutMs: 10_000 }
const onDefect = () => {}
const resilience = { extraShare: 0.1, minHedgeMs: 1_000, breakerFailures: 3, breakerOpenMs: 200 }

async function bound(add: (server: Server) => void): Promise<{ readonly server: Server; readonly address: string }> {
  const server = new Server()
  add(server)
  const port = await new Promise<number>((resolve) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (_error, given) => resolve(given))
  })
  closing.push(() => server.forceShutdown())
  return { server, address: `127.0.0.1:${port}` }
}

test('no call to two candidate services fails when one of them dies', async () => {
  const answered = [0, 0]
  const serve = (at: number) =>
    bound((server) => {
      const retrieve = async () => {
        answered[at]!++
        return aRetrieveResponse(1)
      }
      const { definition, implementation } = serveCandidateService({ retrieve }, { onDefect })
      server.addService(definition, implementation)
    })
  const both = [await serve(0), await serve(1)]
  const client = createCandidateServiceClient({ address: both.map(({ address }) => address).join(), resilience })
  closing.push(client.close)
  await client.ready(5_000)
  const ask = () => client.retrieve(aRetrieveRequest(2), patience)
  for (let i = 0; i < 20; i++) await ask()
  expect(Math.min(...answered)).toBeGreaterThan(0)
  both[0]!.server.forceShutdown()
  await Promise.all(Array.from({ length: 10 }, ask))
  for (let i = 0; i < 50; i++) await ask()
})

test('no call to two blenders fails when one of them dies', async () => {
  const served = GetFeedResponse.fromPartial({ feedId: 'f' })
  const serve = () =>
    bound((server) => {
      const blender = aFakeBlender({ getFeed: async () => served })
      const { definition, implementation } = serveBlender(blender, { onDefect, defaultTimeoutMs: 1_000 })
      server.addService(definition, implementation)
    })
  const both = [await serve(), await serve()]
  const client = createBlenderClient({ address: both.map(({ address }) => address).join() })
  closing.push(client.close)
  await client.ready(5_000)
  const ask = () => client.getFeed(GetFeedRequest.fromPartial({ userId: 'ada' }), patience)
  for (let i = 0; i < 10; i++) await ask()
  both[1]!.server.forceShutdown()
  for (let i = 0; i < 50; i++) expect((await ask()).feedId).toBe('f')
})
