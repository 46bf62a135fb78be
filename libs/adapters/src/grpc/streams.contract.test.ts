import { Client, Server, ServerCredentials, credentials, status, type ServiceError } from '@grpc/grpc-js'
import { afterEach, describe, expect, test } from 'vitest'
import { ContractError, isContractError } from '@freshet/contracts/errors'
import {
  CandidateServiceClient,
  RetrieveStreamRequest,
  type RetrieveRequest,
  type RetrieveResponse,
  type RetrieveStreamResponse,
} from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import type { CallOptions } from '@freshet/contracts/ports/calls'
import { aRetrieveRequest, aRetrieveResponse } from '../suites/candidate-service.suite.ts'
import { openTcpProxy } from '../testing/tcp-proxy.ts'
import { createCandidateServiceClient } from './candidate-service-client.ts'
import { serveCandidateService } from './candidate-service-server.ts'

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

async function serve(retrieve: (request: RetrieveRequest, call: CallOptions) => Promise<RetrieveResponse>) {
  const server = new Server()
  const defects: unknown[] = []
  const streams: unknown[] = []
  const { definition, implementation, drain } = serveCandidateService(
    { retrieve },
    { onDefect: (error) => defects.push(error) },
  )
  const { retrieveStream } = implementation
  server.addService(definition, {
    ...implementation,
    retrieveStream: (duplex: Parameters<typeof retrieveStream>[0]) => {
      streams.push(duplex)
      retrieveStream(duplex)
    },
  })
  const port = await new Promise<number>((resolve) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (_error, bound) => resolve(bound))
  })
  closing.push(() => server.forceShutdown())
  return { server, drain, defects, streams, address: `127.0.0.1:${port}` }
}

function connect(address: string, options: { readonly maxInFlight?: number; readonly maxStreamAgeMs?: number } = {}) {
  const client = createCandidateServiceClient({ address, maxReconnectBackoffMs: 100, ...options })
  closing.push(client.close)
  return client
}

function raw(address: string): CandidateServiceClient {
  const client = new CandidateServiceClient(address, credentials.createInsecure())
  closing.push(() => client.close())
  return client
}

const answering = async ({ limit }: RetrieveRequest) => aRetrieveResponse(limit - 1)
const patience = { timeoutMs: 10_000 }

async function until(condition: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 10_000
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error('the condition did not become true in time')
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

describe('streams', () => {
  test('a server that drains loses no call and shuts down without force', async () => {
    const waiting: (() => void)[] = []
    const { server, drain, address } = await serve(
      (request) => new Promise((resolve) => waiting.push(() => resolve(aRetrieveResponse(request.limit - 1)))),
    )
    const client = connect(address)
    const calls = Array.from({ length: 20 }, (_, seed) => client.retrieve(aRetrieveRequest(seed), patience))
    await until(() => waiting.length === 20)
    drain()
    const ended = new Promise<void>((resolve) => server.tryShutdown(() => resolve()))
    for (const release of waiting) release()
    const answers = await Promise.all(calls)
    expect(answers.map(({ pinIds }) => pinIds[0])).toEqual(answers.map((_, seed) => `pin-${seed}-0`))
    await ended
  })

  test('a new stream replaces an old one without losing a call', async () => {
    const { address, streams } = await serve(answering)
    const client = connect(address, { maxStreamAgeMs: 1 })
    for (let seed = 0; streams.length < 5; seed++) {
      const { pinIds } = await client.retrieve(aRetrieveRequest(seed), patience)
      expect(pinIds[0]).toBe(`pin-${seed}-0`)
    }
  })

  test('calls beyond the cap are refused immediately, and accepted again when others end', async () => {
    const waiting: (() => void)[] = []
    const { address } = await serve(
      (request) => new Promise((resolve) => waiting.push(() => resolve(aRetrieveResponse(request.limit - 1)))),
    )
    const client = connect(address, { maxInFlight: 2 })
    const calls = [client.retrieve(aRetrieveRequest(0), patience), client.retrieve(aRetrieveRequest(1), patience)]
    const refused = await client.retrieve(aRetrieveRequest(2), patience).catch((error: unknown) => error)
    expect(isContractError(refused, 'CALL_UNAVAILABLE')).toBe(true)
    await until(() => waiting.length === 2)
    for (const release of waiting) release()
    await Promise.all(calls)
    const next = client.retrieve(aRetrieveRequest(3), patience)
    await until(() => waiting.length === 3)
    waiting[2]?.()
    await next
  })

  test('an address without a server: CALL_UNAVAILABLE before the deadline', async () => {
    const { address, server } = await serve(answering)
    server.forceShutdown()
    const startedMs = performance.now()
    const error = await connect(address)
      .retrieve(aRetrieveRequest(0), { timeoutMs: 5_000 })
      .catch((thrown: unknown) => thrown)
    expect(isContractError(error, 'CALL_UNAVAILABLE')).toBe(true)
    expect(performance.now() - startedMs).toBeLessThan(4_000)
  })

  test('dns:/// finds the service and spreads calls over its addresses', async () => {
    const { address } = await serve(answering)
    const client = createCandidateServiceClient({
      address: `dns:///localhost:${address.split(':')[1]}`,
      roundRobin: true,
    })
    closing.push(client.close)
    await client.ready(5_000)
    expect((await client.retrieve(aRetrieveRequest(3), patience)).pinIds).toHaveLength(292)
  })

  test('unary calls get the same answers, deadlines and errors', async () => {
    const { address, defects } = await serve(async (request) => {
      if (request.limit === 1) throw new ContractError('CALL_INVALID_ARGUMENT', 'at_ms: is negative')
      if (request.limit === 2) throw new TypeError('a bug')
      if (request.limit === 3) return new Promise(() => {})
      return answering(request)
    })
    const client = raw(address)
    const ask = (seed: number, timeoutMs = 5_000) =>
      new Promise<RetrieveResponse | ServiceError>((resolve) => {
        const deadline = Date.now() + timeoutMs
        client.makeUnaryRequest(
          CandidateServiceClient.service.retrieve.path,
          CandidateServiceClient.service.retrieve.requestSerialize,
          CandidateServiceClient.service.retrieve.responseDeserialize,
          aRetrieveRequest(seed),
          { deadline },
          (error, response) => resolve(error ?? response!),
        )
      })
    expect(await ask(0)).toMatchObject({ code: status.INVALID_ARGUMENT, details: 'at_ms: is negative' })
    expect(await ask(1)).toMatchObject({ code: status.INTERNAL })
    expect(defects).toEqual([expect.objectContaining({ code: 'CALL_INTERNAL', cause: new TypeError('a bug') })])
    expect(await ask(2, 60)).toMatchObject({ code: status.DEADLINE_EXCEEDED })
    expect(await ask(3)).toMatchObject({ pinIds: aRetrieveResponse(3).pinIds })
  })

  test.each([
    ['unary', '/freshet.retrieval.v1.CandidateService/Retrieve'],
    ['stream', '/freshet.retrieval.v1.CandidateService/RetrieveStream'],
  ])('bytes that are no message: INVALID_ARGUMENT with the name of the message (%s)', async (kind, path) => {
    const { address } = await serve(answering)
    const client = new Client(address, credentials.createInsecure())
    closing.push(() => client.close())
    const cut = Buffer.from([0x0a, 0x7f, 0x41])
    const asIs = (bytes: Buffer) => bytes
    const error = await new Promise<ServiceError>((resolve, reject) => {
      if (kind === 'unary')
        client.makeUnaryRequest(path, asIs, asIs, cut, (failed) => {
          if (failed === null) reject(new Error('answered'))
          else resolve(failed)
        })
      else {
        const duplex = client.makeBidiStreamRequest(path, asIs, asIs)
        duplex.on('data', () => {})
        duplex.on('error', (failed: ServiceError) => resolve(failed))
        duplex.write(cut)
      }
    })
    expect(error.code).toBe(status.INVALID_ARGUMENT)
    expect(error.details).toContain(`freshet.retrieval.v1.Retrieve${kind === 'unary' ? 'Request' : 'StreamRequest'}`)
  })

  test.each([
    ['reserved', { correlationId: 0, timeoutMs: 5, request: aRetrieveRequest(0) }],
    ['under way', { correlationId: 9, timeoutMs: 5_000, request: aRetrieveRequest(0) }],
  ])('a correlation id that is %s ends the stream with INVALID_ARGUMENT', async (why, message) => {
    const { address } = await serve(() => new Promise(() => {}))
    const duplex = raw(address).retrieveStream()
    const ended = new Promise<ServiceError>((resolve) => duplex.on('error', resolve))
    duplex.on('data', () => {})
    duplex.write(RetrieveStreamRequest.fromPartial(message))
    duplex.write(RetrieveStreamRequest.fromPartial(message))
    expect(await ended).toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: `correlation_id: ${message.correlationId} is ${why}`,
    })
  })

  test('a call without time left gets CALL_DEADLINE_EXCEEDED', async () => {
    const { address } = await serve(answering)
    const duplex = raw(address).retrieveStream()
    duplex.on('error', () => {})
    const answer = new Promise<RetrieveStreamResponse>((resolve) => duplex.on('data', resolve))
    duplex.write({ correlationId: 4, timeoutMs: 0, request: aRetrieveRequest(0), headers: {} })
    expect(await answer).toMatchObject({
      correlationId: 4,
      code: status.INVALID_ARGUMENT,
      message: expect.stringContaining('timeout_ms') as string,
    })
  })

  test.each([
    ['while calls are made', true],
    ['before the connection is made', false],
  ])('a peer that falls silent without a word %s is left behind for a new connection', async (_when, connected) => {
    const { address } = await serve(answering)
    const proxy = await openTcpProxy({ host: '127.0.0.1', port: Number(address.split(':')[1]) })
    closing.push(() => void proxy.close())
    const client = createCandidateServiceClient({ address: `127.0.0.1:${proxy.port}`, maxSilenceMs: 100 })
    closing.push(client.close)
    if (connected) await client.retrieve(aRetrieveRequest(0), patience)
    proxy.freeze()
    const unanswered = client.retrieve(aRetrieveRequest(1), { timeoutMs: 50 }).catch((error: unknown) => error)
    expect(isContractError(await unanswered, 'CALL_DEADLINE_EXCEEDED')).toBe(true)
    proxy.thaw()
    const startedMs = performance.now()
    for (let seed = 2; ; seed++) {
      const answer = await client.retrieve(aRetrieveRequest(seed), { timeoutMs: 50 }).catch((error: unknown) => error)
      if (!(answer instanceof Error)) break
      expect(performance.now() - startedMs).toBeLessThan(5_000)
    }
  })

  test('a slow service is not silent: it keeps its stream', async () => {
    const { address, streams } = await serve(
      ({ limit }) => new Promise((resolve) => setTimeout(() => resolve(aRetrieveResponse(limit - 1)), 80)),
    )
    const client = createCandidateServiceClient({ address, maxSilenceMs: 100 })
    closing.push(client.close)
    await client.retrieve(aRetrieveRequest(0), patience)
    for (let seed = 1; seed < 20; seed++) {
      const answer = client.retrieve(aRetrieveRequest(seed), { timeoutMs: 40 }).catch((error: unknown) => error)
      expect(isContractError(await answer, 'CALL_DEADLINE_EXCEEDED')).toBe(true)
    }
    expect((await client.retrieve(aRetrieveRequest(20), patience)).pinIds[0]).toBe('pin-20-0')
    expect(streams).toHaveLength(1)
  })

  test('the server ends all calls of a client that goes away', async () => {
    const signals: (AbortSignal | undefined)[] = []
    const { address } = await serve((_request, { signal }) => {
      signals.push(signal)
      return new Promise(() => {})
    })
    const client = createCandidateServiceClient({ address })
    const calls = [0, 1, 2].map((seed) =>
      client.retrieve(aRetrieveRequest(seed), patience).catch((error: unknown) => error),
    )
    await until(() => signals.length === 3)
    client.close()
    await until(() => signals.every((signal) => signal?.aborted === true))
    for (const error of await Promise.all(calls)) expect(isContractError(error, 'CALL_UNAVAILABLE')).toBe(true)
  })
})
