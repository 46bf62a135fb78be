import type { Access, Identified } from '@freshet/access/access'
import { openAccess } from '@freshet/access/access'
import { anonymousCaller, type Caller } from '@freshet/access/caller'
import { AccessError } from '@freshet/access/errors'
import type { CallRule, CallRules } from '@freshet/access/rules'
import { Client, credentials, Metadata, status, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createByteRoom } from './byte-room.ts'
import { callerOf } from './grpc-access.ts'
import { startGrpcServer } from './grpc-server.ts'
import { createHttpApp, listen } from './http-app.ts'
import { createMetrics } from './metrics.ts'
import { grpcSettings, httpSettings } from './settings.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

/** A process that knows callers by the text of their key; `slow`: only after a turn of the event loop. */
function closedAccess(callers: Readonly<Record<string, Caller>>, slow = false): Access {
  return {
    ...openAccess,
    open: false,
    identify(valuesOf) {
      const [key] = valuesOf('freshet-key')
      const caller = key === undefined ? anonymousCaller : callers[key]
      if (caller === undefined) throw new AccessError('ACCESS_KEY_UNKNOWN', 'the key is unknown')
      const identified: Identified = { caller, signature: null, origins: null }
      return slow ? new Promise((resolve) => setImmediate(() => resolve(identified))) : identified
    },
  }
}

const admin: Caller = { kind: 'admin', keyId: 'fa_1', userId: null }
const reader: Caller = { kind: 'reader', keyId: 'reader', userId: 'u1' }
const known = { admin, reader }
const refusing: Access = {
  ...openAccess,
  checkListening: () => {
    throw new AccessError('ACCESS_OPEN_REFUSED', 'no')
  },
}

function httpApp(access: Access) {
  const metrics = createMetrics()
  const app = createHttpApp({
    ...{ name: 'test', access, maxBodyBytes: 1_024, origins: [], methods: ['GET', 'POST'], metrics },
    limits: z.object(httpSettings(0)).parse({}),
    room: createByteRoom(1_024, () => performance.now()),
    answerTo: () => '{}',
  })
  app.setErrorHandler((error, _request, reply) =>
    error instanceof AccessError
      ? reply.code(error.httpStatus).send({ code: error.code })
      : reply.code(500).send({ message: (error as Error).message }),
  )
  closing.push(() => app.close())
  return { app, metrics }
}

describe('the access of an HTTP server', () => {
  it('refuses a route without a rule when it is added', () => {
    const { app } = httpApp(openAccess)
    expect(() => app.get('/new', async () => ({}))).toThrow('the route GET /new has no access rule')
    expect(() => app.get('/other', { config: {} }, async () => ({}))).toThrow('has no access rule')
  })

  it('refuses a route of a plugin without a rule when the server gets ready', async () => {
    const { app } = httpApp(openAccess)
    void app.register(async (scope) => {
      scope.post('/inner', async () => ({}))
    })
    await expect(app.ready()).rejects.toThrow('the route POST /inner has no access rule')
  })

  it.each([false, true])('tells the handler who calls (known later: %s)', async (slow) => {
    const { app } = httpApp(closedAccess(known, slow))
    app.get('/who', { config: { access: { rule: 'admin' } } }, async ({ caller }) => caller)
    const ask = (headers: Record<string, string>) => app.inject({ url: '/who', headers })
    expect((await ask({ 'freshet-key': 'admin' })).json()).toEqual(admin)
    expect((await ask({ 'freshet-key': 'reader' })).json()).toEqual({ code: 'ACCESS_DENIED' })
    expect((await ask({})).json()).toEqual({ code: 'ACCESS_KEY_MISSING' })
    expect((await ask({ 'freshet-key': 'odd' })).json()).toEqual({ code: 'ACCESS_KEY_UNKNOWN' })
  })

  it('answers nothing if a handler forgets to check a message that decides', async () => {
    const { app } = httpApp(closedAccess(known))
    const access: CallRule<string> = { rule: 'read-own', user: (message) => message }
    app.get('/forgets', { config: { access } }, async () => ({ secret: 1 }))
    app.get('/checks', { config: { access } }, async (request) => {
      request.checkAccess('u1')
      return { fine: 1 }
    })
    const headers = { 'freshet-key': 'reader' }
    const forgotten = await app.inject({ url: '/forgets', headers })
    expect([forgotten.statusCode, forgotten.body.includes('secret')]).toEqual([500, false])
    expect((await app.inject({ url: '/checks', headers })).json()).toEqual({ fine: 1 })
  })

  it('counts refusals by code', async () => {
    const noted: string[] = []
    const refused = (server: string, code: string): void => void noted.push(`${server} ${code}`)
    const { app, metrics } = httpApp({ ...closedAccess(known), refused })
    app.get('/who', { config: { access: { rule: 'admin' } } }, async () => ({}))
    for (let i = 0; i < 3; i++) await app.inject({ url: '/who', headers: { 'freshet-key': 'odd' } })
    expect(await metrics.text()).toContain('freshet_access_refused_total{server="test",code="ACCESS_KEY_UNKNOWN"} 3')
    expect(noted).toEqual(Array.from({ length: 3 }, () => 'test ACCESS_KEY_UNKNOWN'))
  })

  it('refuses before the body is read', async () => {
    const { app } = httpApp(closedAccess(known))
    app.post('/who', { config: { access: { rule: 'admin' } } }, async () => ({}))
    const answer = await app.inject({
      ...{ method: 'POST', url: '/who', payload: 'x'.repeat(100_000) },
      headers: { 'content-type': 'application/json' },
    })
    expect(answer.statusCode).toBe(401)
  })

  it('does not listen where the process must not', async () => {
    const { app } = httpApp(refusing)
    await expect(listen(app, '0.0.0.0', 0)).rejects.toMatchObject({ code: 'ACCESS_OPEN_REFUSED' })
  })
})

const text = {
  requestSerialize: (value: string) => Buffer.from(value),
  requestDeserialize: (bytes: Buffer) => bytes.toString(),
  responseSerialize: (value: string) => Buffer.from(value),
  responseDeserialize: (bytes: Buffer) => bytes.toString(),
}
const definition = { who: { path: '/test.Who/Who', requestStream: false, responseStream: false, ...text } }
let calls = 0
const implementation = {
  who: (call: ServerUnaryCall<string, string>, done: sendUnaryData<string>) => {
    calls++
    done(null, callerOf(call).keyId)
  },
}

async function grpcServer(access: Access, rules: CallRules) {
  const metrics = createMetrics()
  const server = await startGrpcServer({
    ...z.object(grpcSettings(0)).parse({}),
    ...{ services: [{ definition, implementation, rules }], access, descriptors: null, metrics },
  })
  const client = new Client(`127.0.0.1:${server.port}`, credentials.createInsecure())
  closing.push(
    () => server.close(),
    () => client.close(),
  )
  const ask = (key: string | null, message = 'u1', path = '/test.Who/Who'): Promise<string> => {
    const metadata = new Metadata()
    if (key !== null) metadata.set('freshet-key', key)
    return new Promise((resolve) => {
      client.makeUnaryRequest(
        path,
        text.requestSerialize,
        text.responseDeserialize,
        message,
        metadata,
        (error, answer) =>
          resolve(error === null ? String(answer) : `${status[error.code]} ${error.details.split(':')[0]}`),
      )
    })
  }
  return { ask, metrics }
}

describe('the access of a gRPC server', () => {
  it('does not start with a method without a rule', async () => {
    await expect(grpcServer(openAccess, {})).rejects.toThrow('the gRPC method /test.Who/Who has no access rule')
    await expect(grpcServer(openAccess, Object.create({ who: { rule: 'public' } }) as CallRules)).rejects.toThrow()
  })

  it('does not start where the process must not listen', async () => {
    await expect(grpcServer(refusing, { who: { rule: 'public' } })).rejects.toMatchObject({
      code: 'ACCESS_OPEN_REFUSED',
    })
  })

  it.each([false, true])(
    'tells the handler who calls, and calls it for nobody else (known later: %s)',
    async (slow) => {
      const { ask, metrics } = await grpcServer(closedAccess(known, slow), { who: { rule: 'admin' } })
      calls = 0
      expect(await ask('admin')).toBe('fa_1')
      expect(await ask('reader')).toBe('PERMISSION_DENIED ACCESS_DENIED')
      expect(await ask(null)).toBe('UNAUTHENTICATED ACCESS_KEY_MISSING')
      expect(await ask('odd')).toBe('UNAUTHENTICATED ACCESS_KEY_UNKNOWN')
      expect(calls).toBe(1)
      expect(await metrics.text()).toContain('freshet_access_refused_total{server="grpc",code="ACCESS_DENIED"} 1')
    },
  )

  it('checks the message before the handler sees it', async () => {
    const rule: CallRule<string> = { rule: 'read-own', user: (message) => message }
    const { ask } = await grpcServer(closedAccess(known), { who: rule })
    calls = 0
    expect(await ask('reader', 'u1')).toBe('reader')
    expect(await ask('reader', 'u2')).toBe('PERMISSION_DENIED ACCESS_OTHER_USER')
    expect(calls).toBe(1)
  })

  it('answers unknown methods as unknown, with a key or without', async () => {
    const { ask } = await grpcServer(closedAccess(known), { who: { rule: 'admin' } })
    for (const key of ['admin', null]) expect(await ask(key, '', '/test.Who/What')).toContain('UNIMPLEMENTED')
  })
})
