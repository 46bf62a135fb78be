import { SignJWT } from 'jose'
import { secretOf } from './read-tokens.ts'

/** What a new read token says. Times in milliseconds since the epoch. */
export interface NewToken {
  readonly userId: string
  readonly issuedAtMs: number
  readonly expiresAtMs: number
  readonly issuer?: string | undefined
  readonly audience?: string | undefined
}

/** Signs a read token with the secret in the text of a file (`access.jwt.secretFile`), by HS256. */
export async function newToken(given: NewToken, secret: string): Promise<string> {
  const token = new SignJWT({})
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(given.userId)
    .setIssuedAt(Math.floor(given.issuedAtMs / 1_000))
    .setExpirationTime(Math.floor(given.expiresAtMs / 1_000))
  if (given.issuer !== undefined) token.setIssuer(given.issuer)
  if (given.audience !== undefined) token.setAudience(given.audience)
  return token.sign(secretOf(secret))
}
