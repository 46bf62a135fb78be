import { hash32 } from '@freshet/domain/hash'

/** The state that makes a page consistent with the pages before it. */
export interface PageSession {
  /** Position of the page's first pin in the whole feed. */
  readonly firstPosition: number
  /** Time of the request for the first page, milliseconds since the epoch. */
  readonly startedAtMs: number
  /** Whether the earlier pages were recorded as served. If not (dry runs), their pins come first in the order, and the blender skips them. */
  readonly recorded: boolean
}

const version = 1

/** Formats a session as an opaque string. A checksum binds it to the user. It contains nothing worth forging. */
export function formatPageToken(session: PageSession, userId: string): string {
  const body = [version, session.firstPosition, session.startedAtMs.toString(36), session.recorded ? 'r' : 'd'].join(
    '.',
  )
  return Buffer.from(`${body}.${checksum(body, userId)}`).toString('base64url')
}

/** Reads the session from a token; null: it is not a token of this user. */
export function parsePageToken(token: string, userId: string): PageSession | null {
  if (token.length > 128 || !/^[\w-]+$/.test(token)) return null
  const text = Buffer.from(token, 'base64url').toString('latin1')
  const match = /^(1\.(\d{1,7})\.([0-9a-z]{1,10})\.([rd]))\.([0-9a-z]{1,7})$/.exec(text)
  if (match === null) return null
  const [, body = '', firstPosition, startedAtMs = '', recorded, check] = match
  if (check !== checksum(body, userId)) return null
  return {
    firstPosition: Number(firstPosition),
    startedAtMs: Number.parseInt(startedAtMs, 36),
    recorded: recorded === 'r',
  }
}

function checksum(body: string, userId: string): string {
  return hash32(`${body} ${userId}`, 0x70616765).toString(36)
}
