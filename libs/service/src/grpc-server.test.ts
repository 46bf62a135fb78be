import { openAccess } from '@freshet/access/access'
import type { CallRules } from '@freshet/access/rules'
import { connect as connectHttp2 } from 'node:http2'
import { connect, createServer } from 'node:net'
import {
  credentials,
  makeGenericClientConstructor,
  Metadata,
  status,
  type Client,
  type sendUnaryData,
  type ServerUnaryCall,
} from '@grpc/grpc-js'
import { service as healthService } from 'grpc-health-check'
import { afterEach, describe, expect, it } from 'vitest'
import { grpcComponent, startGrpcServer, type GrpcServer } from './grpc-server.ts'
import type { GrpcService } from './grpc-service.ts'
import { createMetrics } from './metrics.ts'
import { until } from './testing.ts'

const echo = {
  echo: {
    path: '/test.Echo/Echo',
    requestStream: false,
    responseStream: false,
    requestSerialize: (value: string) => Buffer.from(value),
    requestDeserialize: (bytes: Buffer) => bytes.toString(),
    responseSerialize: (value: string) => Buffer.from(value),
    responseDeserialize: (bytes: Buffer) => bytes.toString(),
  },
  stream: {
    path: '/test.Echo/Stream',
    requestStream: true,
    responseStream: true,
    requestSerialize: (value: string) => Buffer.from(value),
    requestDeserialize: (bytes: Buffer) => bytes.toString(),
    responseSerialize: (value: string) => Buffer.from(value),
    responseDeserialize: (bytes: Buffer) => bytes.toString(),
  },
}

const rules: CallRules = { echo: { rule: 'public' }, stream: { rule: 'public' } }

type Call = ServerUnaryCall<string, string>
type Done = sendUnaryData<string>

const closing: (() => void | Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

async function start(services: readonly GrpcService[], more = {}): Promise<GrpcServer> {
  const server = await startGrpcServer({
    access: openAccess,
    host: '127.0.0.1',
    port: 0,
    maxConnectionAgeMs: 60_000,
    maxConnectionGraceMs: 1_000,
    maxMessageBytes: 1 << 20,
    maxMetadataBytes: 8_192,
    maxCallsPerConnection: 1_024,
    maxConnections: 4_096,
    maxConnectionsPerAddress: 1_024,
    flowControlWindowBytes: 1 << 20,
    reflection: false,
    descriptors: null,
    metrics: createMetrics(),
    services,
    ...more,
  })
  closing.push(() => server.close())
  return server
}

function clientOf(definition: Parameters<typeof makeGenericClientConstructor>[0], port: number): Client {
  const client = new (makeGenericClientConstructor(definition, 'test'))(
    `127.0.0.1:${port}`,
    credentials.createInsecure(),
  )
  closing.push(() => {
    client.close()
  })
  return client
}

function unary(
  client: Client,
  text: string,
  deadline = Date.now() + 5_000,
  metadata = new Metadata(),
): Promise<string> {
  return new Promise((resolve, reject) => {
    const { path, requestSerialize, responseDeserialize } = echo.echo
    client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      text,
      metadata,
      { deadline },
      (error, answer) => {
        if (error === null) resolve(answer ?? '')
        else reject(error)
      },
    )
  })
}

function health(port: number, name: string): Promise<string> {
  const client = clientOf(healthService, port) as unknown as {
    check(request: { service: string }, done: (error: Error | null, answer: { status: string }) => void): void
  }
  return new Promise((resolve, reject) => {
    client.check({ service: name }, (error, answer) => {
      if (error === null) resolve(answer.status)
      else reject(error)
    })
  })
}

describe('a gRPC server', () => {
  it('answers calls, reports health per service, and counts calls', async () => {
    const metrics = createMetrics()
    const server = await start(
      [
        {
          definition: echo,
          rules,
          implementation: { echo: (call: Call, done: Done) => done(null, call.request), stream: () => undefined },
        },
      ],
      { metrics },
    )
    expect(await health(server.port, 'test.Echo')).toBe('NOT_SERVING')
    server.setServing(true)
    expect(await health(server.port, 'test.Echo')).toBe('SERVING')
    expect(await health(server.port, '')).toBe('SERVING')
    expect(await unary(clientOf(echo, server.port), 'hello')).toBe('hello')
    expect(await metrics.text()).toContain('freshet_grpc_calls_total{method="/test.Echo/Echo",status="OK"} 1')
  })

  const answering = {
    rules,
    definition: echo,
    implementation: { echo: (call: Call, done: Done) => done(null, call.request), stream: () => undefined },
  }

  it('takes metadata up to its limit, and refuses calls with more', async () => {
    const { port } = await start([answering], { maxMetadataBytes: 2_048 })
    const client = clientOf(echo, port)
    const own = Buffer.byteLength('x-long') + 32
    const ask = (bytes: number): Promise<string> => {
      const metadata = new Metadata()
      metadata.set('x-long', 'a'.repeat(bytes))
      return unary(client, 'hello', Date.now() + 5_000, metadata)
    }
    const refused = await ask(2_048).catch((error: unknown) => error as { code: number; details: string })
    expect(refused).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      details: expect.stringContaining('at most 2048') as string,
    })
    const others = Number(/has (\d+) bytes/.exec((refused as { details: string }).details)?.[1]) - 2_048 - own
    expect(await ask(2_048 - own - others)).toBe('hello')
    await expect(ask(2_048 - own - others + 1)).rejects.toMatchObject({ code: status.RESOURCE_EXHAUSTED })
  })

  it.each([
    ['a time limit that cannot be read', { 'grpc-timeout': 'soon' }, Buffer.from([0, 0, 0, 0, 0])],
    ['a packed message that cannot be unpacked', { 'grpc-encoding': 'gzip' }, Buffer.from([1, 0, 0, 0, 1, 7])],
  ])('blames the caller for %s, and counts the call', async (_name, headers, data) => {
    const metrics = createMetrics()
    const { port } = await start([answering], { metrics })
    const session = connectHttp2(`http://127.0.0.1:${port}`)
    closing.push(() => session.destroy())
    const code = await new Promise((resolve) => {
      const call = session.request({
        ':method': 'POST',
        ':path': echo.echo.path,
        'content-type': 'application/grpc',
        te: 'trailers',
        ...headers,
      })
      call.on('response', (answer) => resolve(answer['grpc-status']))
      call.end(data)
    })
    expect(Number(code)).toBe(status.INVALID_ARGUMENT)
    expect(await metrics.text()).toContain(
      'freshet_grpc_calls_total{method="/test.Echo/Echo",status="INVALID_ARGUMENT"} 1',
    )
  })

  it("lets its health follow the service's readiness", async () => {
    const server = await start([])
    let ok = false
    const part = grpcComponent(server, () => ({ state: 'ready', ok, reasons: [] }))
    expect(await health(server.port, '')).toBe('NOT_SERVING')
    ok = true
    await until('serving', async () => (await health(server.port, '')) === 'SERVING')
    ok = false
    await until('not serving', async () => (await health(server.port, '')) === 'NOT_SERVING')
    await part.drain?.()
  })

  it('lets an open call finish when it drains, and accepts no new call', async () => {
    const held: (() => void)[] = []
    const server = await start([
      {
        definition: echo,
        rules,
        implementation: {
          echo: (call: Call, done: Done) => {
            held.push(() => {
              done(null, call.request)
            })
          },
          stream: () => undefined,
        },
      },
    ])
    const answer = unary(clientOf(echo, server.port), 'late')
    await until('call arrived', () => held.length > 0)
    const drained = server.drain()
    held[0]?.()
    expect(await answer).toBe('late')
    await drained
    await expect(unary(clientOf(echo, server.port), 'new', Date.now() + 300)).rejects.toThrow()
  })

  it('takes only so many connections from an address and in all, and others again when some end', async () => {
    const metrics = createMetrics()
    const limits = { maxConnections: 3, maxConnectionsPerAddress: 2, metrics }
    const { port } = await start([answering], limits)
    /** A connection; whether the server keeps it. */
    const open = async (localAddress: string): Promise<{ readonly isKept: boolean; close(): Promise<void> }> => {
      const socket = connect({ port, host: '127.0.0.1', localAddress })
      const ended = new Promise<void>((done) => socket.once('close', () => done()))
      // A server of HTTP/2 speaks first.
      const greeted = new Promise<true>((done) => socket.once('data', () => done(true)))
      socket.on('error', () => undefined)
      const isKept = await Promise.race([greeted, ended.then(() => false)])
      const close = async (): Promise<void> => {
        socket.destroy()
        await ended
      }
      closing.push(() => void socket.destroy())
      return { isKept, close }
    }
    const first = await open('127.0.0.1')
    expect([first.isKept, (await open('127.0.0.1')).isKept, (await open('127.0.0.1')).isKept]).toEqual([
      ...[true, true],
      false,
    ])
    expect([(await open('127.0.0.2')).isKept, (await open('127.0.0.3')).isKept]).toEqual([true, false])
    await first.close()
    await until('room for another', async () => (await open('127.0.0.3')).isKept)
    const text = await metrics.text()
    expect(text).toContain('freshet_grpc_connections_refused_total{limit="address-limit"} 1')
    expect(text).toMatch(/freshet_grpc_connections_refused_total\{limit="limit"\} [1-9]/)
  })

  it('drains even if a stream stays open', async () => {
    let open = false
    const server = await start(
      [{ definition: echo, rules, implementation: { echo: () => undefined, stream: () => (open = true) } }],
      { drainMs: 100 },
    )
    const { path, requestSerialize, responseDeserialize } = echo.stream
    const stream = clientOf(echo, server.port).makeBidiStreamRequest(path, requestSerialize, responseDeserialize)
    const ended = new Promise<number>((resolve) =>
      stream.on('error', (error: Error & { code: number }) => resolve(error.code)),
    )
    stream.write('x')
    await until('stream arrived', () => open)
    await server.drain()
    expect([status.UNAVAILABLE, status.CANCELLED, status.INTERNAL]).toContain(await ended)
  })

  it.each([
    ['say nothing', ''],
    ['stop in the middle of the preface', 'PRI * HTTP/2.0\r\n'],
    ['stop after the preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['speak HTTP/1', 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 4000000\r\n\r\n{'],
  ])('A21: is not held up in stopping by 16 sockets that %s, and lets a call end meanwhile', async (_name, text) => {
    let answer: () => void = () => undefined
    const implementation = {
      echo: (call: Call, done: Done) => (answer = () => done(null, call.request)),
      stream: () => undefined,
    }
    // Far beyond the test's own time: a stop that waited for the sockets would not end in time.
    const server = await start([{ definition: echo, rules, implementation }], { drainMs: 600_000 })
    const before = answer
    const sockets = Array.from({ length: 16 }, () => connect(server.port, '127.0.0.1'))
    for (const socket of sockets) socket.on('error', () => undefined).write(text)
    const asked = unary(clientOf(echo, server.port), 'slow')
    await until('the call arrived', () => answer !== before)
    const drained = server.drain()
    setTimeout(answer, 700)
    expect(await asked).toBe('slow')
    await drained
    for (const socket of sockets) socket.destroy()
  })

  it('reports in one line that its port is in use', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    closing.push(() => void taken.close())
    const { port } = taken.address() as { port: number }
    await expect(start([], { port })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: `port ${port} on 127.0.0.1 is in use by another process`,
    })
    const first = await start([])
    await expect(start([], { port: first.port })).rejects.toMatchObject({ code: 'PORT_IN_USE' })
  })
})
