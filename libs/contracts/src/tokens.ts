import type { TopicName } from './topics.ts'

const letters = { 'engagements.v1': 'e', 'pins.v1': 'p' } as const satisfies Partial<Record<TopicName, string>>
type TokenTopic = keyof typeof letters

/** A place in the log that a reader wants to see reflected: the record at `position` itself included. */
export interface Token {
  readonly topic: TokenTopic
  readonly partition: number
  readonly position: number
  /** Short name of the log that the position is in (`logTag`); '': not known. */
  readonly log: string
}

/** Read-your-writes token as clients carry it, e.g. `e3-1204-1x2k9z`. */
export function formatToken(token: Token): string {
  const place = `${letters[token.topic]}${token.partition}-${token.position}`
  return token.log === '' ? place : `${place}-${token.log}`
}

/** The token a string stands for; null: it is none. */
export function parseToken(text: string): Token | null {
  const match = /^([ep])(\d{1,5})-(\d{1,12})(?:-([0-9a-z]{1,8}))?$/.exec(text)
  if (match === null) return null
  return {
    topic: match[1] === 'e' ? 'engagements.v1' : 'pins.v1',
    partition: Number(match[2]),
    position: Number(match[3]),
    log: match[4] ?? '',
  }
}
