import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterEach, describe, expect, it } from 'vitest'
import { createReadTokens } from './read-tokens.ts'
import { createRemoteKeys } from './remote-keys.ts'
import { accessConfig, codeOf, testTimeMs } from './testing.ts'

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

type Pair = ReturnType<typeof generateKeyPair>
const pairs = new Map<string, Pair>()
const pairOf = (kid: string): Pair => {
  const pair = pairs.get(kid) ?? generateKeyPair('ES256', { extractable: true })
  pairs.set(kid, pair)
  return pair
}

/** An issuer with a URL of keys, and a process that reads its tokens. Tokens are never remembered. */
async function anIssuer() {
  const issuer = {
    nowMs: testTimeMs,
    kids: ['k1'],
    asked: 0,
    respond: async (response: ServerResponse): Promise<void> => {
      const keys = issuer.kids.map(async (kid) => ({ ...(await exportJWK((await pairOf(kid)).publicKey)), kid }))
      response.end(JSON.stringify({ keys: await Promise.all(keys) }))
    },
  }
  const server = createServer((_request, response) => {
    issuer.asked++
    void issuer.respond(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`
  const nowMs = () => issuer.nowMs
  const problems: unknown[] = []
  const remote = createRemoteKeys(url, { nowMs, onError: (error) => problems.push(error) })
  const config = accessConfig({ maxCachedTokens: 0, jwt: { jwksUrl: url, audience: 'feeds' } })
  const tokens = createReadTokens(config, { jwks: null, secret: null, remote }, nowMs)
  /** What becomes of a token that is signed now. */
  const read = async (kid = 'k1'): Promise<string> => {
    const token = await new SignJWT({})
      .setProtectedHeader({ alg: 'ES256', kid })
      .setSubject('u1')
      .setAudience('feeds')
      .setExpirationTime(Math.ceil(issuer.nowMs / 1_000) + 60)
      .sign((await pairOf(kid)).privateKey)
    return codeOf(() => tokens.userOf(token))
  }
  const fail = (): void => {
    issuer.respond = async (response) => void response.writeHead(500).end()
  }
  return { issuer, remote, read, fail, problems }
}

describe('keys behind a URL', () => {
  it('are fetched once, and again after five minutes, so that a withdrawn key ends', async () => {
    const { issuer, read } = await anIssuer()
    for (let i = 0; i < 5; i++) expect(await read()).toBe('none')
    expect(issuer.asked).toBe(1)
    issuer.kids = ['k2']
    issuer.nowMs += 300_000
    expect([await read('k1'), await read('k2')]).toEqual(['ACCESS_TOKEN_INVALID', 'none'])
    expect(issuer.asked).toBe(2)
  })

  it('are unavailable until they were fetched once, and are asked for at most once in ten seconds', async () => {
    const { issuer, read, fail } = await anIssuer()
    const respond = issuer.respond
    fail()
    for (let i = 0; i < 50; i++) expect(await read()).toBe('ACCESS_TOKEN_KEYS_UNAVAILABLE')
    expect(issuer.asked).toBe(1)
    issuer.respond = respond
    issuer.nowMs += 10_000
    expect([await read(), issuer.asked]).toEqual(['none', 2])
  })

  it('stay in use for a day while they cannot be fetched, which is said', async () => {
    const { issuer, remote, read, fail, problems } = await anIssuer()
    expect([await read(), remote.problem()]).toEqual(['none', null])
    const respond = issuer.respond
    fail()
    for (const minutes of [5, 6, 60, 1_439]) {
      issuer.nowMs = testTimeMs + minutes * 60_000
      for (let i = 0; i < 10; i++) expect(await read()).toBe('none')
    }
    expect(issuer.asked).toBeLessThanOrEqual(5)
    expect(problems.length).toBeGreaterThan(0)
    expect(remote.problem()).toMatch(/jwksUrl cannot be fetched: the answer has status 500/)
    issuer.nowMs = testTimeMs + 86_400_000
    expect(await read()).toBe('ACCESS_TOKEN_KEYS_UNAVAILABLE')
    issuer.respond = respond
    issuer.nowMs += 10_000
    expect([await read(), remote.problem()]).toEqual(['none', null])
  })

  it('make nobody wait for an issuer that hangs once that is known', async () => {
    const { issuer, remote, read } = await anIssuer()
    await read()
    issuer.nowMs += 300_000
    issuer.respond = async (response) => void response.destroy()
    await read()
    issuer.nowMs += 10_000
    issuer.respond = () => new Promise(() => undefined)
    expect(await read()).toBe('none')
    // A read that waited would have seen the end of the time for an answer.
    expect(remote.problem()).not.toMatch(/time/)
  })

  it('that are new are found, and made-up ones lead to at most one fetch in thirty seconds', async () => {
    const { issuer, read } = await anIssuer()
    expect(await read()).toBe('none')
    issuer.kids = ['k1', 'k2']
    for (let i = 0; i < 20; i++) expect(await read('made-up')).toBe('ACCESS_TOKEN_INVALID')
    expect(issuer.asked).toBe(1)
    issuer.nowMs += 30_000
    expect(await read('k2')).toBe('none')
    for (let i = 0; i < 20; i++) expect(await read('made-up')).toBe('ACCESS_TOKEN_INVALID')
    expect(issuer.asked).toBe(2)
  })

  it.each([
    ['a body without an end', (response: ServerResponse) => void response.end(`{"keys":[]}${' '.repeat(300_000)}`)],
    ['another place', (response: ServerResponse) => void response.writeHead(302, { location: '/' }).end()],
    ['no key set', (response: ServerResponse) => void response.end('{"keys":1}')],
    ['no JSON', (response: ServerResponse) => void response.end('<html>')],
  ])('do not change to %s', async (_name, respond) => {
    const { issuer, remote, read } = await anIssuer()
    await read()
    issuer.nowMs += 300_000
    issuer.respond = async (response) => respond(response)
    expect(await read()).toBe('none')
    expect(remote.problem()).not.toBeNull()
  })
})
