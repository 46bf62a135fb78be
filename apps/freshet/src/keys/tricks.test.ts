import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { Client, credentials, Metadata, status } from '@grpc/grpc-js'
import { BlenderService, GetFeedRequest, GetPinsRequest } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { startGrpcServer } from '@freshet/service/grpc-server'
import { listen } from '@freshet/service/http-app'
import { createMetrics } from '@freshet/service/metrics'
import { grpcSettings } from '@freshet/service/settings'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { callersOf, goodOrigin, ownUser } from './callers.fixture.ts'
import { serveNothing } from './served.ts'

let callers: Awaited<ReturnType<typeof callersOf>>
let ports: Readonly<Record<'public' | 'admin' | 'feeds' | 'operations' | 'grpc', number>>
const closing: (() => unknown)[] = []

beforeAll(async () => {
  callers = await callersOf()
  const { apps, services } = await serveNothing(callers.access)
  const bound = await Promise.all(apps.map(async ({ name, app }) => [name, await listen(app, '127.0.0.1', 0)] as const))
  const grpc = await startGrpcServer({
    ...z.object(grpcSettings(0)).parse({}),
    ...{ services, access: callers.access, descriptors: null, metrics: createMetrics() },
  })
  ports = { ...(Object.fromEntries(bound) as Omit<typeof ports, 'grpc'>), grpc: grpc.port }
  closing.push(
    () => callers.access.close(),
    grpc.close,
    ...apps.map(
      ({ app }) =>
        () =>
          app.close(),
    ),
  )
})
afterAll(async () => {
  for (const close of closing.toReversed()) await close()
})

const urlOf = (server: 'public' | 'admin' | 'feeds' | 'operations', path: string): string =>
  `http://127.0.0.1:${ports[server]}${path}`

interface Answer {
  readonly status: number
  readonly code: string
  readonly field: string
  readonly message: string
}

async function readAnswer(response: Response): Promise<Answer> {
  type Details = readonly { readonly debug: { readonly reason: string } }[]
  const body = (await response.json().catch(() => ({}))) as {
    readonly error?: Omit<Answer, 'status'>
    readonly message?: string
    readonly details?: Details
  }
  const code = body.error?.code ?? body.details?.[0]?.debug.reason ?? ''
  return {
    status: response.status,
    code,
    field: body.error?.field ?? '',
    message: body.error?.message ?? body.message ?? '',
  }
}

const json = { 'content-type': 'application/json' }

describe('fields for trusted callers', () => {
  const fields = [
    ['explain', { explain: true }],
    ['evaluation', { evaluation: { dryRun: true } }],
    ['atMs', { atMs: 1_700_000_000_000 }],
  ] as const
  const token = () => callers.good.token({ method: '', path: '', body: Buffer.alloc(0) })
  const admin = () => callers.good.admin({ method: '', path: '', body: Buffer.alloc(0) })
  const put = (path: string, body: object, headers: Record<string, string>) =>
    fetch(urlOf('feeds', path), {
      method: 'POST',
      headers: { ...json, ...headers },
      body: JSON.stringify(body),
    }).then(readAnswer)

  it.each(fields)(
    'refuses %s of a reader over JSON, Connect and gRPC, and takes it of an admin',
    async (name, field) => {
      const message = { userId: ownUser, ...field }
      const connectMessage = 'atMs' in field ? { userId: ownUser, atMs: String(field.atMs) } : message
      const path = '/freshet.blending.v1.Blender/GetFeed'
      for (const [where, body] of [
        ['/v1/feed', message],
        [path, connectMessage],
      ] as const) {
        expect(await put(where, body, token())).toMatchObject({ status: 403, code: 'ACCESS_FIELD_DENIED' })
        expect((await put(where, body, token())).message).toContain(`${name}: `)
        expect((await put(where, body, admin())).status).toBe(200)
      }
      const request = GetFeedRequest.fromJSON(connectMessage)
      const proto = await fetch(urlOf('feeds', path), {
        method: 'POST',
        headers: { 'content-type': 'application/proto', ...token() },
        body: GetFeedRequest.encode(request).finish(),
      })
      expect(proto.status).toBe(403)
      expect(await ask(token(), request)).toContain(`PERMISSION_DENIED ACCESS_FIELD_DENIED: ${name}: `)
      expect(await ask(admin(), request)).toBe('OK')
    },
  )

  it('names the field in the answer of a JSON route', async () => {
    expect(await put('/v1/feed', { userId: ownUser, explain: true }, token())).toMatchObject({ field: 'explain' })
  })

  it('refuses explain and atMs in query strings and in Connect GET', async () => {
    const get = (path: string, headers: Record<string, string>) => fetch(urlOf('feeds', path), { headers })
    expect((await get(`/v1/feed?userId=${ownUser}&explain=true`, token())).status).toBe(403)
    expect((await get(`/v1/feed?userId=${ownUser}`, token())).status).toBe(200)
    expect((await get('/v1/pins?pinIds=p&atMs=1700000000000', token())).status).toBe(403)
    const message = (value: object) => encodeURIComponent(JSON.stringify(value))
    const rank = (value: object) =>
      `/freshet.blending.v1.Blender/RankPins?connect=v1&encoding=json&message=${message(value)}`
    expect((await get(rank({ userId: ownUser, pinIds: ['p'], explain: true }), token())).status).toBe(403)
    expect((await get(rank({ userId: 'u-other', pinIds: ['p'] }), token())).status).toBe(403)
    expect((await get(rank({ userId: ownUser, pinIds: ['p'] }), token())).status).toBe(200)
    const proto = Buffer.from(GetPinsRequest.encode({ pinIds: ['p'], atMs: 1_700_000_000_000 }).finish())
    const pins = `/freshet.blending.v1.Blender/GetPins?connect=v1&encoding=proto&base64=1&message=${proto.toString('base64url')}`
    expect((await get(pins, token())).status).toBe(403)
    expect((await get(pins, admin())).status).toBe(200)
  })

  /** Asks over gRPC, and returns the code and the details of the status. */
  function ask(headers: Readonly<Record<string, string>>, request: GetFeedRequest): Promise<string> {
    const client = new Client(`127.0.0.1:${ports.grpc}`, credentials.createInsecure())
    const metadata = new Metadata()
    for (const [name, value] of Object.entries(headers)) metadata.set(name, value)
    const same = (value: Buffer): Buffer => value
    const bytes = Buffer.from(GetFeedRequest.encode(request).finish())
    const { path } = BlenderService.getFeed
    return new Promise((resolve) => {
      client.makeUnaryRequest(path, same, same, bytes, metadata, (error) => {
        client.close()
        resolve(error === null ? 'OK' : `${status[error.code]} ${error.details}`)
      })
    })
  }
})

/** Sends bytes as they are, and returns the first line of the answer. */
function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    let received = ''
    socket.on('error', reject)
    socket.on('data', (chunk) => {
      received += chunk.toString()
      if (!received.includes('\r\n\r\n')) return
      socket.destroy()
      resolve(received.split('\r\n')[0]!)
    })
    socket.write(text)
  })
}

describe('tricks with paths, methods and headers', () => {
  const admitted = /HTTP\/1\.1 2/
  const line = (port: number, method: string, path: string, headers: readonly string[] = []): Promise<string> =>
    raw(port, `${method} ${path} HTTP/1.1\r\nhost: x\r\n${headers.map((each) => `${each}\r\n`).join('')}\r\n`)

  it.each([
    ['DELETE', '//v1/users/u1'],
    ['DELETE', '/v1//users/u1'],
    ['DELETE', '/v1/users/u1/'],
    ['DELETE', '/V1/users/u1'],
    ['DELETE', '/v1/users/../users/u1'],
    ['DELETE', '/v1/x/../users/u1'],
    ['DELETE', '/v1/%75sers/u1'],
    ['DELETE', '/v1%2Fusers%2Fu1'],
    ['DELETE', '/v1/users/u1?x=/livez'],
    ['DELETE', '/v1/users/u1;livez'],
    ['DELETE', 'http://localhost/v1/users/u1'],
    ['delete', '/v1/users/u1'],
    ['OPTIONS', '/v1/users/u1'],
    ['PATCH', '/v1/users/u1'],
  ])('%s %s without a key does not succeed', async (method, path) => {
    const answer = await line(ports.admin, method, path)
    // What answers OPTIONS is CORS, without doing anything.
    expect(answer).not.toMatch(method === 'OPTIONS' ? /HTTP\/1\.1 200/ : admitted)
  })

  it.each([
    '/configz/',
    '//configz',
    '/configz?x=/livez',
    '/livez/../configz',
    '/%63onfigz',
    '/v1/users/u1/state',
    '/v1/..%2flivez',
  ])('GET %s of operations without a key does not succeed', async (path) => {
    for (const method of ['GET', 'HEAD', 'PUT'])
      expect(await line(ports.operations, method, path)).not.toMatch(admitted)
  })

  it.each([
    ['freshet-key', () => [`freshet-key: ${callers.keys.admin.text}`, `freshet-key: ${callers.keys.admin.text}`]],
    ['authorization', () => [`authorization: Bearer ${callers.keys.admin.text}`, 'authorization: Bearer x']],
    [
      'both headers',
      () => [`freshet-key: ${callers.keys.admin.text}`, `authorization: Bearer ${callers.keys.admin.text}`],
    ],
  ] as const)('a key twice (%s) is refused', async (_name, headers) => {
    expect(await line(ports.operations, 'GET', '/configz', headers())).toContain('401')
  })

  it('a key in the query string is none', async () => {
    const { status } = await fetch(urlOf('operations', `/configz?freshet-key=${callers.keys.admin.text}`))
    expect(status).toBe(401)
  })

  it('the name of a header may have any case', async () => {
    expect(await line(ports.operations, 'GET', '/configz', [`FRESHET-KEY: ${callers.keys.admin.text}`])).toContain(
      '200',
    )
  })

  it('an unknown path is unknown to everybody', async () => {
    expect((await fetch(urlOf('operations', '/nothing'))).status).toBe(404)
  })
})

describe('a signed request', () => {
  const body = Buffer.from(JSON.stringify({ engagements: [{}] }))
  const post = (sent: Uint8Array<ArrayBuffer>, signedBytes: Uint8Array, more: Record<string, string> = {}) =>
    fetch(urlOf('public', '/v1/engagements'), {
      method: 'POST',
      headers: {
        ...json,
        ...more,
        ...callers.good.server({ method: 'POST', path: '/v1/engagements', body: signedBytes }),
      },
      body: sent,
    })

  it('is signed over the bytes as sent, so compressed ones', async () => {
    const packed = gzipSync(body)
    expect((await post(packed, packed, { 'content-encoding': 'gzip' })).status).toBe(202)
    expect(await post(packed, body, { 'content-encoding': 'gzip' }).then(readAnswer)).toMatchObject({
      status: 401,
      code: 'ACCESS_SIGNATURE_WRONG',
    })
  })

  it('is refused for its signature before anybody looks into its body', async () => {
    const broken = Buffer.from('{"engagements":')
    expect(await post(broken, body).then(readAnswer)).toMatchObject({ status: 401, code: 'ACCESS_SIGNATURE_WRONG' })
    expect((await post(broken, broken)).status).toBe(400)
  })

  it('is signed over the query too', async () => {
    const path = `/v1/feed?userId=${ownUser}`
    const headers = callers.good.server({ method: 'GET', path, body: Buffer.alloc(0) })
    expect((await fetch(urlOf('feeds', '/v1/feed?userId=another'), { headers })).status).toBe(401)
    expect((await fetch(urlOf('feeds', path), { headers })).status).toBe(200)
  })
})

describe('pages of other origins', () => {
  const preflight = (server: 'public' | 'feeds' | 'operations', origin: string) =>
    fetch(urlOf(server, server === 'feeds' ? '/v1/feed' : '/v1/engagements'), {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'freshet-key' },
    })

  it('may ask for origins of keys, and no others', async () => {
    for (const server of ['public', 'feeds'] as const) {
      const good = await preflight(server, goodOrigin)
      expect(good.status).toBe(204)
      expect(good.headers.get('access-control-allow-origin')).toBe(goodOrigin)
      const allowed = good.headers.get('access-control-allow-headers') ?? ''
      for (const name of ['freshet-key', 'authorization', 'traceparent', 'connect-protocol-version'])
        expect(allowed).toContain(name)
      const evil = await preflight(server, 'https://evil.example')
      expect(evil.headers.get('access-control-allow-origin')).toBeNull()
    }
  })

  it('can read why they were refused, if their origin is one of the keys', async () => {
    const answer = await fetch(urlOf('public', '/v1/engagements'), {
      method: 'POST',
      headers: { ...json, origin: goodOrigin },
      body: '{}',
    })
    expect(answer.status).toBe(401)
    expect(answer.headers.get('access-control-allow-origin')).toBe(goodOrigin)
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="freshet"')
  })
})

describe('what an answer says', () => {
  it('names the admin port on the public one', async () => {
    const headers = callers.good.admin({ method: '', path: '', body: Buffer.alloc(0) })
    const answer = await fetch(urlOf('public', '/v1/users/u1'), { method: 'DELETE', headers }).then(readAnswer)
    expect(answer).toMatchObject({ status: 403, code: 'ACCESS_ADMIN_PORT' })
    expect(answer.message).toContain('admin port')
  })

  it('never has the credential', async () => {
    for (const [name, given] of Object.entries(callers.bad)) {
      const headers = given({ method: 'POST', path: '/v1/engagements', body: Buffer.from('{}') })
      const answer = await fetch(urlOf('public', '/v1/engagements'), {
        method: 'POST',
        headers: { ...json, ...headers },
        body: '{}',
      })
      const text = await answer.text()
      for (const value of Object.values(headers)) expect(text.includes(value), name).toBe(false)
    }
  })
})
