import type { Catalogue } from './catalogue.ts'
import type { RetrievalConfig } from '../config.ts'
import type { Sessions } from './sessions.ts'

/** What one pin, session and action of a session costs, bytes on average; 0 while there are none. */
export interface BytesPer {
  readonly pin: number
  readonly session: number
  readonly sessionAction: number
}

// Columns grow by doubling, so up to half of a column may be unused. A pin: 62 bytes of columns, its id of at most 128
// characters, its slots in two lists. A session: 57 bytes of columns, two slots of 12 in each of two tables at least a
// quarter full, its slot in a list. An action: key and time, in the session's list and in the pin's, blocks at least half full.
const maxBytesPerPin = 2 * 62 + 56 + 2 * 128 + 2 * 2 * 17
const maxBytesPerSession = 2 * 57 + 2 * 4 * 12 + 2 * 9
const maxBytesPerAction = 2 * 2 * 2 * 12

/** What the caps in a configuration allow the shared views, bytes. */
export function maxBytes(config: RetrievalConfig): Readonly<Record<'catalogue' | 'sessions' | 'trails', number>> {
  const sessions = config.maxSessions * maxBytesPerSession + config.maxSessionActions * maxBytesPerAction
  return { catalogue: config.maxPins * maxBytesPerPin, sessions, trails: sessions }
}

/** What the shared views cost now. A session's bytes are those of its actions as well. */
export function bytesPer(catalogue: Catalogue, sessions: Sessions): BytesPer {
  return {
    pin: perOne(catalogue.bytes(), catalogue.size - 1),
    session: perOne(sessions.bytes(), sessions.size),
    sessionAction: perOne(sessions.bytes(), sessions.actions),
  }
}

function perOne(bytes: number, count: number): number {
  return count === 0 ? 0 : bytes / count
}
