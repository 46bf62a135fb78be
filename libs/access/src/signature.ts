import { createHmac, hash, timingSafeEqual } from 'node:crypto'
import { AccessError } from './errors.ts'
import type { Fingerprints } from './fingerprints.ts'

/** A signature may be at most this much older or younger than the clock of the server. */
export const signatureWindowMs = 300_000

/** What a server key signs. */
export interface Signed {
  /** The method of HTTP, or `GRPC`. */
  readonly method: string
  /** The path with its query as sent, or the full method of gRPC, `/package.Service/Method`. */
  readonly path: string
  /** SHA-256 of the bytes of the body as sent, in hexadecimal digits. */
  readonly bodySha256: string
}

/** SHA-256 of a request without a body. */
export const emptySha256: string = hash('sha256', '', 'hex')

/** The signature of a request: 64 hexadecimal digits. `time`: milliseconds since the epoch, as sent in `freshet-time`. */
export function sign(secret: string, time: string, { method, path, bodySha256 }: Signed): string {
  return createHmac('sha256', secret).update(`${time}\n${method}\n${path}\n${bodySha256}`).digest('hex')
}

/** A signature whose key and time are good. The body is not known yet. */
export interface PendingSignature {
  /** Throws ACCESS_SIGNATURE_WRONG, ACCESS_SIGNATURE_REPLAYED or ACCESS_REPLAY_MEMORY_FULL. */
  check(signed: Signed): void
}

/** Checks the time of a signature. Throws ACCESS_SIGNATURE_MISSING, ACCESS_SIGNATURE_STALE or ACCESS_SIGNATURE_WRONG. */
export function pendingSignature(
  secret: string,
  { time, signature }: { readonly time: string | null; readonly signature: string | null },
  { nowMs, seen }: { readonly nowMs: number; readonly seen: Fingerprints },
): PendingSignature {
  if (time === null || signature === null)
    throw new AccessError(
      'ACCESS_SIGNATURE_MISSING',
      'a server key needs a signature; send `freshet-time` and `freshet-signature`',
    )
  if (!/^\d{1,15}$/.test(time) || Math.abs(Number(time) - nowMs) > signatureWindowMs)
    throw new AccessError(
      'ACCESS_SIGNATURE_STALE',
      `freshet-time is not within ${signatureWindowMs / 60_000} minutes of the clock of the server; send the time in milliseconds since the epoch`,
    )
  if (!/^[0-9a-f]{64}$/i.test(signature)) throw wrong()
  const given = Buffer.from(signature, 'hex')
  return {
    check(signed) {
      if (!timingSafeEqual(given, Buffer.from(sign(secret, time, signed), 'hex'))) throw wrong()
      const added = seen.add(given, Number(time))
      if (added === 'known')
        throw new AccessError(
          'ACCESS_SIGNATURE_REPLAYED',
          'the signature was used before; sign each request with a time of its own',
        )
      if (added === 'full')
        throw new AccessError(
          'ACCESS_REPLAY_MEMORY_FULL',
          'too many signed requests within 5 minutes (access.maxSignatures); try again later',
        )
    },
  }
}

function wrong(): AccessError {
  return new AccessError(
    'ACCESS_SIGNATURE_WRONG',
    'the signature is wrong; send hex(HMAC-SHA256(secret, time + "\\n" + METHOD + "\\n" + path with query + "\\n" + hex(SHA-256(body as sent))))',
  )
}
