import { hash32 } from '@freshet/domain/hash'

/** What makes the next page consistent with the ones before. */
export interface PageSession {
  /** Position of the page's first pin in the whole feed. */
  readonly firstPosition: number
  /** When the first page was asked for, milliseconds since the epoch. */
  readonly startedAtMs: number
  /** The pages before were recorded as served; where not (dry runs), their pins are the first of the order and are passed over. */
  readonly recorded: boolean
}

const version = 1

/** A session as an opaque string. Its check word binds it to the user; there is nothing in it that is worth forging. */
export function formatPageToken(session: PageSession, userId: string): string {
  const body = [version, session.firstPosition, session.startedAtMs.toString(36), session.recorded ? 'r' : 'd'].join(
    '.',
  )
  return Buffer.from(`${body}.${checkWord(body, userId)}`).toString('base64url')
}

/** The session a token stands for; null: it is no token of this user. */
export function parsePageToken(token: string, userId: string): PageSession | null {
  if (token.length > 128 || !/^[\w-]+$/.test(token)) return null
  const text = Buffer.from(token, 'base64url').toString('latin1')
  const match = /^(1\.(\d{1,7})\.([0-9a-z]{1,10})\.([rd]))\.([0-9a-z]{1,7})$/.exec(text)
  if (match === null) return null
  const [, body = '', firstPosition, startedAtMs = '', recorded, check] = match
  if (check !== checkWord(body, userId)) return null
  return {
    firstPosition: Number(firstPosition),
    startedAtMs: Number.parseInt(startedAtMs, 36),
    recorded: recorded === 'r',
  }
}

function checkWord(body: string, userId: string): string {
  return hash32(`${body} ${userId}`, 0x70616765).toString(36)
}
