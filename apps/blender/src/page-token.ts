import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto'
import { ContractError } from '@freshet/contracts/errors'

/** The state that makes a page consistent with the pages before it. */
export interface PageSession {
  /** Position of the page's first pin in the whole feed. */
  readonly firstPosition: number
  /** Time of the request for the first page, milliseconds since the epoch. */
  readonly startedAtMs: number
  /** Whether the earlier pages were recorded as served. If not (dry runs), their pins come first in the order, and the blender skips them. */
  readonly recorded: boolean
}

/** Whose pages a token continues. */
export interface TokenOwner {
  readonly userId: string
  readonly surface: 'home' | 'related'
}

/** Signs page tokens and reads them. */
export interface PageTokens {
  format(session: PageSession, owner: TokenOwner): string
  /** Throws CALL_INVALID_ARGUMENT, with a message of its own for each fault. */
  parse(token: string, owner: TokenOwner): PageSession
}

const version = 2
const surfaces = ['home', 'related'] as const
const tagBytes = 8
const macBytes = 16
/** Version, flags, surface, position (4 bytes), start (6 bytes), tag of the user. */
const bodyBytes = 13 + tagBytes
const tokenChars = Math.ceil(((bodyBytes + macBytes) * 4) / 3)

/**
 * Page tokens of 50 characters, signed with HMAC-SHA-256 cut to 128 bits. They name the user by a tag of 64 bits that only the holder of
 * the key can compute. The first key signs; the others are still accepted, so that a key can be replaced while blenders run.
 */
export function createPageTokens(keys: readonly [string, ...string[]]): PageTokens {
  const secrets = keys.map((key) => createSecretKey(key, 'utf8'))
  const [newest] = secrets as [KeyObject]
  return {
    format({ firstPosition, startedAtMs, recorded }, { userId, surface }) {
      const token = Buffer.alloc(bodyBytes + macBytes)
      token.writeUInt8(version, 0)
      token.writeUInt8(recorded ? 1 : 0, 1)
      token.writeUInt8(surfaces.indexOf(surface), 2)
      token.writeUInt32BE(firstPosition, 3)
      token.writeUIntBE(startedAtMs, 7, 6)
      token.set(userTag(newest, userId), 13)
      token.set(macOf(newest, token.subarray(0, bodyBytes)), bodyBytes)
      return token.toString('base64url')
    },
    parse(token, { userId, surface }) {
      const bytes = tokenBytes(token)
      const body = bytes.subarray(0, bodyBytes)
      const signedWith = secrets.find((each) => timingSafeEqual(macOf(each, body), bytes.subarray(bodyBytes)))
      if (signedWith === undefined)
        throw refused('its signature does not fit: it was altered, or another key signed it')
      if (!timingSafeEqual(userTag(signedWith, userId), body.subarray(13))) throw refused('it belongs to another user')
      const ofSurface = surfaces[body.readUInt8(2)]
      if (ofSurface !== surface) throw refused(`it belongs to the surface ${ofSurface}, not to ${surface}`)
      return {
        firstPosition: body.readUInt32BE(3),
        startedAtMs: body.readUIntBE(7, 6),
        recorded: body.readUInt8(1) === 1,
      }
    },
  }
}

function tokenBytes(token: string): Buffer {
  const bytes = /^[\w-]{1,128}$/.test(token) ? Buffer.from(token, 'base64url') : Buffer.alloc(0)
  if (bytes.toString('latin1').startsWith('1.')) throw refused('it has no signature: it comes from an older version')
  const isWhole = token.length === tokenChars && bytes.length === bodyBytes + macBytes
  // The last letter holds spare bits, so that a token has only one spelling.
  if (!isWhole || bytes[0] !== version || bytes.toString('base64url') !== token) throw refused('it is not a page token')
  return bytes
}

function refused(why: string): ContractError {
  return new ContractError(
    'CALL_INVALID_ARGUMENT',
    `page_token: ${why}; give next_page_token of the previous answer, or none for the first page`,
  )
}

function userTag(key: KeyObject, userId: string): Buffer {
  return createHmac('sha256', key).update(`user ${userId}`).digest().subarray(0, tagBytes)
}

function macOf(key: KeyObject, body: Uint8Array): Buffer {
  return createHmac('sha256', key).update('token ').update(body).digest().subarray(0, macBytes)
}
