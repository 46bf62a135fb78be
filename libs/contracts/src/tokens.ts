import type { TopicName } from './topics.ts'

const topicPrefixes = {
  'engagements.v1': 'e',
  'pins.v1': 'p',
  'creators.v1': 'c',
  'boards.v1': 'b',
} as const satisfies Partial<Record<TopicName, string>>
const mergePrefix = 'm'
/** The topics whose events have tokens. */
export type TokenTopic = keyof typeof topicPrefixes

const topicsByPrefix: ReadonlyMap<string, TokenTopic> = new Map(
  Object.entries(topicPrefixes).map(([topic, prefix]) => [prefix, topic as TokenTopic]),
)

/** A log position up to which (inclusive) a reader wants state to reflect the log. */
export interface Token {
  readonly topic: TokenTopic
  readonly partition: number
  readonly position: number
  /** Short name of the log that the position is in (`logTag`); '': not known. */
  readonly log: string
  /** Whether it is the token of a merge: the other user's state follows in another partition. */
  readonly isMerge: boolean
}

/** Read-your-writes token as clients carry it, e.g. `e3-1204-1x2k9z`. */
export function formatToken(token: Token): string {
  const prefix = token.isMerge ? mergePrefix : topicPrefixes[token.topic]
  const place = `${prefix}${token.partition}-${token.position}`
  return token.log === '' ? place : `${place}-${token.log}`
}

/** What a token of a topic begins with; partition, `-` and position follow, and, if the log is known, `-` and its short name. */
export function tokenStart(topic: TokenTopic): string {
  return topicPrefixes[topic]
}

/** Parses a token; null: the string is not a token. */
export function parseToken(text: string): Token | null {
  const match = /^([epcbm])(\d{1,5})-(\d{1,12})(?:-([0-9a-z]{1,8}))?$/.exec(text)
  if (match === null) return null
  return {
    topic: topicsByPrefix.get(match[1] ?? '') ?? 'engagements.v1',
    partition: Number(match[2]),
    position: Number(match[3]),
    log: match[4] ?? '',
    isMerge: match[1] === mergePrefix,
  }
}
