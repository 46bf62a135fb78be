import { mkdtempSync, renameSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '@freshet/domain/clock'
import { SignJWT } from 'jose'
import { afterEach, describe, expect, it } from 'vitest'
import { createAccess, type Access } from './access.ts'
import { openCaller } from './caller.ts'
import { newToken } from './new-token.ts'
import { createReadTokens } from './read-tokens.ts'
import { accessConfig, aKey, aKeyFile, codeOf, countingBytes, testTimeMs } from './testing.ts'

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

const clock: Clock = { now: () => testTimeMs, sleep: (ms, signal) => sleep(ms, undefined, { signal: signal! }) }

async function open(config: object, errors: unknown[] = []): Promise<Access> {
  const access = await createAccess(accessConfig({ reloadIntervalMs: 50, ...config }), {
    clock,
    onError: (error) => errors.push(error),
  })
  closing.push(access.close)
  return access
}

function folder(): string {
  return mkdtempSync(join(tmpdir(), 'freshet-access-'))
}

const withKey = (key: string) => (name: string) => (name === 'freshet-key' ? [key] : [])

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  for (let left = 200; left > 0; left--) {
    if (await condition()) return
    await sleep(25)
  }
  throw new Error(`${what}: not within 5 s`)
}

describe('a process without keys', () => {
  it('lets everybody do everything, whatever they send', async () => {
    const access = await open({})
    expect(access.open).toBe(true)
    expect(await access.identify(withKey('nonsense'))).toMatchObject({ caller: openCaller })
  })

  it.each(['127.0.0.1', '127.3.2.1', '::1', '[::1]', 'localhost'])('listens on %s', async (host) => {
    const access = await open({})
    expect(await codeOf(() => access.checkListening(host))).toBe('none')
  })

  it.each(['0.0.0.0', '::', '10.0.0.1', 'example.org', '127.0.0.1.example.org', '', 'localhost.example.org'])(
    'refuses to listen on %s, and says how to mend it',
    async (host) => {
      const access = await open({})
      expect(await codeOf(() => access.checkListening(host))).toBe('ACCESS_OPEN_REFUSED')
      expect(() => access.checkListening(host)).toThrow(/npx freshet keys create.*access\.open=true/)
    },
  )

  it('listens everywhere if access.open says so', async () => {
    const access = await open({ open: true })
    expect(await codeOf(() => access.checkListening('0.0.0.0'))).toBe('none')
  })
})

describe('a process with keys', () => {
  it('listens everywhere', async () => {
    const keysFile = join(folder(), 'keys.json')
    writeFileSync(keysFile, JSON.stringify(aKeyFile(aKey('admin').entry)))
    const access = await open({ keysFile })
    expect(access.open).toBe(false)
    expect(await codeOf(() => access.checkListening('0.0.0.0'))).toBe('none')
  })

  it('is closed with an empty file', async () => {
    const keysFile = join(folder(), 'keys.json')
    writeFileSync(keysFile, JSON.stringify(aKeyFile()))
    const access = await open({ keysFile })
    expect(await access.identify(() => [])).toMatchObject({ caller: { kind: 'anonymous' } })
  })

  it.each([
    ['a missing file', { keysFile: '/nowhere/keys.json' }],
    ['access.open', { keysFile: '/nowhere/keys.json', open: true }],
    ['two key sets', { jwt: { jwksFile: '/nowhere', jwksUrl: 'http://x' } }],
    ['a URL that is none', { jwt: { jwksUrl: 'x', audience: 'feeds' } }],
    ['a URL that is not of HTTP', { jwt: { jwksUrl: 'file:///keys.json', audience: 'feeds' } }],
    ['a missing internal key', { internalKeyFile: '/nowhere' }],
  ])('does not start with %s', async (_name, config) => {
    expect(await codeOf(() => open(config))).toBe('ACCESS_KEYS_INVALID')
  })

  it.each([{}, { issuer: 'https://login.example.org' }])(
    'does not start with a URL of keys and no audience, because other applications have tokens of these keys: %j',
    async (more) => {
      const config = { jwt: { jwksUrl: 'https://login.example.org/keys', ...more } }
      expect(await codeOf(() => open(config))).toBe('ACCESS_KEYS_INVALID')
      await expect(open(config)).rejects.toThrow(/set access\.jwt\.audience/)
      await expect(open({ jwt: { ...config.jwt, audience: 'feeds' } })).resolves.toMatchObject({ open: false })
    },
  )

  it('does not start with a short secret of tokens, or a key set that is none', async () => {
    const file = join(folder(), 'file')
    writeFileSync(file, 'short')
    expect(await codeOf(() => open({ jwt: { secretFile: file } }))).toBe('ACCESS_KEYS_INVALID')
    expect(await codeOf(() => open({ jwt: { jwksFile: file } }))).toBe('ACCESS_KEYS_INVALID')
    expect(await codeOf(() => open({ internalKeyFile: file }))).toBe('ACCESS_KEYS_INVALID')
  })

  it('follows its file, also behind a link, and keeps its keys when the file is broken', async () => {
    const random = countingBytes()
    const [first, second] = [aKey('admin', {}, random), aKey('admin', {}, random)]
    const here = folder()
    const write = (name: string, text: string): string => {
      writeFileSync(join(here, name), text)
      return join(here, name)
    }
    const link = (target: string): void => {
      symlinkSync(target, join(here, 'new'))
      renameSync(join(here, 'new'), join(here, 'keys.json'))
    }
    link(write('one', JSON.stringify(aKeyFile(first.entry))))
    const errors: unknown[] = []
    const access = await open({ keysFile: join(here, 'keys.json') }, errors)
    const works = async (key: string) => (await codeOf(() => access.identify(withKey(key)))) === 'none'
    expect([await works(first.text), await works(second.text)]).toEqual([true, false])

    link(write('two', JSON.stringify(aKeyFile(second.entry))))
    await until('the new key', () => works(second.text))
    expect(await works(first.text)).toBe(false)

    link(write('three', '{'))
    await until('the report', async () => errors.length > 0)
    expect([await works(second.text), access.warning()]).toEqual([true, expect.stringContaining('cannot be used')])

    unlinkSync(join(here, 'keys.json'))
    await until('the second report', async () => errors.length > 1)
    expect(await works(second.text)).toBe(true)

    link(write('four', JSON.stringify(aKeyFile(first.entry))))
    await until('the first key again', () => works(first.text))
    expect(access.warning()).toBeNull()
  })
})

describe('read tokens', () => {
  const secret = 'a secret of more than thirty-two bytes'
  const of = (userId: string, more: object = {}) =>
    newToken({ userId, issuedAtMs: testTimeMs, expiresAtMs: testTimeMs + 60_000, ...more }, secret)
  const tokensOf = (config: object = {}, nowMs = () => testTimeMs) =>
    createReadTokens(accessConfig(config), { jwks: null, secret, remote: null }, nowMs)

  it('name the user, at once the second time', async () => {
    const tokens = tokensOf()
    const token = await of('u1')
    expect(await tokens.userOf(token)).toBe('u1')
    expect(tokens.userOf(token)).toBe('u1')
  })

  it('that are remembered end with their time', async () => {
    let nowMs = testTimeMs
    const tokens = tokensOf({ jwt: { clockToleranceMs: 0 } }, () => nowMs)
    const token = await of('u1')
    await tokens.userOf(token)
    nowMs += 59_999
    expect(tokens.userOf(token)).toBe('u1')
    nowMs += 1_001
    expect(await codeOf(() => tokens.userOf(token))).toBe('ACCESS_TOKEN_EXPIRED')
  })

  it('are remembered up to a number', async () => {
    const tokens = tokensOf({ maxCachedTokens: 2 })
    const given = await Promise.all(['u1', 'u2', 'u3'].map((user) => of(user)))
    for (const token of given) await tokens.userOf(token)
    expect(given.map((token) => typeof tokens.userOf(token))).toEqual(['object', 'string', 'string'])
  })

  it.each([
    ['without a subject', (token: SignJWT) => token.setExpirationTime(testTimeMs / 1_000 + 60)],
    ['with an empty subject', (token: SignJWT) => token.setSubject('').setExpirationTime(testTimeMs / 1_000 + 60)],
    ['without an end', (token: SignJWT) => token.setSubject('u1')],
    [
      'not yet valid',
      (token: SignJWT) =>
        token
          .setSubject('u1')
          .setNotBefore(testTimeMs / 1_000 + 30)
          .setExpirationTime(testTimeMs / 1_000 + 60),
    ],
  ])('%s are refused', async (_name, make) => {
    const token = await make(new SignJWT({}).setProtectedHeader({ alg: 'HS256' })).sign(
      new TextEncoder().encode(secret),
    )
    expect(await codeOf(() => tokensOf().userOf(token))).toBe('ACCESS_TOKEN_INVALID')
  })

  it('of another audience are refused', async () => {
    const tokens = tokensOf({ jwt: { audience: 'feeds' } })
    expect(await codeOf(async () => tokens.userOf(await of('u1')))).toBe('ACCESS_TOKEN_INVALID')
    expect(await codeOf(async () => tokens.userOf(await of('u1', { audience: 'shop' })))).toBe('ACCESS_TOKEN_INVALID')
    expect(await tokens.userOf(await of('u1', { audience: 'feeds' }))).toBe('u1')
  })

  it.each(['', '.', '..', 'a.b.c', 'eyJhbGciOiJIUzI1NiJ9..', 'x'.repeat(4_000)])(
    'that are no tokens (%#) are refused',
    async (token) => {
      expect(await codeOf(() => tokensOf().userOf(token))).toBe('ACCESS_TOKEN_INVALID')
    },
  )

  it('beside a write key keep the key and add the user', async () => {
    const here = folder()
    const key = aKey('write')
    writeFileSync(join(here, 'keys.json'), JSON.stringify(aKeyFile(key.entry)))
    writeFileSync(join(here, 'secret'), secret)
    const access = await open({ keysFile: join(here, 'keys.json'), jwt: { secretFile: join(here, 'secret') } })
    const token = await of('u1')
    const headers: Readonly<Record<string, string>> = { 'freshet-key': key.text, authorization: `Bearer ${token}` }
    const valuesOf = (name: string) => (headers[name] === undefined ? [] : [headers[name]])
    expect((await access.identify(valuesOf)).caller).toEqual({ kind: 'write', keyId: key.entry.id, userId: 'u1' })
    const alone = (name: string) => (name === 'authorization' ? valuesOf(name) : [])
    expect((await access.identify(alone)).caller).toEqual({ kind: 'reader', keyId: 'reader', userId: 'u1' })
  })
})
