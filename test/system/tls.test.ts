import { openAccess, type Access } from '@freshet/access/access'
import { anonymousCaller } from '@freshet/access/caller'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { connect as connectPlain } from 'node:net'
import { join } from 'node:path'
import { connect, type ConnectionOptions } from 'node:tls'
import { createCandidateServiceClient } from '@freshet/adapters/grpc/candidate-service-client'
import { serveCandidateService } from '@freshet/adapters/grpc/candidate-service-server'
import { serveBlender } from '@freshet/adapters/grpc/blender-server'
import { makeCertificates } from '@freshet/adapters/testing/certificates'
import { isContractError } from '@freshet/contracts/errors'
import { GetCapabilitiesResponse } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import type { Blender } from '@freshet/contracts/ports/calls'
import { askBlender } from '@freshet/freshet/operations/ask-blender'
import { RetrieveRequest, RetrieveResponse } from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import { createByteRoom } from '@freshet/service/byte-room'
import { ConfigError } from '@freshet/service/errors'
import { channelCredentials } from '@freshet/service/grpc-credentials'
import { startGrpcServer } from '@freshet/service/grpc-server'
import { createHttpApp, listen } from '@freshet/service/http-app'
import { createMetrics } from '@freshet/service/metrics'
import { startOperationsServer } from '@freshet/service/operations-server'
import { loadConfig } from '@freshet/service/config'
import { grpcSettings, httpSettings, serviceSettings, type HttpLimits } from '@freshet/service/settings'
import { until } from '@freshet/service/testing'
import { openTls } from '@freshet/service/tls'
import { tlsSchema } from '@freshet/service/tls-settings'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'

const certificates = makeCertificates()
afterAll(() => certificates.remove())
const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

const { ca, strangerCa, server: ours, client } = certificates
const serverFiles = { certFile: ours.cert, keyFile: ours.key }
const mutual = { ...serverFiles, clientCaFile: ca }
const clientFiles = { caFile: ca, certFile: client.cert, keyFile: client.key }

/** TLS of a process that looks at its files only when a test asks it to. */
function tlsOf(config: object) {
  const metrics = createMetrics()
  const reports: string[] = []
  const tls = openTls({
    config: tlsSchema.parse({ reloadIntervalMs: 3_600_000, ...config }),
    metrics,
    report: (error) => reports.push(`${(error as { code: string }).code}: ${(error as Error).message}`),
  })
  closing.push(() => tls.close())
  /** The value of a line of the metrics; 0: there is none. */
  const metric = async (line: string): Promise<number> => {
    const [, value = '0'] = (await metrics.text()).split(`\n${line} `)
    return Number.parseFloat(value)
  }
  return { tls, reports, metric }
}

async function startGrpc(config: object, maxConnectionAgeMs = 90_000, access: Access = openAccess) {
  const { tls, ...seen } = tlsOf(config)
  const server = await startGrpcServer({
    access,
    ...z.object(grpcSettings(0)).parse({ maxConnectionAgeMs }),
    services: [
      serveCandidateService(
        { retrieve: async () => RetrieveResponse.create() },
        { onDefect: (error) => seen.reports.push(String(error)) },
      ),
    ],
    descriptors: null,
    metrics: createMetrics(),
    tls: tls.server('grpc'),
  })
  closing.push(() => server.close())
  return { ...server, tls, ...seen }
}

function clientOf(config: object, port: number, host = 'localhost') {
  const { tls } = tlsOf(config)
  const remote = createCandidateServiceClient({
    address: `${host}:${port}`,
    credentials: channelCredentials(tls.client()),
  })
  closing.push(() => remote.close())
  return { tls, call: () => remote.retrieve(RetrieveRequest.create(), { timeoutMs: 10_000 }) }
}

/** The serial number of the certificate that a server shows, or why there is no connection. */
function handshake(port: number, options: ConnectionOptions = {}): Promise<{ serial: string } | { failed: string }> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: 'localhost', ca: readFileSync(ca), ...options })
    socket.once('secureConnect', () => {
      const { serialNumber } = socket.getPeerCertificate()
      // A server that refuses a client's certificate says so after the handshake, with TLS 1.3.
      socket.once('error', (error: Error) => resolve({ failed: error.message }))
      socket.once('close', () => resolve({ failed: 'closed' }))
      setTimeout(() => {
        resolve({ serial: serialNumber })
        socket.destroy()
      }, 100)
    })
    socket.once('error', (error: NodeJS.ErrnoException) => resolve({ failed: `${error.code ?? ''} ${error.message}` }))
  })
}

const withClientCertificate = { cert: readFileSync(client.cert), key: readFileSync(client.key) }

describe('TLS between services', () => {
  it('carries calls when both sides prove who they are', async () => {
    const { port } = await startGrpc(mutual)
    await expect(clientOf(clientFiles, port).call()).resolves.toBeDefined()
  })

  it.each<[string, object, object, RegExp]>([
    ['a client without a certificate', mutual, { caFile: ca }, /tls\.certFile/],
    [
      'a client whose certificate another authority signed',
      { ...serverFiles, clientCaFile: strangerCa },
      clientFiles,
      /tls\.certFile/,
    ],
    [
      'a server whose certificate another authority signed',
      mutual,
      { ...clientFiles, caFile: strangerCa },
      /tls\.caFile/,
    ],
    ['a port that does not speak TLS', {}, clientFiles, /does not speak TLS.*there.*tls\.caFile here/],
  ])('refuses %s, with an error that names the setting', async (_name, server, given, message) => {
    const { port } = await startGrpc(server)
    const error: unknown = await clientOf(given, port)
      .call()
      .catch((each: unknown) => each)
    // With TLS 1.3, the reason for which a server refuses a client's certificate does not always arrive.
    const codes = message.source.includes('certFile') ? ['CALL_TLS_FAILED', 'CALL_UNAVAILABLE'] : ['CALL_TLS_FAILED']
    expect(isContractError(error) && codes.includes(error.code), String(error)).toBe(true)
    expect((error as Error).message).toMatch(message)
    expect((error as Error).message).not.toMatch(/[0-9A-F]{8}:error/)
  })

  it('refuses a client in the clear, which learns that the port may speak TLS', async () => {
    const { port } = await startGrpc(mutual)
    await expect(clientOf({}, port).call()).rejects.toThrow(/tls\.caFile/)
  })

  it('accepts a client without a certificate where it is optional', async () => {
    const { port } = await startGrpc({ ...mutual, clientCertificates: 'optional' })
    await expect(clientOf({ caFile: ca }, port).call()).resolves.toBeDefined()
  })

  it('makes a client with a certificate a service of ours, and nobody else', async () => {
    // With keys, where nobody sends one.
    const closed: Access = {
      ...openAccess,
      open: false,
      identify: () => ({ caller: anonymousCaller, signature: null, origins: null }),
    }
    const { port } = await startGrpc({ ...mutual, clientCertificates: 'optional' }, 90_000, closed)
    await expect(clientOf(clientFiles, port).call()).resolves.toBeDefined()
    await expect(clientOf({ caFile: ca }, port).call()).rejects.toThrow(/ACCESS_/)
  })

  it('is what commands speak to a blender where the variables of services name the authority', async () => {
    const { tls } = tlsOf(mutual)
    const blender = { getCapabilities: async () => GetCapabilitiesResponse.create() } as unknown as Blender
    const server = await startGrpcServer({
      ...z.object(grpcSettings(0)).parse({}),
      services: [serveBlender(blender, { onDefect: () => undefined })],
      access: openAccess,
      descriptors: null,
      metrics: createMetrics(),
      tls: tls.server('grpc'),
    })
    closing.push(() => server.close())
    const ask = () =>
      askBlender({ target: `localhost:${server.port}`, signal: AbortSignal.timeout(10_000) }, (asked) =>
        asked.getCapabilities({}, { timeoutMs: 5_000 }),
      )
    const names = { FRESHET_TLS_CA_FILE: ca, FRESHET_TLS_CERT_FILE: client.cert, FRESHET_TLS_KEY_FILE: client.key }
    await expect(ask()).rejects.toThrow(/tls\.caFile/)
    for (const [name, file] of Object.entries(names)) vi.stubEnv(name, file)
    closing.push(() => vi.unstubAllEnvs())
    await expect(ask()).resolves.toBeDefined()
    vi.stubEnv('FRESHET_TLS_KEY_FILE', ca)
    await expect(ask()).rejects.toThrow(/tls\.keyFile/)
  })

  it('refuses TLS 1.1 and older', async () => {
    const grpc = await startGrpc(serverFiles)
    const http = await startHttp(serverFiles)
    for (const { port } of [grpc, http]) {
      const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
      expect(await handshake(port, old)).toMatchObject({
        failed: expect.stringMatching(/protocol version|closed|reset/i) as string,
      })
      expect(await handshake(port, { maxVersion: 'TLSv1.2' })).toHaveProperty('serial')
    }
  })
})

describe('new certificates', () => {
  /** Files that a test changes, as a mounted secret does. */
  function changing(name: string) {
    const at = { certFile: join(certificates.folder, `${name}.pem`), keyFile: join(certificates.folder, `${name}.key`) }
    const put = (from: { readonly cert: string; readonly key: string }): void => {
      copyFileSync(from.cert, at.certFile)
      copyFileSync(from.key, at.keyFile)
    }
    return { ...at, put }
  }

  it('are used for new connections, and no call is lost while servers and clients change theirs', async () => {
    const files = changing('rotated')
    files.put(ours)
    // Connections are so short that many calls meet new ones.
    const { port, tls, metric } = await startGrpc({ ...files, clientCaFile: ca }, 1_000)
    const first = await handshake(port, withClientCertificate)
    const own = changing('rotated-client')
    own.put(client)
    const caller = clientOf({ ...own, caFile: ca }, port)
    const old = connect({
      port,
      host: 'localhost',
      ca: readFileSync(ca),
      ALPNProtocols: ['h2'],
      ...withClientCertificate,
    })
    await new Promise((resolve) => old.once('secureConnect', resolve))
    let answered = 0
    const failed: unknown[] = []
    let over = false
    const callers = Array.from({ length: 8 }, async () => {
      while (!over) {
        await caller.call().then(
          () => answered++,
          (error: unknown) => failed.push(error),
        )
      }
    })
    const serials = new Set([JSON.stringify(first)])
    for (let round = 1; round <= 4; round++) {
      const before = answered
      files.put(certificates.sign(`server-${round}`))
      tls.look()
      own.put(certificates.sign(`client-${round}`))
      caller.tls.look()
      serials.add(JSON.stringify(await handshake(port, withClientCertificate)))
      await until('calls in this round', () => answered > before + 200, 20_000)
    }
    over = true
    await Promise.all(callers)
    expect(failed).toEqual([])
    expect(serials.size).toBe(5)
    expect([...serials].every((each) => each.includes('serial'))).toBe(true)
    expect(await metric('freshet_tls_reloads_total{outcome="loaded"}')).toBe(4)
    old.destroy()
  })

  it('leave open connections alone', async () => {
    const files = changing('kept')
    files.put(ours)
    const { port, tls } = await startHttp(files)
    const socket = connect({ port, host: 'localhost', ca: readFileSync(ca) })
    await new Promise((resolve) => socket.once('secureConnect', resolve))
    files.put(certificates.sign('server-kept'))
    tls.look()
    let received = ''
    socket.on('data', (bytes: Buffer) => (received += bytes.toString()))
    socket.write('GET /here HTTP/1.1\r\nhost: localhost\r\n\r\n')
    await until('an answer on the old connection', () => received.includes('{"here":true}'))
    socket.destroy()
  })

  it.each<[string, (files: { certFile: string; keyFile: string }) => void, RegExp]>([
    [
      'that are not certificates',
      ({ certFile }) => writeFileSync(certFile, 'garbage'),
      /tls\.certFile contains no PEM/,
    ],
    [
      'whose key is not there yet',
      ({ certFile }) => copyFileSync(client.cert, certFile),
      /tls\.keyFile does not belong/,
    ],
  ])('%s change nothing, are reported once and counted', async (_name, spoil, message) => {
    const files = changing('spoilt')
    files.put(ours)
    const { port, tls, reports, metric } = await startGrpc(files)
    const before = await handshake(port)
    spoil(files)
    for (let looks = 0; looks < 3; looks++) tls.look()
    expect(await handshake(port)).toEqual(before)
    expect(reports).toEqual([expect.stringMatching(message)])
    expect(reports[0]).toContain('TLS_FILES_UNUSABLE')
    expect(await metric('freshet_tls_reloads_total{outcome="refused"}')).toBe(1)
    const next = certificates.sign('server-after')
    files.put(next)
    tls.look()
    const after = await handshake(port)
    expect(after).toHaveProperty('serial')
    expect(after).not.toEqual(before)
  })

  it('are noticed by themselves', async () => {
    const files = changing('noticed')
    files.put(ours)
    const { port } = await startGrpc({ ...files, reloadIntervalMs: 50 })
    const before = JSON.stringify(await handshake(port))
    files.put(certificates.sign('server-noticed'))
    await until('the new certificate', async () => JSON.stringify(await handshake(port)) !== before)
  })

  it('show when they expire', async () => {
    const { metric } = tlsOf({ ...mutual, caFile: ca })
    for (const file of ['certFile', 'clientCaFile', 'caFile']) {
      const leftMs =
        (await metric(`freshet_tls_certificate_expiry_timestamp_seconds{file="${file}"}`)) * 1_000 - Date.now()
      expect(leftMs).toBeGreaterThan(0)
      expect(leftMs).toBeLessThan(3 * 86_400_000)
    }
  })
})

async function startHttp(config: object, limits: Partial<HttpLimits> = {}) {
  const { tls } = tlsOf(config)
  const metrics = createMetrics()
  const app = createHttpApp({
    access: openAccess,
    name: 'test',
    limits: { ...z.object(httpSettings(0)).parse({}), ...limits },
    maxBodyBytes: 1 << 20,
    room: createByteRoom(1 << 20, () => performance.now()),
    origins: [],
    methods: ['POST'],
    answerTo: (fault) => `{"fault":"${fault}"}`,
    metrics,
    tls: tls.server('http'),
  })
  app.get('/here', { config: { access: { rule: 'public' } } }, async () => ({ here: true }))
  const port = await listen(app, '127.0.0.1', 0)
  closing.push(() => app.close())
  const connections = async (): Promise<number> =>
    Number(/freshet_http_connections\{server="test"\} (\d+)/.exec(await metrics.text())?.[1])
  return { app, port, tls, connections }
}

function get(
  port: number,
  path: string,
  options: object = {},
): Promise<{ status: number; body: string } | { failed: string }> {
  return new Promise((resolve) => {
    const asked = request(
      { port, host: 'localhost', path, ca: readFileSync(ca), agent: false, ...options },
      (response) => {
        let body = ''
        response.on('data', (bytes: Buffer) => (body += bytes.toString()))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
      },
    )
    asked.on('error', (error) => resolve({ failed: error.message }))
    asked.end()
  })
}

describe('HTTPS', () => {
  it('answers, and asks browsers for no certificate', async () => {
    const { port, connections } = await startHttp(mutual)
    expect(await get(port, '/here')).toEqual({ status: 200, body: '{"here":true}' })
    await until('no connections', async () => (await connections()) === 0)
  })

  it('requires a certificate where the settings say so', async () => {
    const { port } = await startHttp({ ...mutual, clientCertificates: 'all' })
    expect(await get(port, '/here')).toHaveProperty('failed')
    expect(await get(port, '/here', withClientCertificate)).toMatchObject({ status: 200 })
  })

  it('answers a request that is not HTTP, by TLS', async () => {
    const { port } = await startHttp(serverFiles)
    const socket = connect({ port, host: 'localhost', ca: readFileSync(ca) })
    let received = ''
    socket.on('data', (bytes: Buffer) => (received += bytes.toString()))
    socket.on('error', () => undefined)
    socket.write('nonsense\r\n\r\n')
    await until('the answer', () => received.includes('{"fault":"malformed"}'))
  })

  it('counts connections from before their handshake, and gives the place of one that never does it to others', async () => {
    const { port, connections } = await startHttp(serverFiles, { maxConnections: 2 })
    const idle = Array.from({ length: 3 }, () => {
      const socket = connectPlain(port, '127.0.0.1')
      socket.on('error', () => undefined)
      closing.push(() => socket.destroy())
      return socket
    })
    await until('the limit', async () => (await connections()) === 2 && idle.some(({ destroyed }) => destroyed))
    expect(await get(port, '/here')).toMatchObject({ status: 200 })
    idle.at(-1).write('GET / HTTP/1.1\r\n\r\n')
    await until('the end of the one in the clear', () => idle.at(-1).destroyed)
    expect(await get(port, '/here')).toMatchObject({ status: 200 })
  })

  it('stops while clients keep connections open', async () => {
    const { app, port } = await startHttp(serverFiles)
    const socket = connect({ port, host: 'localhost', ca: readFileSync(ca) })
    socket.on('error', () => undefined)
    await new Promise((resolve) => socket.once('secureConnect', resolve))
    await app.close()
    await until('the end of the connection', () => socket.destroyed || socket.readableEnded)
  })

  it('is spoken by the operations server only if asked, without a certificate of the client', async () => {
    for (const operations of [false, true]) {
      const { tls } = tlsOf({ ...mutual, clientCertificates: 'all', operations })
      const server = await startOperationsServer({
        access: openAccess,
        host: '127.0.0.1',
        port: 0,
        name: 'test',
        version: '1',
        liveness: () => ({ state: 'ready', ok: true, reasons: [] }),
        readiness: () => ({ state: 'ready', ok: true, reasons: [] }),
        metrics: createMetrics(),
        config: {},
        tls: tls.server('operations'),
      })
      closing.push(() => server.close())
      expect(await get(server.port, '/livez')).toMatchObject(
        operations ? { status: 200 } : { failed: expect.any(String) as string },
      )
    }
  })
})

describe('settings of TLS', () => {
  const schema = z.object(serviceSettings(9_464))
  const problemsOf = (tls: object): string => {
    try {
      loadConfig(schema, { env: { FRESHET_TLS: JSON.stringify(tls) } })
    } catch (error) {
      return error instanceof ConfigError ? error.problems.join('\n') : String(error)
    }
    return ''
  }

  it.each<[string, object, RegExp]>([
    ['a certificate without its key', { certFile: ours.cert }, /tls\.keyFile.*go together/],
    ['a key without its certificate', { keyFile: ours.key }, /tls\.certFile.*go together/],
    ['authorities of clients without a certificate', { clientCaFile: ca }, /tls\.certFile/],
    ['a missing file', { caFile: '/none/ca.pem' }, /tls\.caFile.*cannot be read/],
    ['a key as a certificate', { caFile: ours.key }, /tls\.caFile.*no PEM certificate/],
    ['a key of another certificate', { certFile: ours.cert, keyFile: client.key }, /tls\.keyFile.*does not belong/],
  ])('%s is refused at the start', (_name, tls, message) => {
    expect(problemsOf(tls)).toMatch(message)
  })

  it('that go together are accepted', () => {
    expect(problemsOf({ ...mutual, caFile: ca })).toBe('')
  })
})
