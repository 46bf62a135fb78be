import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What a generator wrote down of one event, identified by user and event id. */
export interface SentEvent {
  readonly userId: string
  readonly eventId: string
  /** Its last answer: accepted (202 with a token), rejected (an error that names it), none. */
  readonly answer: 'accepted' | 'rejected' | 'none'
  /** How often it was answered with a token. */
  readonly acceptances: number
}

/** A file of what was sent and what it was answered, one JSON line each, in the order in which it happened. */
export interface SentFile {
  readonly path: string
  sent(userId: string, eventId: string): void
  accepted(userId: string, eventId: string, token: string): void
  rejected(userId: string, eventId: string, code: string): void
  /** Reads the file again: each event once. */
  events(): readonly SentEvent[]
  remove(): void
}

const bufferedChars = 1 << 16

interface Line {
  readonly user: string
  readonly id: string
  readonly token?: string
  readonly code?: string
}

/** An empty file in a folder of its own. */
export function createSentFile(): SentFile {
  const folder = mkdtempSync(join(tmpdir(), 'freshet-sent-'))
  const path = join(folder, 'sent.jsonl')
  const file = openSync(path, 'a')
  let waiting = ''
  const flush = (): void => {
    writeSync(file, waiting)
    waiting = ''
  }
  const write = (line: Line): void => {
    waiting += `${JSON.stringify(line)}\n`
    if (waiting.length >= bufferedChars) flush()
  }
  return {
    path,
    sent: (user, id) => write({ user, id }),
    accepted: (user, id, token) => write({ user, id, token }),
    rejected: (user, id, code) => write({ user, id, code }),
    events() {
      flush()
      const events = new Map<string, SentEvent>()
      for (const text of readFileSync(path, 'utf8').split('\n')) {
        if (text === '') continue
        const { user, id, token, code } = JSON.parse(text) as Line
        const key = `${user} ${id}`
        const known = events.get(key) ?? { userId: user, eventId: id, answer: 'none', acceptances: 0 }
        const acceptances = known.acceptances + (token === undefined ? 0 : 1)
        const answer = acceptances > 0 ? 'accepted' : code === undefined ? known.answer : 'rejected'
        events.set(key, { ...known, answer, acceptances })
      }
      return [...events.values()]
    },
    remove() {
      closeSync(file)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
