import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAccess, type Access } from '@freshet/access/access'
import type { KeyEntry, KeyKind } from '@freshet/access/key-file'
import { newKey } from '@freshet/access/new-key'
import { newToken } from '@freshet/access/new-token'
import { accessSettings } from '@freshet/access/settings'
import { sign } from '@freshet/access/signature'
import { createSystemClock } from '@freshet/adapters/system/clock'
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose'
import { z } from 'zod'

/** What a signature is about, as the client sends it. */
export interface Sent {
  readonly method: string
  readonly path: string
  readonly body: Uint8Array
}

/** The credentials of a caller for one request. */
export type Credentials = (sent: Sent) => Readonly<Record<string, string>>

/** The web origin that may use the write key. */
export const goodOrigin = 'https://shop.example'
/** The user of the good token. */
export const ownUser = 'u-own'
const issuer = 'https://issuer.example'

const dayMs = 86_400_000

/** A process with keys and read tokens, and the credentials of every kind of callers, good and bad. */
export async function callersOf() {
  const folder = mkdtempSync(join(tmpdir(), 'freshet-access-'))
  const nowMs = Date.now()
  const entries: KeyEntry[] = []
  const make = (kind: KeyKind, change: Partial<KeyEntry> = {}): { readonly text: string; readonly id: string } => {
    const { text, entry } = newKey(
      { kind, project: 'test', origins: kind === 'write' ? [goodOrigin] : [], createdAtMs: nowMs, expiresAtMs: null },
      randomBytes,
    )
    entries.push({ ...entry, ...change } as KeyEntry)
    return { text, id: entry.id }
  }
  const past = new Date(nowMs - dayMs).toISOString()
  const keys = {
    write: make('write'),
    server: make('server'),
    admin: make('admin'),
    internal: make('internal'),
    expired: make('admin', { expiresAt: past }),
    revoked: make('admin', { revokedAt: past }),
  }
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const secret = 'a secret of more than thirty-two bytes'
  const pair = await generateKeyPair('ES256', { extractable: true })
  const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'ES256' }
  const keysFile = file('keys.json', JSON.stringify({ version: 1, keys: entries }))
  const config = z.object(accessSettings).parse({
    keysFile,
    reloadIntervalMs: 50,
    jwt: {
      secretFile: file('secret', `${secret}\n`),
      jwksFile: file('jwks.json', JSON.stringify({ keys: [jwk] })),
      issuer,
    },
  })
  const access: Access = await createAccess(config, { clock: createSystemClock(), onError: () => undefined })

  const token = (userId: string, more: { readonly issuer?: string; readonly expiresAtMs?: number } = {}) =>
    newToken({ userId, issuedAtMs: nowMs, expiresAtMs: nowMs + dayMs, issuer, ...more }, secret)
  const claims = { sub: ownUser, iss: issuer, exp: Math.floor((nowMs + dayMs) / 1_000) }
  const tokens = {
    own: await token(ownUser),
    other: await token('u-other'),
    expired: await token(ownUser, { expiresAtMs: nowMs - dayMs }),
    wrongIssuer: await token(ownUser, { issuer: 'https://evil.example' }),
    none: new UnsecuredJWT(claims).encode(),
    byPublicKey: await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', kid: 'k1' })
      .sign(new TextEncoder().encode(JSON.stringify(jwk))),
    byKeySet: await new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'k1' }).sign(pair.privateKey),
    byOtherKey: await new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
      .sign((await generateKeyPair('ES256')).privateKey),
  }
  const key =
    (text: string): Credentials =>
    () => ({ 'freshet-key': text })
  const bearer =
    (text: string): Credentials =>
    () => ({ authorization: `Bearer ${text}` })
  const both =
    (a: Credentials, b: Credentials): Credentials =>
    (sent) => ({ ...a(sent), ...b(sent) })
  let signed = 0
  const signedAt = (timeMs: number, change: (sent: Sent) => Sent = (sent) => sent): Credentials => {
    return (sent) => {
      const { method, path, body } = change(sent)
      const time = String(timeMs + signed++)
      const bodySha256 = createHash('sha256').update(body).digest('hex')
      const signature = sign(keys.server.text, time, { method, path, bodySha256 })
      return { 'freshet-key': keys.server.id, 'freshet-time': time, 'freshet-signature': signature }
    }
  }
  const altered = (sent: Sent): Sent => ({ ...sent, body: Buffer.concat([sent.body, Buffer.from(' ')]) })

  /** Callers with good credentials, by their name in the matrix. */
  const good = {
    none: () => ({}),
    write: key(keys.write.text),
    'write+token': both(key(keys.write.text), bearer(tokens.own)),
    token: bearer(tokens.own),
    server: signedAt(nowMs),
    admin: key(keys.admin.text),
    internal: key(keys.internal.text),
  } satisfies Readonly<Record<string, Credentials>>
  /** Callers that prove nothing, so that every call but public ones is refused with 401. */
  const bad: Readonly<Record<string, Credentials>> = {
    'an unknown key': key(`fw_${'a'.repeat(10)}_${'B'.repeat(43)}`),
    'the id of a key with another secret': key(`${keys.admin.id}_${'B'.repeat(43)}`),
    'no key at all, but text': key('hello'),
    'an expired admin key': key(keys.expired.text),
    'a revoked admin key': key(keys.revoked.text),
    'an expired token': bearer(tokens.expired),
    'a token of another issuer': bearer(tokens.wrongIssuer),
    'a token without a signature': bearer(tokens.none),
    'a token that is signed with the public key as a secret': bearer(tokens.byPublicKey),
    'a token that is signed with another key': bearer(tokens.byOtherKey),
    'a good admin key beside an expired token': both(key(keys.admin.text), bearer(tokens.expired)),
    'two keys': both(key(keys.admin.text), bearer(keys.write.text)),
    'the secret of a server key': key(keys.server.text),
    'a server key without a signature': key(keys.server.id),
    'a server key with a time long ago': signedAt(nowMs - 3_600_000),
    'a server key with a time far ahead': signedAt(nowMs + 3_600_000),
    'a server key with a signature of another body': signedAt(nowMs, altered),
    'a server key with a signature of another path': signedAt(nowMs, (sent) => ({ ...sent, path: `${sent.path}x` })),
    'a server key with a signature of another method': signedAt(nowMs, (sent) => ({ ...sent, method: 'PATCH' })),
    'an admin key as the name of basic authentication': () => ({
      authorization: `Basic ${Buffer.from(`${keys.admin.text}:`).toString('base64')}`,
    }),
  }
  return { access, good, bad, keys, keysFile, entries, tokens, key, bearer, both, signedAt }
}
