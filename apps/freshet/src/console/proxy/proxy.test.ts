import type { IncomingMessage, RequestListener } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from 'vitest'
import { aConsole, anUpstream, rawGet } from '../console.fixture.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

/** A console that listens, in front of one server for everything. */
async function started(answer: RequestListener, settings: object = {}): Promise<string> {
  const { upstream, close } = await anUpstream('feeds', answer)
  closing.push(close)
  const operations = new Map([['ranker', { ...upstream, name: 'ranker' }]])
  const { app, close: closeApp } = aConsole({ upstreams: { feeds: upstream, events: upstream, operations }, settings })
  closing.push(closeApp)
  return app.listen({ host: '127.0.0.1', port: 0 })
}

interface Seen {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** Remembers what came. */
function recorder(): { readonly seen: Seen[]; readonly answer: RequestListener } {
  const seen: Seen[] = []
  return {
    seen,
    answer: (request, response) => {
      void text(request).then((body) => {
        seen.push({ method: request.method, url: request.url, headers: request.headers, body })
        response.writeHead(202, {
          'content-type': 'application/json',
          'retry-after': '3',
          'set-cookie': 'a=b',
          'access-control-allow-origin': '*',
        })
        response.end('{"ok":true}')
      })
    },
  }
}

describe('calls that the console passes on', () => {
  it.each([
    ['GET', '/api/feeds/v1/feed?userId=a%2Fb&x=?', '/v1/feed?userId=a%2Fb&x=?'],
    ['POST', '/api/events/v1/engagements', '/v1/engagements'],
    ['DELETE', '/api/events/v1/users/a%2Fb', '/v1/users/a%2Fb'],
    ['PUT', '/api/operations/ranker/v1/models/1/promote', '/v1/models/1/promote'],
    ['POST', '/api/feeds/freshet.blending.v1.Blender/GetFeed', '/freshet.blending.v1.Blender/GetFeed'],
  ])('keep method, path, query and body: %s %s', async (method, path, to) => {
    const { seen, answer } = recorder()
    const url = await started(answer)
    const body = method === 'POST' || method === 'PUT' ? '{"a":1}' : null
    const answered = await fetch(url + path, {
      method,
      body,
      headers: {
        'content-type': 'application/json',
        'freshet-key': 'fa_1',
        authorization: 'Bearer t',
        traceparent: '00-a',
      },
    })
    expect([answered.status, await answered.json()]).toEqual([202, { ok: true }])
    expect(seen).toMatchObject([
      {
        method,
        url: to,
        body: body ?? '',
        headers: {
          'freshet-key': 'fa_1',
          authorization: 'Bearer t',
          traceparent: '00-a',
          'x-forwarded-for': '127.0.0.1',
        },
      },
    ])
    expect(answered.headers.get('retry-after')).toBe('3')
  })

  it('keep what belongs to a connection or to another site to themselves', async () => {
    const { seen, answer } = recorder()
    const url = await started(answer)
    const { headers } = await fetch(`${url}/api/feeds/v1/feed`, { headers: { cookie: 'session=1', te: 'trailers' } })
    expect(seen[0]!.headers).not.toHaveProperty('cookie')
    expect(seen[0]!.headers).not.toHaveProperty('te')
    expect(seen[0]!.headers.host).not.toBe(new URL(url).host)
    expect(headers.get('set-cookie')).toBeNull()
    expect(headers.get('access-control-allow-origin')).toBeNull()
    expect(headers.get('content-security-policy')).toMatch(/default-src 'none'/)
  })

  it('pass bodies on that are not JSON, and larger than what a call of the console may be', async () => {
    const { seen, answer } = recorder()
    const url = await started(answer)
    const body = 'x'.repeat(1 << 20)
    const { status } = await fetch(`${url}/api/events/v1/pins/bulk`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/x-ndjson' },
    })
    expect([status, seen[0]!.body.length]).toEqual([202, body.length])
  })

  it('are bounded', async () => {
    const url = await started(recorder().answer, { maxBodyBytes: 1_024 })
    const answered = await fetch(`${url}/api/events/v1/pins`, { method: 'POST', body: 'x'.repeat(5_000) })
    expect([answered.status, await answered.json()]).toMatchObject([413, { error: { code: 'CONSOLE_BODY_TOO_LARGE' } }])
  })

  it.each([
    '/api/feeds/v1/../secret',
    '/api/feeds/%2e%2e/secret',
    '/api/operations/ranker/.%2E/x',
    String.raw`/api/feeds/v1\..\..\secret`,
    String.raw`/api/feeds/.%2e\secret`,
  ])('reach no path outside: %s', async (path) => {
    const { seen, answer } = recorder()
    const url = await started(answer)
    expect((await rawGet(url, path)).status).toBe(404)
    expect(seen).toEqual([])
  })

  it('promise no body that they do not send, which would swallow the next request on the connection', async () => {
    const { seen, answer } = recorder()
    const url = await started(answer)
    expect((await rawGet(url, '/api/feeds/v1/feed', '0123456789')).status).toBe(202)
    expect((await rawGet(url, '/api/feeds/v1/next')).status).toBe(202)
    expect(seen.map((each) => [each.url, each.headers['content-length']])).toEqual([
      ['/v1/feed', undefined],
      ['/v1/next', undefined],
    ])
  })

  it('go to the services that the console was started with and no others', async () => {
    const url = await started(recorder().answer)
    const answered = await fetch(`${url}/api/operations/evil.example/readyz`)
    expect([answered.status, await answered.json()]).toMatchObject([
      404,
      { error: { code: 'CONSOLE_SERVICE_UNKNOWN' } },
    ])
  })
})

describe('a service', () => {
  it('that is down is named', async () => {
    const { app, close } = aConsole({ upstreams: { feeds: { name: 'feeds', url: 'http://127.0.0.1:1' } } })
    closing.push(close)
    const { statusCode, body } = await app.inject('/api/feeds/v1/feed')
    expect([statusCode, JSON.parse(body)]).toMatchObject([
      502,
      { error: { code: 'CONSOLE_SERVICE_DOWN', service: 'feeds', retryable: true } },
    ])
  })

  it('that hangs is given up', async () => {
    const url = await started(() => undefined, { timeoutMs: 100 })
    const answered = await fetch(`${url}/api/feeds/v1/feed`)
    expect([answered.status, await answered.json()]).toMatchObject([
      504,
      { error: { code: 'CONSOLE_SERVICE_SLOW', service: 'feeds' } },
    ])
  })

  it('that dies while it answers ends the answer, and not the console', async () => {
    let isDying = true
    const url = await started((_request, response) => {
      if (!isDying) return void response.end('{}')
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' })
      response.write('{"items":[')
      setTimeout(() => response.destroy(), 20)
    })
    const answered = await fetch(`${url}/api/feeds/v1/feed`)
    await expect(answered.text()).rejects.toThrow()
    isDying = false
    expect((await fetch(`${url}/api/feeds/v1/feed`)).status).toBe(200)
  })

  it('stops its work when the page has gone', async () => {
    const gone = Promise.withResolvers<void>()
    const came = Promise.withResolvers<void>()
    const url = await started((_request, response) => {
      response.once('close', () => gone.resolve())
      came.resolve()
    })
    const leaving = new AbortController()
    const asked = fetch(`${url}/api/feeds/v1/feed`, { signal: leaving.signal })
    await came.promise
    leaving.abort()
    await expect(asked).rejects.toThrow()
    await gone.promise
  })
})
