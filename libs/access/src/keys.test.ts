import { hash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readCredentials } from './credentials.ts'
import { AccessError } from './errors.ts'
import { idOfKey, parseKeyFile } from './key-file.ts'
import { createKeyRing } from './key-ring.ts'
import { aKey, aKeyFile, codeOf, countingBytes, testTimeMs } from './testing.ts'

describe('a new key', () => {
  it('has an id, 43 characters of the alphabet, and only its hash in the file', () => {
    const { text, entry } = aKey('write')
    expect(text).toMatch(/^fw_[a-z2-7]{10}_[A-Za-z0-9]{43}$/)
    expect(idOfKey(text)).toBe(entry.id)
    expect(entry).toMatchObject({ sha256: hash('sha256', text, 'hex') })
    expect(JSON.stringify(entry)).not.toContain(text.slice(14))
  })

  it('draws every character of the alphabets', () => {
    const random = countingBytes()
    const texts = Array.from({ length: 200 }, () => aKey('admin', {}, random).text).join('')
    expect(new Set(texts.replaceAll('_', '')).size).toBe(62)
  })

  it('can be read from the file again, whatever its kind', () => {
    for (const kind of ['write', 'server', 'admin', 'internal'] as const)
      expect(aKeyFile(aKey(kind).entry).keys).toHaveLength(1)
  })
})

describe('a key file', () => {
  const problems = (content: unknown): string => {
    try {
      parseKeyFile(typeof content === 'string' ? content : JSON.stringify(content), 'keys.json')
      return ''
    } catch (error) {
      return (error as AccessError).message
    }
  }

  it('that cannot be used lists all problems, each with its place', () => {
    const { entry } = aKey('write')
    const text = problems({
      version: 1,
      keys: [
        { ...entry, origins: ['https://a.example/path'] },
        { ...entry, kind: 'admin', origins: undefined },
        { ...entry, sha256: 'x', expiresAt: 'tomorrow' },
      ],
    })
    for (const place of ['keys[0].origins[0]: ', 'keys[2].sha256: ', 'keys[2].expiresAt: '])
      expect(text).toContain(place)
  })

  it('has each id once, with the beginning of its kind', () => {
    const write = aKey('write').entry
    const { sha256 } = write as { readonly sha256: string }
    const { id, project, createdAt } = write
    const text = problems({ version: 1, keys: [write, { kind: 'admin', id, project, createdAt, sha256 }] })
    expect(text).toContain('keys[1].id: occurs twice')
    expect(text).toContain('keys[1].id: does not begin with fa_')
  })

  it('has no secret of another key', () => {
    const random = countingBytes()
    const [one, other] = [aKey('server', {}, random), aKey('server', {}, random)]
    expect(problems({ version: 1, keys: [{ ...one.entry, secret: other.text }] })).toContain('keys[0].secret: ')
  })

  it('never shows its content in a problem', () => {
    const { text } = aKey('server')
    expect(problems(`{"version":1,"keys":[{"secret":"${text}"`)).not.toContain(text.slice(14, 30))
    expect(problems({ version: 1, keys: [{ kind: 'server', secret: text, sha256: text }] })).not.toContain(
      text.slice(14, 30),
    )
    expect(problems('')).toContain('keys.json cannot be used')
  })
})

describe('a key ring', () => {
  const random = countingBytes()
  const write = aKey('write', { origins: ['https://a.example'] }, random)
  const server = aKey('server', {}, random)
  const expiring = aKey('admin', { expiresAtMs: testTimeMs + 1_000 }, random)
  const revoked = aKey('admin', { revokedAt: new Date(testTimeMs).toISOString() }, random)
  const ring = createKeyRing(aKeyFile(write.entry, server.entry, expiring.entry, revoked.entry))
  const find = (text: string, nowMs = testTimeMs) => codeOf(() => ring.find(text, nowMs))

  it('checks a write key that it has seen before as the first time: its expiry, and every character', async () => {
    const key = aKey('write', { expiresAtMs: testTimeMs + 1_000 }, random)
    const ring = createKeyRing(aKeyFile(key.entry))
    for (let i = 0; i < 3; i++) expect(ring.find(key.text, testTimeMs).kind).toBe('write')
    for (const other of [`${key.text.slice(0, -1)}${key.text.endsWith('A') ? 'B' : 'A'}`, `${key.text} `, key.entry.id])
      expect(await codeOf(() => ring.find(other, testTimeMs))).toBe('ACCESS_KEY_UNKNOWN')
    expect(await codeOf(() => ring.find(key.text, testTimeMs + 1_000))).toBe('ACCESS_KEY_EXPIRED')
  })

  it('finds a key by its text, and a server key by its id alone', () => {
    expect(ring.find(write.text, testTimeMs)).toMatchObject({ kind: 'write', origins: ['https://a.example'] })
    expect(ring.find(server.entry.id, testTimeMs)).toMatchObject({ kind: 'server', secret: server.text })
    expect(ring.find(write.text, testTimeMs).caller).toEqual({ kind: 'write', keyId: write.entry.id, userId: null })
  })

  it('finds no key by the id of another kind, by a part of the text, or by another case', async () => {
    for (const text of [
      write.entry.id,
      write.text.slice(0, -1),
      `${write.text}A`,
      ` ${write.text}`,
      write.text.toUpperCase(),
      `${write.entry.id}_`,
      `${write.entry.id}_${server.text.slice(14)}`,
    ])
      expect(await find(text), text).toBe('ACCESS_KEY_UNKNOWN')
  })

  it('ends a key at its time, and a revoked one at once', async () => {
    expect(await find(expiring.text, testTimeMs + 999)).toBe('none')
    expect(await find(expiring.text, testTimeMs + 1_000)).toBe('ACCESS_KEY_EXPIRED')
    expect(await find(revoked.text)).toBe('ACCESS_KEY_REVOKED')
  })

  it('says that the secret of a server key must not be sent, only to who has it', async () => {
    expect(await find(server.text)).toBe('ACCESS_SIGNATURE_MISSING')
    expect(await find(`${server.entry.id}_${write.text.slice(14)}`)).toBe('ACCESS_KEY_UNKNOWN')
  })
})

describe('the credentials of a request', () => {
  const read = (headers: Readonly<Record<string, readonly string[]>>) => readCredentials((name) => headers[name] ?? [])

  it('are nothing but an access error or credentials, whatever the headers hold', () => {
    const values = fc.array(fc.oneof(fc.string(), fc.constantFrom('Bearer x', 'Basic Og==', 'bearer  fw_x', '')), {
      maxLength: 2,
    })
    const headers = fc.record({
      'freshet-key': values,
      authorization: values,
      'freshet-time': values,
      'freshet-signature': values,
    })
    fc.assert(
      fc.property(headers, (given) => {
        try {
          const found = read(given)
          expect(Object.keys(found).sort()).toEqual(['basic', 'key', 'signature', 'time', 'token'])
        } catch (error) {
          expect(error).toBeInstanceOf(AccessError)
        }
      }),
    )
  })

  it('take a key in one place, and a token beside it', () => {
    expect(read({ 'freshet-key': ['fw_a'], authorization: ['Bearer abc'] })).toMatchObject({
      key: 'fw_a',
      token: 'abc',
    })
    expect(read({ authorization: ['Bearer fw_a'] })).toMatchObject({ key: 'fw_a', token: null, basic: false })
    expect(read({ authorization: [`Basic ${btoa('fw_a:')}`] })).toMatchObject({ key: 'fw_a', basic: true })
  })

  it.each([
    ['two keys', { 'freshet-key': ['fw_a'], authorization: ['Bearer fw_b'] }, 'ACCESS_CREDENTIALS_AMBIGUOUS'],
    ['a header twice', { 'freshet-key': ['fw_a', 'fw_a'] }, 'ACCESS_CREDENTIALS_AMBIGUOUS'],
    ['a password', { authorization: [`Basic ${btoa('fw_a:secret')}`] }, 'ACCESS_KEY_UNKNOWN'],
    ['an empty key', { 'freshet-key': [''] }, 'ACCESS_KEY_UNKNOWN'],
    ['a long key', { 'freshet-key': ['f'.repeat(200)] }, 'ACCESS_KEY_UNKNOWN'],
    ['a long token', { authorization: [`Bearer ${'a'.repeat(9_000)}`] }, 'ACCESS_TOKEN_INVALID'],
    ['another scheme', { authorization: ['Digest x'] }, 'ACCESS_TOKEN_INVALID'],
    ['a signature without a key', { 'freshet-signature': ['00'] }, 'ACCESS_KEY_MISSING'],
  ])('with %s are refused', async (_name, headers, code) => {
    expect(await codeOf(() => read(headers as Record<string, string[]>))).toBe(code)
  })
})
