import { create, createFileRegistry, fromBinary, toBinary, toJson, type DescMessage } from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { Client, credentials, Metadata, status } from '@grpc/grpc-js'
import { readDescriptors } from '@freshet/contracts/descriptors'
import { rulesOf } from '@freshet/service/grpc-access'
import { startGrpcServer } from '@freshet/service/grpc-server'
import type { GrpcService } from '@freshet/service/grpc-service'
import { createMetrics } from '@freshet/service/metrics'
import { grpcSettings } from '@freshet/service/settings'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { callersOf, goodOrigin, ownUser, type Credentials, type Sent } from './callers.fixture.ts'
import { accessMatrix, runKeysMatrix, type CallerName, type MatrixRow } from './matrix.ts'
import { serveNothing, type ServedApp } from './served.ts'

const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readDescriptors()))
const otherUser = 'u-other'

type Outcome = 'admitted' | 'unauthenticated' | 'denied' | `odd ${string}`

let callers: Awaited<ReturnType<typeof callersOf>>
let apps: readonly ServedApp[]
let services: readonly GrpcService[]
let rows: readonly MatrixRow[]
let client: Client
const closing: (() => unknown)[] = []

beforeAll(async () => {
  callers = await callersOf()
  rows = await accessMatrix()
  ;({ apps, services } = await serveNothing(callers.access))
  const { port, close } = await startGrpcServer({
    ...z.object(grpcSettings(0)).parse({}),
    services,
    access: callers.access,
    descriptors: readDescriptors(),
    metrics: createMetrics(),
  })
  client = new Client(`127.0.0.1:${port}`, credentials.createInsecure())
  closing.push(
    () => callers.access.close(),
    close,
    () => client.close(),
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

/** Sends a request to a call as `user`, with credentials and further headers. */
type Ask = (user: string, given: Credentials, headers?: Readonly<Record<string, string>>) => Promise<Outcome>

/** Whom merges merge. */
const anonymousUser = 'anon-0123456789abcdef'
let mergedUser = anonymousUser

/** Bodies of the JSON routes. Routes that are not here get an empty object. */
const bodies: Readonly<Record<string, (user: string) => object>> = {
  'public /v1/engagements': () => ({ engagements: [{}] }),
  'admin /v1/engagements': () => ({ engagements: [{}] }),
  'admin /v1/pins': () => ({ pins: [{}] }),
  'public /v1/users/:id/merge': (intoUserId) => ({ intoUserId }),
  'admin /v1/users/:id/merge': (intoUserId) => ({ intoUserId }),
  'feeds /v1/feed': (userId) => ({ userId }),
  'feeds /v1/related': (userId) => ({ userId, pinId: 'p' }),
  'feeds /v1/rank': (userId) => ({ userId, pinIds: ['p'] }),
  'feeds /v1/pins': () => ({ pinIds: ['p'] }),
  'feeds /v1/search': (userId) => ({ userId, pinId: 'p' }),
  'feeds /v1/explain': () => ({ feedId: 'f' }),
}

/** A message of a method, about a user if it can be. */
function messageOf(input: DescMessage, user: string) {
  const named = input.fields.filter(({ name }) => name === 'user_id' || name === 'into_user_id')
  const merged = input.fields.filter(({ name }) => name === 'from_user_id')
  const fields: (readonly [string, string])[] = [
    ...named.map(({ localName }) => [localName, user] as const),
    ...merged.map(({ localName }) => [localName, mergedUser] as const),
  ]
  return create(input, Object.fromEntries(fields))
}

function methodOf(path: string) {
  const [, service = '', name = ''] = path.split('/')
  return registry.getService(service)?.methods.find((method) => method.name === name)
}

/** How each row of the matrix is asked. */
function askerOf({ server, call }: MatrixRow): Ask {
  if (server === 'grpc') return grpcAsker(call)
  const [method = '', path = ''] = call.split(' ')
  const { app } = apps.find(({ name }) => name === server)!
  const rpc = methodOf(path)
  return async (user, given, headers = {}) => {
    const message = rpc === undefined ? null : messageOf(rpc.input, user)
    const json =
      message === null ? (bodies[`${server} ${path}`]?.(user) ?? {}) : (toJson(rpc!.input, message) as object)
    const place = path.replace(':id', mergedUser).replace('*', 'users/someone/state')
    const inQuery = method === 'GET' || method === 'HEAD'
    const query =
      message === null
        ? new URLSearchParams(
            Object.entries(json).map(([name, value]): [string, string] => [name, String(value)]),
          ).toString()
        : new URLSearchParams({ connect: 'v1', encoding: 'json', message: JSON.stringify(json) }).toString()
    const url = inQuery && query !== '' ? `${place}?${query}` : place
    const body = method === 'POST' ? JSON.stringify(json) : ''
    const sent: Sent = { method, path: url, body: Buffer.from(body) }
    const answer = await app.inject({
      method: method as 'GET',
      url,
      headers: { ...(body !== '' && { 'content-type': 'application/json' }), ...headers, ...given(sent) },
      ...(body !== '' && { payload: body }),
    })
    return outcomeOf(answer.statusCode, answer.headers['www-authenticate'])
  }
}

function outcomeOf(statusCode: number, challenge: unknown): Outcome {
  if (statusCode === 401) return challenge === undefined ? 'odd 401 without a challenge' : 'unauthenticated'
  if (statusCode === 403) return 'denied'
  return statusCode < 500 ? 'admitted' : `odd ${statusCode}`
}

function grpcAsker(call: string): Ask {
  const path = call
    .replace('grpc.health.v1.Health/*', 'grpc.health.v1.Health/Check')
    .replace(/\*$/, 'ServerReflectionInfo')
  const rpc = methodOf(path)
  return (user, given) => {
    const bytes = rpc === undefined ? Buffer.alloc(0) : Buffer.from(toBinary(rpc.input, messageOf(rpc.input, user)))
    const isStream = rpc !== undefined && rpc.methodKind !== 'unary'
    const metadata = new Metadata()
    const sent: Sent = { method: 'GRPC', path, body: isStream ? Buffer.alloc(0) : bytes }
    for (const [name, value] of Object.entries(given(sent))) metadata.set(name, value)
    const same = (value: Buffer): Buffer => value
    return new Promise((resolve) => {
      const end = (code: status): void =>
        resolve(
          code === status.UNAUTHENTICATED
            ? 'unauthenticated'
            : code === status.PERMISSION_DENIED
              ? 'denied'
              : code === status.INTERNAL || code === status.UNIMPLEMENTED
                ? `odd ${status[code]}`
                : 'admitted',
        )
      if (!isStream) {
        client.makeUnaryRequest(path, same, same, bytes, metadata, (error) => end(error?.code ?? status.OK))
        return
      }
      const stream = client.makeBidiStreamRequest(path, same, same, metadata)
      stream.on('error', () => undefined).on('data', () => undefined)
      stream.on('status', ({ code }) => end(code))
      stream.write(bytes)
      stream.end()
    })
  }
}

/** Asks every row, and returns the rows whose outcome is another than expected. */
async function wrong(
  expected: (row: MatrixRow) => Outcome,
  ask: (asker: Ask) => Promise<Outcome>,
): Promise<readonly string[]> {
  const found: string[] = []
  for (const row of rows) {
    const outcome = await ask(askerOf(row))
    if (outcome !== expected(row)) found.push(`${row.server} ${row.call}: ${outcome}, expected ${expected(row)}`)
  }
  return found
}

const names: readonly CallerName[] = ['none', 'write', 'write+token', 'token', 'server', 'admin', 'internal']
const isPublic = ({ rule }: MatrixRow): boolean => rule === 'public'

describe('the access matrix', () => {
  it('is printed with a row for every call', async () => {
    let text = ''
    const write = (part: string): void => void (text += part)
    await runKeysMatrix({}, { write } as unknown as Parameters<typeof runKeysMatrix>[1])
    expect(text.split('\n').length).toBeGreaterThan(rows.length)
    expect(text).toMatch(/^feeds +POST \/v1\/feed +read-own +no +no +own +own +yes +yes +yes$/m)
    expect(text).toMatch(/^admin +DELETE \/v1\/users\/:id +admin +no +no +no +no +no +yes +no$/m)
  })

  it('has every method of every service of the protos', () => {
    const inProtos = [...registry].flatMap((each) =>
      each.kind === 'service' && each.typeName.startsWith('freshet.')
        ? each.methods.map(({ name }) => `/${each.typeName}/${name}`)
        : [],
    )
    expect(inProtos.length).toBeGreaterThan(15)
    const served = rulesOf(services).map(({ path }) => path)
    expect(inProtos.filter((path) => !served.includes(path))).toEqual([])
    expect(rows.filter(({ server }) => server === 'grpc').map(({ call }) => call)).toEqual(served)
  })

  it.each(names)('holds for calls of %s about its own user', async (name) => {
    const refusal = name === 'none' ? 'unauthenticated' : 'denied'
    const expected = ({ cells }: MatrixRow): Outcome => (cells[name] === 'no' ? refusal : 'admitted')
    expect(await wrong(expected, (ask) => ask(ownUser, callers.good[name]))).toEqual([])
  })

  it.each(names)('holds for calls of %s about another user', async (name) => {
    const refusal = name === 'none' ? 'unauthenticated' : 'denied'
    const expected = ({ cells }: MatrixRow): Outcome => (cells[name] === 'yes' ? 'admitted' : refusal)
    expect(await wrong(expected, (ask) => ask(otherUser, callers.good[name]))).toEqual([])
  })

  it.each([
    'an unknown key',
    'the id of a key with another secret',
    'no key at all, but text',
    'an expired admin key',
    'a revoked admin key',
    'an expired token',
    'a token of another issuer',
    'a token without a signature',
    'a token that is signed with the public key as a secret',
    'a token that is signed with another key',
    'a good admin key beside an expired token',
    'two keys',
    'the secret of a server key',
    'a server key without a signature',
    'a server key with a time long ago',
    'a server key with a time far ahead',
    'a server key with a signature of another body',
    'a server key with a signature of another path',
    'a server key with a signature of another method',
    'an admin key as the name of basic authentication',
  ])('refuses every call but public ones for %s', async (name) => {
    // A call that no server key may make is refused before its body is read, so before its signature is checked.
    const early = name.startsWith('a server key with a signature')
    const expected = (row: MatrixRow): Outcome =>
      isPublic(row) ? 'admitted' : early && row.cells.server === 'no' ? 'denied' : 'unauthenticated'
    expect(Object.keys(callers.bad)).toContain(name)
    expect(await wrong(expected, (ask) => ask(ownUser, callers.bad[name]!))).toEqual([])
  })

  it('refuses a signature that came before', async () => {
    const expected = (row: MatrixRow): Outcome =>
      isPublic(row) ? 'admitted' : row.cells.server === 'no' ? 'denied' : 'unauthenticated'
    const replayed = async (ask: Ask): Promise<Outcome> => {
      let headers: Readonly<Record<string, string>> | null = null
      const once: Credentials = (sent) => (headers ??= callers.good.server(sent))
      await ask(ownUser, once)
      return ask(ownUser, once)
    }
    expect(await wrong(expected, replayed)).toEqual([])
  })

  it('gives nobody who holds a write key what another known user did', async () => {
    const isMerge = ({ call }: MatrixRow): boolean => /merge/i.test(call)
    const merges = rows.filter(isMerge)
    expect(merges.length).toBeGreaterThanOrEqual(5)
    for (const known of [otherUser, 'anon-short', `x${anonymousUser}`]) {
      mergedUser = known
      for (const row of merges) expect(await askerOf(row)(ownUser, callers.good['write+token'])).toBe('denied')
      for (const row of merges) expect(await askerOf(row)(ownUser, callers.good.server)).toBe('admitted')
    }
    mergedUser = anonymousUser
  })

  it('takes tokens of the key set too', async () => {
    const expected = ({ cells }: MatrixRow): Outcome => (cells.token === 'no' ? 'denied' : 'admitted')
    expect(await wrong(expected, (ask) => ask(ownUser, callers.bearer(callers.tokens.byKeySet)))).toEqual([])
  })

  it('takes write keys as bearer, and as the name of basic authentication', async () => {
    const expected = ({ cells }: MatrixRow): Outcome => (cells.write === 'no' ? 'denied' : 'admitted')
    const { text } = callers.keys.write
    const basic: Credentials = () => ({ authorization: `Basic ${Buffer.from(`${text}:`).toString('base64')}` })
    for (const given of [callers.bearer(text), basic])
      expect(await wrong(expected, (ask) => ask(ownUser, given))).toEqual([])
  })

  it('holds for write keys from pages of their origins, and refuses other pages', async () => {
    const http = ({ server }: MatrixRow): boolean => server !== 'grpc'
    // It has one page, its own, so it refuses those of all other origins.
    const isConsole = ({ server }: MatrixRow): boolean => server === 'console'
    const from = (origin: string) => (ask: Ask) => ask(ownUser, callers.good.write, { origin })
    const good = (row: MatrixRow): Outcome => (row.cells.write === 'yes' && !isConsole(row) ? 'admitted' : 'denied')
    expect(await wrong(good, from(goodOrigin))).toEqual([])
    const foreign = (row: MatrixRow): Outcome =>
      (isPublic(row) && !isConsole(row)) || !http(row) ? good(row) : 'denied'
    for (const origin of ['https://evil.example', 'null', `${goodOrigin}.evil.example`, goodOrigin.toUpperCase()])
      expect(await wrong(foreign, from(origin))).toEqual([])
  })
})
