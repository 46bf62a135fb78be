import { hash32 } from '@freshet/domain/hash'

/** 64 bits that name a session, a user or a user's trail wherever it is held. */
export interface SessionKey {
  readonly high: number
  readonly low: number
}

/** The key of a session with an id. */
export function sessionKey(userId: string, sessionId: string): SessionKey {
  const text = `${userId}\n${sessionId}`
  return { high: hash32(text, 0x5e551), low: hash32(text, 0x10e5) }
}

/** The key of a session that began at a time, for events without session ids. */
export function gapKey(userId: string, startedAtMs: number): SessionKey {
  return sessionKey(userId, `\t${startedAtMs}`)
}

/** The key of a user, and of the user's trail. */
export function userKey(userId: string): SessionKey {
  return { high: hash32(userId, 0x0ffe2), low: hash32(userId, 0x7ab1e) }
}
