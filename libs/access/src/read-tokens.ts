import { hash } from 'node:crypto'
import { createLocalJWKSet, decodeProtectedHeader, errors, jwtVerify, type JWTVerifyOptions } from 'jose'
import { AccessError } from './errors.ts'
import { invalid } from './key-file.ts'
import { keysFreshMs, type RemoteKeys } from './remote-keys.ts'
import type { AccessConfig } from './settings.ts'

/** Algorithms of tokens that a shared secret signs. */
const secretAlgorithms = ['HS256', 'HS384', 'HS512']
/** Algorithms of tokens that a private key signs. */
const keyAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
]

/** Shortest secret of tokens, as RFC 7518 wants it for HS256. */
const minSecretBytes = 32
const maxUserIdLength = 256
/** Where the keys of tokens come from. Texts are of files, read by the caller. */
export interface TokenKeys {
  readonly jwks: string | null
  readonly secret: string | null
  /** Keys behind a URL; absent: they are in a file. They outlive this verifier, so an outage does not lose them. */
  readonly remote: RemoteKeys | null
}

/** Verifies read tokens. */
export interface ReadTokens {
  /** The user of a token: at once if the token was verified before. Throws or rejects with ACCESS_TOKEN_INVALID, _EXPIRED or _KEYS_UNAVAILABLE. */
  userOf(token: string): string | Promise<string>
}

interface Verified {
  readonly userId: string
  readonly untilMs: number
}

type Verify = (token: string) => Promise<Verified>

/** Creates the verifier of read tokens. Throws ACCESS_KEYS_INVALID for keys that cannot be used. */
export function createReadTokens(
  config: Pick<AccessConfig, 'maxCachedTokens' | 'jwt'>,
  keys: TokenKeys,
  nowMs: () => number,
): ReadTokens {
  const verify = createVerify(config.jwt, keys, nowMs)
  const cache = new Map<string, Verified>()
  return {
    userOf(token) {
      const name = hash('sha256', token, 'base64')
      const known = cache.get(name)
      if (known !== undefined && nowMs() < known.untilMs) return known.userId
      cache.delete(name)
      return verify(token).then((verified) => {
        if (config.maxCachedTokens > 0) {
          if (cache.size >= config.maxCachedTokens) cache.delete(cache.keys().next().value!)
          cache.set(name, verified)
        }
        return verified.userId
      })
    },
  }
}

function createVerify(jwt: AccessConfig['jwt'], keys: TokenKeys, nowMs: () => number): Verify {
  const secret = keys.secret === null ? null : secretOf(keys.secret)
  const keySet = keys.jwks !== null ? localKeys(keys.jwks) : (keys.remote?.find ?? null)
  const options = (algorithms: string[]): JWTVerifyOptions => ({
    algorithms,
    requiredClaims: ['exp', 'sub'],
    clockTolerance: jwt.clockToleranceMs / 1_000,
    currentDate: new Date(nowMs()),
    ...(jwt.issuer !== null && { issuer: jwt.issuer }),
    ...(jwt.audience !== null && { audience: jwt.audience }),
  })
  return async (token) => {
    const algorithm = algorithmOf(token)
    try {
      // The algorithm decides which key is used, so a public key can never pass for a secret.
      const { payload } =
        secret !== null && secretAlgorithms.includes(algorithm)
          ? await jwtVerify(token, secret, options(secretAlgorithms))
          : keySet !== null && keyAlgorithms.includes(algorithm)
            ? await jwtVerify(token, keySet, options(keyAlgorithms))
            : refuse('its algorithm is not accepted')
      const { sub, exp } = payload
      if (typeof sub !== 'string' || sub === '' || sub.length > maxUserIdLength)
        return refuse('its subject is not a user id')
      const expiresAtMs = (exp as number) * 1_000 + jwt.clockToleranceMs
      return { userId: sub, untilMs: Math.min(expiresAtMs, nowMs() + keysFreshMs) }
    } catch (error) {
      throw toAccessError(error)
    }
  }
}

function algorithmOf(token: string): string {
  try {
    return decodeProtectedHeader(token).alg ?? 'none'
  } catch (error) {
    throw new AccessError('ACCESS_TOKEN_INVALID', 'the read token is not a JWT; send the token as its issuer made it', {
      cause: error,
    })
  }
}

function refuse(why: string): never {
  throw new AccessError('ACCESS_TOKEN_INVALID', `the read token is refused: ${why}`)
}

function toAccessError(error: unknown): unknown {
  if (error instanceof AccessError) return error
  if (error instanceof errors.JWTExpired)
    return new AccessError('ACCESS_TOKEN_EXPIRED', 'the read token has expired; send a new one')
  if (error instanceof errors.JWTClaimValidationFailed)
    return new AccessError(
      'ACCESS_TOKEN_INVALID',
      `the read token is refused: its claim ${error.claim} is missing or wrong`,
    )
  if (!(error instanceof errors.JOSEError) || error.code === 'ERR_JOSE_GENERIC')
    return new AccessError('ACCESS_TOKEN_KEYS_UNAVAILABLE', 'the keys of read tokens cannot be fetched; try again', {
      cause: error,
    })
  return new AccessError('ACCESS_TOKEN_INVALID', 'the read token is refused: its signature does not fit a known key', {
    cause: error,
  })
}

/** The secret in the text of a file, without the line break at its end. */
export function secretOf(text: string): Uint8Array {
  const secret = new TextEncoder().encode(text.replace(/\r?\n$/, ''))
  if (secret.length < minSecretBytes)
    throw invalid('access.jwt.secretFile', [
      `the secret has ${secret.length} bytes; it needs at least ${minSecretBytes}`,
    ])
  return secret
}

function localKeys(text: string): ReturnType<typeof createLocalJWKSet> {
  try {
    return createLocalJWKSet(JSON.parse(text) as Parameters<typeof createLocalJWKSet>[0])
  } catch (error) {
    throw invalid('access.jwt.jwksFile', ['it is not a JSON Web Key Set, {"keys": […]}'], error)
  }
}
