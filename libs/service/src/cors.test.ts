import fastify from 'fastify'
import { describe, expect, it } from 'vitest'
import { allowOrigins } from './cors.ts'

const origin = 'https://www.example.org'
const evil = 'https://evil.example'

function anApp(origins: readonly string[]) {
  const app = fastify()
  allowOrigins(app, { origins, methods: ['POST', 'DELETE'], keyOrigins: null })
  app.post('/events', async (_request, reply) => reply.code(202).send({}))
  app.post('/broken', async () => {
    throw new Error('broken')
  })
  const ask = async (method: 'POST' | 'OPTIONS', url: string, headers: Record<string, string>) => {
    const { statusCode, headers: answered } = await app.inject({ method, url, headers })
    return { status: statusCode, headers: answered }
  }
  const preflight = (from: string) =>
    ask('OPTIONS', '/events', { origin: from, 'access-control-request-method': 'POST' })
  return { ask, preflight }
}

describe('allowOrigins', () => {
  it('answers the preflight of an allowed origin', async () => {
    const { status, headers } = await anApp([origin]).preflight(origin)
    expect(status).toBe(204)
    expect(headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'POST, DELETE',
      'access-control-allow-headers':
        'content-type, content-encoding, freshet-key, authorization, traceparent, tracestate, connect-protocol-version, connect-timeout-ms',
      'access-control-max-age': '600',
    })
    expect(headers['vary']?.toString().toLowerCase()).toContain('origin')
    expect(headers['access-control-allow-credentials']).toBeUndefined()
  })

  it('adds CORS headers to every answer to an allowed origin, including errors and unknown routes', async () => {
    const { ask } = anApp([origin])
    for (const [url, status] of [
      ['/events', 202],
      ['/broken', 500],
      ['/nowhere', 404],
    ] as const) {
      const answer = await ask('POST', url, { origin })
      expect(answer.status).toBe(status)
      expect(answer.headers).toMatchObject({
        'access-control-allow-origin': origin,
        'access-control-expose-headers': 'retry-after, www-authenticate',
      })
    }
  })

  it('sends no CORS headers to other origins, and tells caches that the answer depends on the origin', async () => {
    const { ask, preflight } = anApp([origin])
    const answer = await ask('POST', '/events', { origin: evil })
    expect(answer.status).toBe(202)
    expect(answer.headers['access-control-allow-origin']).toBeUndefined()
    expect(answer.headers['vary']?.toString().toLowerCase()).toContain('origin')
    const refused = await preflight(evil)
    expect(refused.status).toBe(404)
    expect(refused.headers['access-control-allow-origin']).toBeUndefined()
  })

  it('allows every origin with *', async () => {
    const { ask, preflight } = anApp(['*'])
    expect((await preflight(evil)).headers['access-control-allow-origin']).toBe('*')
    expect((await ask('POST', '/broken', { origin: evil })).headers['access-control-allow-origin']).toBe('*')
  })

  it('sends no CORS header if no origin is allowed', async () => {
    const { ask, preflight } = anApp([])
    expect((await ask('POST', '/events', { origin })).headers['access-control-allow-origin']).toBeUndefined()
    expect((await preflight(origin)).status).toBe(404)
  })
})
