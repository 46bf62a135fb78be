import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { aConsole, aDemo, rawGet } from './console.fixture.ts'
import { readPage, type PageFiles } from './page/files.ts'

const manyTitles = `/api/console/titles?pins=${'a,'.repeat(501)}`
const folder = mkdtempSync(join(tmpdir(), 'freshet-console-'))
const script = `console.log(${JSON.stringify('freshet '.repeat(200))})`
let files: PageFiles
beforeAll(async () => {
  mkdirSync(join(folder, 'assets'))
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>Freshet</title><body></body>')
  writeFileSync(join(folder, 'assets', 'index-a1b2c3d4.js'), script)
  writeFileSync(join(folder, '.sources'), 'secret')
  writeFileSync(join(folder, 'note.secret'), 'secret')
  files = await readPage(folder)
})
afterAll(() => rmSync(folder, { recursive: true }))

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

function started(given: Parameters<typeof aConsole>[0] = {}) {
  const { app, close } = aConsole({ page: async () => ({ files }), ...given })
  closing.push(close)
  return app
}

describe('the page', () => {
  it('comes at every path of its own, and may load nothing from elsewhere', async () => {
    const app = started()
    for (const url of ['/', '/index.html', '/why/f1?pin=a', '/operate/pipeline', '/feed.v2']) {
      const { statusCode, headers, body } = await app.inject(url)
      expect(statusCode, url).toBe(200)
      expect(body, url).toMatch(/^<!doctype html><title>Freshet<\/title><body>/)
      expect(headers).toMatchObject({
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-cache',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
      })
      const policy = String(headers['content-security-policy'])
      expect(policy).toMatch(/default-src 'none'.*frame-ancestors 'none'/)
      expect(policy).not.toMatch(/unsafe|https?:|\*/)
    }
  })

  it('says in itself what /api/console/config answers, and nothing of that is markup', async () => {
    const users = [{ userId: 'u1', name: '</script><b>&', likes: [], locale: 'de' }]
    const app = started({ demo: { ...aDemo, users } })
    const { body } = await app.inject('/')
    const [, json = ''] = /<script type="application\/json" id="config">([^<]*)<\/script>/.exec(body) ?? []
    expect(JSON.parse(json)).toEqual((await app.inject('/api/console/config')).json())
    expect(JSON.parse(json)).toMatchObject({ users })
  })

  it('comes while the services start, and calls wait for them', async () => {
    const { promise: startedUp, resolve } = Promise.withResolvers<void>()
    const app = started({ demo: aDemo, started: startedUp })
    expect((await app.inject('/')).statusCode).toBe(200)
    const answers: string[] = []
    const calls = ['/api/console/words?q=cat', '/pictures/cat.svg', '/api/feeds/v1/feed'].map(async (url) => {
      answers.push(`${url} ${(await app.inject(url)).statusCode}`)
    })
    await app.inject('/operate/pipeline')
    expect(answers).toEqual([])
    resolve()
    await Promise.all(calls)
    expect(answers).toContain('/api/console/words?q=cat 200')
    expect(answers).toContain('/pictures/cat.svg 200')
  })

  it('refuses calls that waited long for the services', async () => {
    const app = started({ demo: aDemo, started: new Promise(() => undefined), maxStartWaitMs: 10 })
    for (const url of ['/api/console/words?q=cat', '/api/feeds/v1/feed'])
      expect(await app.inject(url)).toMatchObject({
        statusCode: 503,
        body: expect.stringContaining('still starting') as string,
      })
  })

  it('loads pictures from the origins of a setting', async () => {
    const { headers } = await started({ settings: { imageOrigins: ['https://i.example.org'] } }).inject('/')
    expect(headers['content-security-policy']).toContain("img-src 'self' data: blob: https://i.example.org;")
  })

  it.each([
    ['br, gzip', 'br'],
    ['gzip;q=0.5, deflate', 'gzip'],
    ['br;q=0, gzip', 'gzip'],
    ['identity', undefined],
  ])('is packed for %s', async (accepted, encoding) => {
    const { headers, rawPayload } = await started().inject({
      url: '/assets/index-a1b2c3d4.js',
      headers: { 'accept-encoding': accepted },
    })
    expect(headers['content-encoding']).toBe(encoding)
    expect(headers['cache-control']).toBe('public, max-age=31536000, immutable')
    if (encoding === undefined) expect(rawPayload.toString()).toBe(script)
    else expect(rawPayload.length).toBeLessThan(script.length / 4)
    if (encoding === 'gzip') expect(gunzipSync(rawPayload).toString()).toBe(script)
  })

  it.each([
    '/assets/other.js',
    '/assets/..%2f..%2fetc%2fpasswd',
    '/api/nothing',
    '/api/console/nothing',
    '/pictures/cat.png',
    '/pictures/..%2f..%2fpackage.json',
  ])('is not what %s answers with', async (url) => {
    const { statusCode, body } = await started({ demo: aDemo }).inject(url)
    expect(statusCode).toBe(404)
    expect((JSON.parse(body) as { error: { code: string } }).error.code).toBe('CONSOLE_PATH_UNKNOWN')
  })

  it('never shows other files of its folder', async () => {
    const url = await started().listen({ host: '127.0.0.1', port: 0 })
    for (const path of [
      '/.sources',
      '/note.secret',
      '/assets/../note.secret',
      '/assets/%2e%2e/note.secret',
      '//etc/passwd',
    ])
      expect((await rawGet(url, path)).body).not.toMatch(/^secret|root:/)
    expect([...files.keys()].toSorted()).toEqual(['/assets/index-a1b2c3d4.js', '/index.html'])
  })

  it('says what is wrong when it could not be built', async () => {
    const app = started({ page: async () => ({ problem: 'a <b> & c' }) })
    const { statusCode, body } = await app.inject('/')
    expect(statusCode).toBe(503)
    expect(body).toContain('npm run console:build')
    expect(body).toContain('a &lt;b> &amp; c')
    expect((await app.inject('/assets/x.js')).statusCode).toBe(404)
  })
})

describe('a request', () => {
  const hosts = ['console.example.org']
  it.each([
    ['localhost:8090', undefined, 200],
    ['127.0.0.1', undefined, 200],
    ['[::1]:8090', undefined, 200],
    ['console.example.org', undefined, 200],
    ['localhost:8090', 'http://localhost:8090', 200],
    ['localhost:8090', 'http://localhost:5173', 200],
    ['evil.example', undefined, 403],
    ['localhost.evil.example', undefined, 403],
    ['127.0.0.1.evil.example:8090', undefined, 403],
    ['localhost:8090', 'https://evil.example', 403],
    ['localhost:8090', 'null', 403],
    ['localhost:8090', 'https://localhost.evil.example', 403],
  ])('for %s from a page of %s gets %i', async (host, origin, status) => {
    const app = started({ settings: { hosts } })
    for (const url of ['/', '/api/console/config', '/api/nothing']) {
      const { statusCode, body } = await app.inject({ url, headers: { host, ...(origin && { origin }) } })
      expect(statusCode).toBe(status === 200 && url === '/api/nothing' ? 404 : status)
      if (status === 403) expect(body).toContain('ACCESS_HOST_REFUSED')
    }
  })
})

describe('a picture or a script of another site', () => {
  it('may not make calls, but a link to the page works', async () => {
    const ask = async (url: string, site: string) =>
      (await started({ demo: aDemo }).inject({ url, headers: { 'sec-fetch-site': site } })).statusCode
    for (const url of ['/api/feeds/v1/feed?userId=u', '/%61pi/feeds/v1/feed', '/api/console/config'])
      expect(await ask(url, 'cross-site'), url).toBe(403)
    expect(await ask('/', 'cross-site')).toBe(200)
    expect(await ask('/api/console/config', 'same-origin')).toBe(200)
    expect(await ask('/api/console/config', 'none')).toBe(200)
  })
})

describe('the catalogue that ships', () => {
  const ask = async (url: string, body?: object, demo: typeof aDemo | null = aDemo) => {
    const app = started({ demo })
    const answer = await (body === undefined ? app.inject(url) : app.inject({ method: 'POST', url, payload: body }))
    return [answer.statusCode, JSON.parse(answer.body) as Record<string, unknown>] as const
  }
  const config = '/api/console/config'

  it('tells the page what there is', async () => {
    expect(await ask(config)).toMatchObject([
      200,
      { demo: true, open: true, users: aDemo.users, capabilities: { crops: true } },
    ])
    expect(await ask(config, undefined, null)).toMatchObject([
      200,
      { demo: false, users: [], capabilities: { crops: false } },
    ])
  })

  it('shows pictures that run nothing when they are opened', async () => {
    const { headers, body } = await started({ demo: aDemo }).inject('/pictures/cat.svg')
    expect(headers).toMatchObject({ 'content-type': 'image/svg+xml', 'x-content-type-options': 'nosniff' })
    expect(headers['content-security-policy']).toMatch(/default-src 'none'.*sandbox/)
    expect(body).toContain('<svg')
  })

  it('embeds crops, finds pins by words and names them', async () => {
    const crop = { pinId: 'cat', box: { x: 0.25, y: 0, width: 0.5, height: 1 } }
    expect(await ask('/api/console/crop', crop)).toEqual([200, { embedding: [0.25, 0, 0.5, 1] }])
    expect(await ask('/api/console/words?q=cat&locale=de')).toEqual([200, { pinIds: ['cat'] }])
    expect(await ask('/api/console/words?q=')).toEqual([200, { pinIds: [] }])
    expect(await ask('/api/console/titles?locale=de&pins=cat,dog')).toEqual([
      200,
      { titles: { cat: 'Katze' }, topics: {} },
    ])
    expect(await ask('/api/console/titles?locale=de&topics=animals')).toEqual([
      200,
      { titles: {}, topics: { animals: 'animals in de' } },
    ])
  })

  it.each([
    ['/api/console/crop', { pinId: 'cat', box: { x: 0.6, y: 0, width: 0.5, height: 1 } }, 400, 'CALL_INVALID_ARGUMENT'],
    ['/api/console/crop', { pinId: 'cat', box: { x: 0, y: 0, width: 0, height: 1 } }, 400, 'CALL_INVALID_ARGUMENT'],
    ['/api/console/crop', { pinId: 'dog', box: { x: 0, y: 0, width: 1, height: 1 } }, 404, 'PIN_UNKNOWN'],
    ['/api/console/words?q=cat&limit=0', undefined, 400, 'CALL_INVALID_ARGUMENT'],
    ['/api/console/words?q=cat&more=1', undefined, 400, 'CALL_INVALID_ARGUMENT'],
    [manyTitles, undefined, 400, 'CALL_INVALID_ARGUMENT'],
  ])('refuses %.40s %j', async (url, body, status, code) => {
    expect(await ask(url, body)).toMatchObject([status, { error: { code } }])
  })

  it.each(['/api/console/words?q=cat', '/api/console/titles?pins=cat', '/pictures/cat.svg'])(
    'is not in a real deployment: %s',
    async (url) => {
      expect(await ask(url, undefined, null)).toMatchObject([404, { error: { code: 'CONSOLE_NOT_HERE' } }])
    },
  )
})
