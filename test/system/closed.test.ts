import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sign } from '@freshet/access/signature'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../harness/eventually.ts'
import { freePorts } from '../harness/ports.ts'
import { createNodeProcess, type ServiceProcess } from '../harness/processes.ts'

const root = join(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'freshet-system-closed-'))
const at = (name: string): string => join(folder, name)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly error: string
}

/** Runs a command of freshet. `key`: the variable FRESHET_KEY. */
function freshet(given: readonly string[], key = ''): Promise<Ended> {
  const child = spawn(process.execPath, ['apps/freshet/src/main.ts', ...given], {
    cwd: root,
    env: { ...process.env, FRESHET_KEY: key },
  })
  let [out, error] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (error += chunk.toString()))
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, out, error })))
}

/** Creates a key with the command, and returns its text. */
async function createKey(kind: string, ...more: readonly string[]): Promise<string> {
  const { code, out, error } = await freshet(['keys', 'create', kind, '--file', at('keys.json'), ...more])
  expect(code, error).toBe(0)
  expect(error).not.toContain(out.trim())
  return out.trim()
}

describe('one process with keys', () => {
  let running: ServiceProcess
  let keys: Readonly<Record<'write' | 'server' | 'admin', string>>
  let token = ''
  let [events, admin, feeds, operations] = ['', '', '', '']

  beforeAll(async () => {
    writeFileSync(at('token.secret'), 'a secret of more than thirty-two bytes\n')
    keys = {
      write: await createKey('write', '--origin', 'https://www.example.org', '--expires', '90d'),
      server: await createKey('server'),
      admin: await createKey('admin'),
    }
    writeFileSync(at('admin.key'), `${keys.admin}\n`)
    writeFileSync(at('server.key'), `${keys.server}\n`)
    token = (await freshet(['keys', 'token', 'ada', '--secret-file', at('token.secret')])).out.trim()
    const [operationsPort = 0, http = 0, adminPort = 0, feedPort = 0, grpc = 0] = await freePorts(5)
    running = createNodeProcess({
      name: 'freshet',
      arguments: [
        ...['apps/freshet/src/main.ts', 'dev', '--data', at('data'), '--samplePins', '500'],
        ...['--operations.port', String(operationsPort), '--ingestHttp.port', String(http)],
        ...[
          '--console.enabled',
          'false',
          '--feedHttp.port',
          String(feedPort),
          '--grpc.port',
          String(grpc),
          '--admin.port',
          String(adminPort),
        ],
        ...['--access.keysFile', at('keys.json'), '--access.jwt.secretFile', at('token.secret')],
        ...['--access.reloadIntervalMs', '100'],
        // All addresses of this machine: an open process would refuse.
        ...['--ingestHttp.host', '0.0.0.0'],
      ],
      env: {},
      ports: { operations: operationsPort, http, grpc },
    })
    events = `http://127.0.0.1:${http}`
    admin = `http://127.0.0.1:${adminPort}`
    feeds = `http://127.0.0.1:${feedPort}`
    operations = `http://127.0.0.1:${operationsPort}`
    await running.start(180_000)
  }, 240_000)
  afterAll(() => running.kill())

  const post = (url: string, body: unknown, headers: Readonly<Record<string, string>>) =>
    fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
  const engagement = (eventId: string, userId = 'ada') => ({
    ...{ eventId, userId, action: 'save', pinId: 'noto-cat-face', boardId: 'cats' },
    occurredAt: new Date().toISOString(),
  })
  const withKey = (key: string) => ({ 'freshet-key': key })
  const reading = () => ({ authorization: `Bearer ${token}` })

  it('lets a page post with its write key, and its user read with a token, and sees the write', async () => {
    expect((await post(`${events}/v1/engagements`, engagement('e0'), {})).status).toBe(401)
    const posted = await post(`${events}/v1/engagements`, engagement('e1'), {
      ...withKey(keys.write),
      origin: 'https://www.example.org',
    })
    expect(posted.status).toBe(202)
    const { receipts } = (await posted.json()) as { receipts: { token: string }[] }
    const ask = { userId: 'ada', pageSize: 5, after: [receipts[0]!.token] }
    const feed = await post(`${feeds}/v1/feed`, ask, reading())
    expect(feed.status).toBe(200)
    expect(await feed.json()).toMatchObject({ freshness: 'FRESHNESS_CURRENT' })
    expect((await post(`${feeds}/v1/feed`, { ...ask, userId: 'bob' }, reading())).status).toBe(403)
    expect((await post(`${feeds}/v1/feed`, ask, withKey(keys.write))).status).toBe(403)
  })

  it('takes the signature that the command makes, once', async () => {
    const body = JSON.stringify(engagement('e2', 'bob'))
    writeFileSync(at('event.json'), body)
    const { out } = await freshet([
      ...['keys', 'sign', '/v1/engagements', '--secret-file', at('server.key'), '--body', at('event.json')],
    ])
    const headers = Object.fromEntries(
      [...out.matchAll(/-H '([^:]+): ([^']+)'/g)].map(([, name = '', value = '']): [string, string] => [name, value]),
    )
    const send = () =>
      fetch(`${events}/v1/engagements`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body,
      })
    expect((await send()).status).toBe(202)
    expect((await send()).status).toBe(401)
    const time = String(Date.now())
    const bodySha256 = createHash('sha256').update('').digest('hex')
    const path = '/v1/feed?userId=bob&explain=true'
    const signature = sign(keys.server, time, { method: 'GET', path, bodySha256 })
    const feed = await fetch(`${feeds}${path}`, {
      headers: { 'freshet-key': keys.server.slice(0, 13), 'freshet-time': time, 'freshet-signature': signature },
    })
    expect(feed.status).toBe(200)
  })

  it('serves the catalogue and erasures on the admin port alone', async () => {
    const pin = { pinId: 'p-new', topics: ['baking'], creatorId: 'c', createdAt: new Date().toISOString() }
    expect((await post(`${events}/v1/pins`, pin, withKey(keys.admin))).status).toBe(403)
    expect((await post(`${admin}/v1/pins`, pin, withKey(keys.write))).status).toBe(403)
    expect((await post(`${admin}/v1/pins`, pin, withKey(keys.admin))).status).toBe(202)
    const erase = (url: string, key: string) =>
      fetch(`${url}/v1/users/carl`, { method: 'DELETE', headers: withKey(key) })
    expect((await erase(events, keys.admin)).status).toBe(403)
    expect((await erase(admin, keys.write)).status).toBe(403)
    expect((await erase(admin, keys.admin)).status).toBe(202)
  })

  it('shows health to everybody and state to operators', async () => {
    for (const path of ['/livez', '/readyz', '/metrics']) expect((await fetch(`${operations}${path}`)).status).toBe(200)
    for (const path of ['/configz', '/v1/users/ada/state']) {
      expect((await fetch(`${operations}${path}`)).status).toBe(401)
      expect((await fetch(`${operations}${path}`, { headers: withKey(keys.write) })).status).toBe(403)
      expect((await fetch(`${operations}${path}`, { headers: withKey(keys.admin) })).status).toBe(200)
    }
    const metrics = await (await fetch(`${operations}/metrics`)).text()
    expect(metrics).toMatch(/freshet_access_refused_total\{server="operations",code="ACCESS_KEY_MISSING"\} [1-9]/)
  })

  it('is asked by commands with a key, and says what is missing without one', async () => {
    const why = ['why', 'ada', '--operations', operations]
    const without = await freshet(why)
    expect(without.code).toBe(77)
    expect(without.error).toMatch(/^freshet: TARGET_REFUSED: .*ACCESS_KEY_MISSING.*--key-file FILE or FRESHET_KEY/)
    expect((await freshet(why, keys.admin)).code).toBe(0)
    expect((await freshet([...why, '--key-file', at('admin.key')])).code).toBe(0)
    expect((await freshet(['models', 'list', '--operations', operations], keys.admin)).code).toBe(0)
    const leaked = await freshet(why, keys.server)
    expect([leaked.code, leaked.error.includes('must never be sent')]).toEqual([78, true])

    writeFileSync(at('more.csv'), 'userId,pinId,action,timestamp\nada,noto-dog-face,save,1769860800\n')
    const given = ['import', at('more.csv'), '--ledger', at('ledger'), '--time-unit', 's', '--no-make-pins']
    const refused = await freshet([...given, '--target', admin])
    expect([refused.code, refused.error.includes('ACCESS_KEY_MISSING')]).toEqual([77, true])
  })

  it('refuses a revoked key within a moment, without a restart', async () => {
    const key = await createKey('write')
    const works = async () => (await post(`${events}/v1/engagements`, engagement('e3'), withKey(key))).status
    await eventually('the new key', async () => ((await works()) === 202 ? true : null), 10_000)
    expect((await freshet(['keys', 'revoke', key.slice(0, 13), '--file', at('keys.json')])).code).toBe(0)
    await eventually('the end of the key', async () => ((await works()) === 401 ? true : null), 10_000)
  })

  it('never writes a key into its log, its metrics or its configuration', async () => {
    await post(`${events}/v1/engagements`, engagement('e4'), withKey(`${keys.admin}x`))
    const config = await (await fetch(`${operations}/configz`, { headers: withKey(keys.admin) })).text()
    const metrics = await (await fetch(`${operations}/metrics`)).text()
    const text = `${running.logs()}${config}${metrics}`
    for (const secret of [...Object.values(keys), token, readFileSync(at('token.secret'), 'utf8').trim()])
      expect(text.includes(secret)).toBe(false)
  })
})

describe('one process without keys', () => {
  it('does not listen on all addresses, and says how to mend it', async () => {
    const [operations = 0, http = 0, feed = 0, grpc = 0] = await freePorts(4)
    const { code, error } = await freshet([
      ...['dev', '--data', at('open'), '--sample', 'false', '--ingestHttp.host', '0.0.0.0'],
      ...['--operations.port', String(operations), '--ingestHttp.port', String(http)],
      ...['--console.enabled', 'false', '--feedHttp.port', String(feed), '--grpc.port', String(grpc)],
    ])
    expect(code).toBe(78)
    expect(error).toContain('ACCESS_OPEN_REFUSED: without keys the process does not listen on 0.0.0.0')
    expect(error).toContain('npx freshet keys create')
  })
})
