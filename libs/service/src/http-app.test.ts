import { openAccess, type Access } from '@freshet/access/access'
import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { FastifyContextConfig, FastifyInstance } from 'fastify'
import { brotliCompressSync, constants, gzipSync, zstdCompressSync } from 'node:zlib'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { createByteRoom } from './byte-room.ts'
import { bodyStatus, createHttpApp, listen } from './http-app.ts'
import { BodyError } from './http-body.ts'
import { createMetrics } from './metrics.ts'
import { httpSettings, type HttpLimits } from './settings.ts'
import { until } from './testing.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

/** A server on a port that answers with the parsed request. `slow` holds its answer until `release`. */
async function start(
  limits: Partial<HttpLimits> = {},
  maxBytes = 1 << 20,
  maxRoomBytes = 4 << 20,
  access: Access = openAccess,
) {
  const metrics = createMetrics()
  const room = createByteRoom(maxRoomBytes, () => performance.now())
  const app: FastifyInstance = createHttpApp({
    access,
    name: 'test',
    limits: { ...z.object(httpSettings(0)).parse({}), ...limits },
    maxBodyBytes: maxBytes,
    room,
    origins: [],
    methods: ['POST'],
    answerTo: (fault) => `{"fault":"${fault}"}`,
    metrics,
  })
  app.setErrorHandler((error, _request, reply) => {
    if (!(error instanceof BodyError)) throw error
    const { status, headers } = bodyStatus(error)
    return reply.code(status).headers(headers).send({ fault: error.fault, message: error.message })
  })
  const config: FastifyContextConfig = { access: { rule: 'public' } }
  app.post('/echo', { config }, async (request) => ({ body: request.body, bytes: request.bodyBytes }))
  app.get('/fast', { config }, async () => ({ ok: true }))
  const large = 'x'.repeat(8 << 20)
  app.get('/large', { config }, async () => large)
  let release: () => void = () => undefined
  const held = new Promise<void>((resolve) => (release = resolve))
  let holding = 0
  app.get('/slow', { config }, async () => {
    holding++
    await held
    return { ok: true }
  })
  const port = await listen(app, '127.0.0.1', 0)
  closing.push(() => app.close())
  const url = `http://127.0.0.1:${port}`
  const open = (text = ''): Socket & { closedByServer: boolean; received: string } => {
    const socket = Object.assign(connect(port, '127.0.0.1'), { closedByServer: false, received: '' })
    socket.on('error', () => undefined)
    // The worst kind of client: it never closes its half by itself.
    socket.allowHalfOpen = true
    socket.on('data', (chunk) => (socket.received += chunk.toString()))
    for (const sign of ['end', 'close']) socket.on(sign, () => (socket.closedByServer = true))
    if (text !== '') socket.write(text)
    closing.push(() => socket.destroy())
    return socket
  }
  const post = (body: string | Buffer, headers: Record<string, string> = {}) =>
    fetch(`${url}/echo`, {
      method: 'POST',
      body: body as string,
      headers: { 'content-type': 'application/json', ...headers },
    })
  const metric = async (line: string): Promise<number> =>
    Number(
      (await metrics.text())
        .split('\n')
        .find((each) => each.startsWith(line))
        ?.split(' ')
        .at(-1) ?? 0,
    )
  return { app, url, room, open, post, metric, release, holding: () => holding }
}

const head = (length: number, more = ''): string =>
  `POST /echo HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n${more}\r\n`

describe('an unknown path of a process with keys', () => {
  it('is answered before the body has arrived, which is not counted or kept', async () => {
    const { open, room } = await start({}, 1 << 20, 4 << 20, { ...openAccess, open: false })
    const socket = open(head(100_000).replace('/echo', '/nothing'))
    await until('the answer', () => socket.received.includes('404'))
    expect(room.bytes()).toBe(0)
  })
})

const slowKinds = [
  ['that say nothing', ''],
  ['in the middle of a header', 'POST /echo HTTP/1.1\r\nhost: x\r\ncontent-'],
  ['that stop after one byte of a large body', `${head(1 << 20)}{`],
  [
    'that stop in the middle of a chunked body',
    'POST /echo HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"a":\r\n',
  ],
] as const

describe('A21 · clients that hold connections', () => {
  it.each([
    ...slowKinds.map(([name, text]) => [16, name, text] as const),
    ...[slowKinds[0], slowKinds[2]].map(([name, text]) => [500, name, text] as const),
  ])(
    '%i sockets %s take no room, go after the time given, and others are served meanwhile',
    async (count, _name, text) => {
      const { room, open, post, metric } = await start({ maxReceiveMs: count > 100 ? 4_000 : 1_500 })
      const sockets = Array.from({ length: count }, () => open(text))
      await until('all are open', async () => (await metric('freshet_http_connections{')) >= count, 10_000)
      expect(room.bytes()).toBeLessThanOrEqual(count * 1_024)
      for (let i = 0; i < 10; i++) expect(await (await post('{"a":1}')).json()).toEqual({ body: { a: 1 }, bytes: 7 })
      await until('they are gone', () => sockets.every(({ closedByServer }) => closedByServer), 10_000)
      await until('only ours are left', async () => (await metric('freshet_http_connections{')) <= 4)
      expect(room.bytes()).toBe(0)
      expect((await post('{"a":1}')).status).toBe(200)
      if (text !== '') expect(sockets[0]?.received).toMatch(/^HTTP\/1\.1 408 .*"fault":"slow"/s)
    },
    30_000,
  )

  it('gain no time by sending slowly: the time limit starts with the request', async () => {
    const { open } = await start({ maxReceiveMs: 1_000 })
    const socket = open(head(1_000))
    const drip = setInterval(() => socket.write(' '), 50)
    closing.push(() => clearInterval(drip))
    await until('it is gone', () => socket.closedByServer, 5_000)
  })

  it('lose the connection that waited longest when one address has too many, but never one that the server is answering', async () => {
    const { url, open, metric, release, holding } = await start({ maxConnectionsPerAddress: 4 })
    const asked = Array.from({ length: 2 }, () => open('GET /slow HTTP/1.1\r\nhost: x\r\n\r\n'))
    await until('two are being answered', () => holding() === 2)
    const first = open('POST')
    await until('three are open', async () => (await metric('freshet_http_connections{')) === 3)
    const second = open('POST')
    await until('four are open', async () => (await metric('freshet_http_connections{')) === 4)
    expect((await fetch(`${url}/fast`, { headers: { connection: 'close' } })).status).toBe(200)
    await until('the first is gone', () => first.closedByServer)
    expect(second.closedByServer).toBe(false)
    expect(await metric('freshet_http_connections_closed_total{server="test",reason="address-limit"}')).toBe(1)
    release()
    await until('both are answered', () => asked.every(({ received }) => received.startsWith('HTTP/1.1 200')))
  })

  it('stay within the limit on all connections; the server refuses a new one only while it is answering all others', async () => {
    const { open, metric, release, holding } = await start({ maxConnections: 3 })
    const idle = open('POST')
    await until('one is open', async () => (await metric('freshet_http_connections{')) === 1)
    for (let i = 0; i < 3; i++) open('GET /slow HTTP/1.1\r\nhost: x\r\n\r\n')
    await until('three are being answered', () => holding() === 3)
    await until('the idle one is gone', () => idle.closedByServer)
    const refused = open('GET /fast HTTP/1.1\r\nhost: x\r\n\r\n')
    await until('another is refused', () => refused.closedByServer)
    expect(await metric('freshet_http_connections_closed_total{server="test",reason="refused"}')).toBe(1)
    release()
  })

  it('lose stalled bodies when a new body needs the room', async () => {
    const { room, open, post } = await start({ maxReceiveMs: 20_000 }, 1 << 20, (2 << 20) + 500)
    const almost = Buffer.alloc((1 << 20) - 10, ' ')
    const stalled = Array.from({ length: 2 }, () => open())
    for (const socket of stalled) socket.write(Buffer.concat([Buffer.from(head(1 << 20)), almost]))
    await until('both hold their bytes', () => room.bytes() >= 2 * almost.length)
    await until('a body is taken', async () => (await post(JSON.stringify('y'.repeat(1_000)))).status === 200, 5_000)
    await until('one was told', () => stalled.some(({ received }) => received.startsWith('HTTP/1.1 503')))
  })

  it('lose their connection if they do not read the answer', async () => {
    const { open, metric } = await start({ maxSendMs: 500 })
    const socket = open()
    socket.pause()
    socket.write('GET /large HTTP/1.1\r\nhost: x\r\n\r\n')
    const closed = 'freshet_http_connections_closed_total{server="test",reason="send-timeout"}'
    await until('it was closed', async () => (await metric(closed)) === 1, 10_000)
  })

  it.each([...slowKinds, ['that do not read', 'GET /large HTTP/1.1\r\nhost: x\r\n\r\n']] as const)(
    'do not hold up a stop: sockets %s',
    async (_name, text) => {
      // Times far beyond the test's own: a stop that waited for them would not end in time.
      const { app, open, metric } = await start({ maxReceiveMs: 600_000, maxSendMs: 600_000, maxIdleMs: 600_000 })
      const sockets = Array.from({ length: 16 }, () => open(text))
      for (const socket of sockets) socket.pause()
      await until('all are open', async () => (await metric('freshet_http_connections{')) === 16)
      await app.close()
    },
  )

  it('do not prevent a stop, which lets an answer in progress finish', async () => {
    const { app, url, release, holding } = await start()
    const answer = fetch(`${url}/slow`)
    await until('it is being answered', () => holding() === 1)
    const stopped = app.close()
    setTimeout(release, 1_500)
    expect((await answer).status).toBe(200)
    await stopped
  })

  it('are answered if their request arrives while the server stops', async () => {
    const { app, url, open, metric } = await start()
    const socket = open('GET /fast HTTP/1.1\r\nhost: x\r\n')
    await until('it is open', async () => (await metric('freshet_http_connections{')) === 1)
    await fetch(`${url}/fast`, { headers: { connection: 'close' } })
    const stopped = app.close()
    await until('no new connection is taken', () => !app.server.listening)
    socket.write('\r\n')
    await until('it is answered', () => socket.received.startsWith('HTTP/1.1 200'))
    await stopped
  })
})

/** Counts from now on, until the test ends, the bytes that all gunzip streams of this process give out. */
const unpackers = new Set(['Gunzip', 'ZstdDecompress', 'BrotliDecompress'])

/** How bodies are packed, by their content encoding. */
const packings = [
  ['gzip', (text: string | Buffer) => gzipSync(text, { level: 9 })],
  ['zstd', (text: string | Buffer) => zstdCompressSync(text)],
  ['br', (text: string | Buffer) => brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } })],
] as const

function countUnpackedBytes(): () => number {
  let bytes = 0
  const push = Readable.prototype.push
  const spy = vi.spyOn(Readable.prototype, 'push').mockImplementation(function (this: Readable, chunk, encoding) {
    if (unpackers.has(this.constructor.name) && Buffer.isBuffer(chunk)) bytes += chunk.length
    return push.call(this, chunk, encoding)
  })
  closing.push(() => spy.mockRestore())
  return () => bytes
}

/** Bytes in use after a garbage collection. */
function heldBytes(): number {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  collectGarbage()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

describe('bodies', () => {
  it('A17: are accepted plain and packed', async () => {
    const { post } = await start()
    const text = JSON.stringify({ a: 'Märchen'.repeat(100) })
    for (const [body, encoding] of [
      [text, 'identity'],
      [gzipSync(text), 'gzip'],
      [gzipSync(text), 'GZIP'],
      [gzipSync(text), 'x-gzip'],
      [zstdCompressSync(text), 'zstd'],
      [brotliCompressSync(text), 'br'],
    ] as const) {
      const answer = await post(body, { 'content-encoding': encoding })
      expect(answer.status).toBe(200)
      expect(await answer.json()).toEqual({ body: JSON.parse(text) as unknown, bytes: Buffer.byteLength(text) })
    }
  })

  it.each(packings)(
    'A17: that are bombs of %s are refused as soon as they exceed the limit, without being unpacked whole',
    async (encoding, pack) => {
      const { post, room } = await start({}, 64 << 10)
      const unpackedBytes = countUnpackedBytes()
      const answer = await post(pack(Buffer.alloc(32 << 20, ' ')), { 'content-encoding': encoding })
      expect(answer.status).toBe(413)
      expect(await answer.json()).toEqual({
        fault: 'too large',
        message: 'has more than 65536 bytes; send less at a time',
      })
      expect(unpackedBytes()).toBeGreaterThan(64 << 10)
      expect(unpackedBytes()).toBeLessThan(256 << 10)
      // One that is too large as it is sent is not unpacked at all.
      const before = unpackedBytes()
      expect((await post(randomBytes(65 << 10), { 'content-encoding': encoding })).status).toBe(413)
      expect(unpackedBytes()).toBe(before)
      await until('nothing counts any more', () => room.bytes() === 0)
    },
  )

  it.each(packings)('A17: of %s are accepted at the limit and refused one byte beyond', async (encoding, pack) => {
    const { post } = await start({}, 64 << 10)
    const body = (bytes: number): Buffer => pack(`${' '.repeat(bytes - 2)}{}`)
    expect((await post(body(64 << 10), { 'content-encoding': encoding })).status).toBe(200)
    expect((await post(body((64 << 10) + 1), { 'content-encoding': encoding })).status).toBe(413)
  })

  it('A17: are accepted plain at the limit and refused one byte beyond', async () => {
    const { post } = await start({}, 64 << 10)
    expect((await post(`${' '.repeat((64 << 10) - 2)}{}`)).status).toBe(200)
    expect((await post(`${' '.repeat((64 << 10) - 1)}{}`)).status).toBe(413)
  })

  it('A17: of zstd may not ask for a window of more than 8 MiB', async () => {
    const { post } = await start({}, 64 << 10)
    // The window's size is in the byte after the magic number and the descriptor, unless the frame is a single segment.
    const asking = (log: number): Buffer =>
      Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, (log - 10) << 3]), emptyObject])
    const emptyObject = Buffer.from([0x11, 0, 0, 0x7b, 0x7d])
    expect((await post(asking(23), { 'content-encoding': 'zstd' })).status).toBe(200)
    expect((await post(asking(24), { 'content-encoding': 'zstd' })).status).toBe(400)
  })

  it.each([
    ['headers', (bytes: number) => ({ 'x-long': 'a'.repeat(bytes) })],
    ['a URL', (bytes: number) => `/fast?${'a'.repeat(bytes)}`],
  ] as const)('with %s at the limit are answered, and get 431 beyond it', async (_name, of) => {
    const { url } = await start({ maxHeaderBytes: 4_096 })
    const ask = async (bytes: number): Promise<Response> => {
      const given = of(bytes)
      return typeof given === 'string' ? fetch(`${url}${given}`) : fetch(`${url}/fast`, { headers: given })
    }
    expect((await ask(3_000)).status).toBe(200)
    const refused = await ask(4_100)
    expect(refused.status).toBe(431)
    expect(await refused.json()).toEqual({ fault: 'headers' })
  })

  it.each([
    ['what is not gzip', Buffer.from('{"a":1}'), 400, 'malformed', 'is not gzip'],
    ['half of it', gzipSync('{"a":1}').subarray(0, 20), 400, 'malformed', 'is not gzip'],
    ['nothing', Buffer.alloc(0), 400, 'malformed', ''],
    ['gzip of what is not JSON', gzipSync('hello'), 400, 'malformed', 'is not JSON'],
  ])('A17: %s in the name of gzip is refused', async (_name, body, status, fault, text) => {
    const { post } = await start()
    const answer = await post(body, { 'content-encoding': 'gzip' })
    expect(answer.status).toBe(status)
    const problem = (await answer.json()) as { fault: string; message: string }
    expect(problem.fault).toBe(fault)
    expect(problem.message).toContain(text)
  })

  it.each(['deflate', 'compress', 'gzip, gzip', 'zstd, br'])(
    'A17: %s is refused with what is taken',
    async (encoding) => {
      const { post } = await start()
      const answer = await post('{}', { 'content-encoding': encoding })
      expect(answer.status).toBe(415)
      expect(answer.headers.get('accept-encoding')).toBe('gzip, zstd, br, identity')
      expect(await answer.json()).toMatchObject({ fault: 'encoding' })
    },
  )

  it('A21: of a million one-byte chunks take no more memory than their bytes', async () => {
    const { open, room } = await start({ maxReceiveMs: 30_000 }, 1 << 20)
    const beforeBytes = heldBytes()
    const socket = open(
      'POST /echo HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n',
    )
    for (let i = 0; i < 50; i++) socket.write('1\r\n \r\n'.repeat(10_000))
    await until('half of them have come', () => room.bytes() >= 500_000, 20_000)
    expect(heldBytes() - beforeBytes).toBeLessThan(40 << 20)
  })
})

describe('A14 · answers', () => {
  it('forbid caches to store them, whatever the status', async () => {
    const { url, post, open } = await start()
    for (const answer of [
      await fetch(`${url}/fast`),
      await fetch(`${url}/fast`, { method: 'HEAD' }),
      await fetch(`${url}/nothing`),
      await post('{'),
    ]) {
      expect(answer.headers.get('cache-control')).toBe('no-store')
    }
    const socket = open('NONSENSE\r\n\r\n')
    await until('it is refused', () => socket.received.includes('\r\n\r\n'))
    expect(socket.received).toMatch(/^HTTP\/1\.1 400 .*cache-control: no-store.*"fault":"malformed"/s)
    await until('it is closed', () => socket.closedByServer)
  })
})
