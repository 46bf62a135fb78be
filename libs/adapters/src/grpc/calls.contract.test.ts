import { Server, ServerCredentials } from '@grpc/grpc-js'
import type { ChannelConfig } from './channel.ts'
import { candidateServiceSuite } from '../suites/candidate-service.suite.ts'
import { rankerSuite } from '../suites/ranker.suite.ts'
import type { Answer, CallFixture } from '../suites/call.suite.ts'
import { createCandidateServiceClient } from './candidate-service-client.ts'
import { addCandidateService } from './candidate-service-server.ts'
import { createRankerClient } from './ranker-client.ts'
import { addRanker } from './ranker-server.ts'

async function listen(add: (server: Server) => void, port = 0): Promise<{ readonly port: number; kill(): void }> {
  const server = new Server()
  add(server)
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, at) => {
      if (error === null) resolve(at)
      else reject(error)
    })
  })
  return { port: bound, kill: () => server.forceShutdown() }
}

async function fixture<Request, Response>(
  add: (server: Server) => void,
  connect: (config: ChannelConfig) => { readonly call: Answer<Request, Response>; close(): void },
): Promise<CallFixture<Request, Response>> {
  let server = await listen(add)
  const { port } = server
  const { call, close } = connect({ address: `127.0.0.1:${port}`, maxReconnectBackoffMs: 100 })
  return {
    call,
    outage: {
      kill: async () => server.kill(),
      revive: async () => {
        server = await listen(add, port)
      },
    },
    close: async () => {
      close()
      server.kill()
    },
  }
}

const onDefect = () => {}

candidateServiceSuite({
  name: 'candidate service, gRPC',
  mortal: true,
  start: (answer) =>
    fixture(
      (server) => void addCandidateService(server, { retrieve: answer }, { onDefect }),
      (config) => {
        const { retrieve, close } = createCandidateServiceClient(config)
        return { call: retrieve, close }
      },
    ),
})

rankerSuite({
  name: 'ranker, gRPC',
  mortal: true,
  start: (answer) =>
    fixture(
      (server) => void addRanker(server, { rank: answer }, { onDefect }),
      (config) => {
        const { rank, close } = createRankerClient(config)
        return { call: rank, close }
      },
    ),
})
