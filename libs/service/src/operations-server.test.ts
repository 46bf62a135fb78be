import { openAccess } from '@freshet/access/access'
import { describe, expect, it } from 'vitest'
import { createMetrics } from './metrics.ts'
import { createOperationsApp, type InspectionRoute } from './operations-server.ts'
import { until } from './testing.ts'

const failing = (code: string, fault: string): Error => Object.assign(new Error(`${code} it is`), { code, fault })

function anApp(...routes: readonly InspectionRoute[]) {
  return createOperationsApp({
    access: openAccess,
    name: 'a-service',
    version: '1',
    liveness: () => ({ state: 'ready', ok: true, reasons: [] }),
    readiness: () => ({ state: 'ready', ok: true, reasons: [] }),
    metrics: createMetrics(),
    config: {},
    inspections: () => routes,
  })
}

describe('GET /metrics', () => {
  it.each([
    ['application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3', 'application/openmetrics-text'],
    ['text/plain;version=0.0.4', 'text/plain'],
    ['*/*', 'text/plain'],
    [undefined, 'text/plain'],
  ])('with Accept %s answers %s', async (accept, type) => {
    const answer = await anApp().inject({ url: '/metrics', ...(accept !== undefined && { headers: { accept } }) })
    expect(answer.headers['content-type']).toContain(type)
    expect(answer.body.endsWith('# EOF\n')).toBe(type !== 'text/plain')
  })
})

describe('A18 · requests to the routes of an operations server', () => {
  const echo: InspectionRoute = {
    path: '/v1/things/{id}/state',
    answer: (id, query) => Promise.resolve({ id, query }),
  }

  it('pass the decoded id and the query to the route', async () => {
    const { statusCode, body } = await anApp(echo).inject('/v1/things/a%2Fb%20c/state?feed=f1')
    expect(statusCode).toBe(200)
    expect(JSON.parse(body)).toEqual({ id: 'a/b c', query: { feed: 'f1' } })
  })

  it('reach a route that changes something with PUT only, which no page of another origin can send unasked', async () => {
    const change: InspectionRoute = { path: '/v1/things/{id}', method: 'PUT', answer: (id) => Promise.resolve({ id }) }
    const app = anApp(echo, change)
    const ask = async (method: 'GET' | 'POST' | 'PUT', url: string) => (await app.inject({ method, url })).statusCode
    expect([
      await ask('PUT', '/v1/things/a'),
      await ask('GET', '/v1/things/a'),
      await ask('POST', '/v1/things/a'),
    ]).toEqual([200, 404, 404])
    expect(await ask('PUT', '/v1/things/a/state')).toBe(404)
  })

  it.each(['/v1/things', '/v1/things/a/b/state', '/v1/others/a/state', '/v1/things/%E0%A4%A/state'])(
    'that there are not are answered with those there are: %s',
    async (path) => {
      const { statusCode, body } = await anApp(echo).inject(path)
      // The server refuses an id that is not UTF-8 before any route sees it.
      expect([400, 404]).toContain(statusCode)
      if (statusCode === 404) expect(body).toContain('/v1/things/{id}/state')
    },
  )

  it.each([
    ['CALL_INVALID_ARGUMENT', 'client', 400],
    ['USER_UNKNOWN', 'client', 404],
    ['USER_ERASED', 'client', 410],
    ['STORE_UNAVAILABLE', 'dependency', 503],
    ['ODD', 'server', 500],
  ])('that fail with %s say so', async (code, fault, status) => {
    const route: InspectionRoute = { path: '/v1/x', answer: () => Promise.reject(failing(code, fault)) }
    const { statusCode, body } = await anApp(route).inject('/v1/x')
    expect(statusCode).toBe(status)
    expect(JSON.parse(body)).toEqual({ error: { code, message: `${code} it is` } })
  })

  it('are limited in number', async () => {
    const held = Promise.withResolvers<string>()
    let answering = 0
    const answer = (): Promise<string> => {
      answering++
      return held.promise
    }
    const app = anApp({ path: '/v1/slow', answer })
    const under = Array.from({ length: 16 }, () => app.inject('/v1/slow'))
    await until('16 are being answered', () => answering === 16)
    const refused = await app.inject('/v1/slow')
    expect(refused.statusCode).toBe(503)
    expect(refused.body).toContain('CALL_UNAVAILABLE')
    held.resolve('{}')
    for (const { statusCode } of await Promise.all(under)) expect(statusCode).toBe(200)
  })
})
