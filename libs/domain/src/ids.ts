/** A string type that only its parser creates, so that a pin id cannot be passed as a user id. */
export type Branded<Name extends string> = string & { readonly __brand: Name }

export type UserId = Branded<'UserId'>
export type PinId = Branded<'PinId'>
export type BoardId = Branded<'BoardId'>
export type CreatorId = Branded<'CreatorId'>
export type TopicId = Branded<'TopicId'>
export type EventId = Branded<'EventId'>
export type SessionId = Branded<'SessionId'>
export type FeedId = Branded<'FeedId'>

/** The most characters (Unicode code points) an id or a name may have. */
export const maxIdCharacters = 128

/**
 * Why a string is not an id of a user, pin, session, feed or event; `null` says that it is one. 1–128 characters of any
 * script, without spaces. Neither ids nor names contain control characters, line breaks, other white space or invisible
 * characters (joiners, as within emoji, are fine), or lone surrogates. They are compared character by character; nothing
 * is normalised.
 */
export function idProblem(value: string): string | null {
  return isPlain(value, 0x21) ? null : problemOf(value, `1–${maxIdCharacters} characters without spaces`, false)
}

/** How the ids of anonymous users begin, which clients make at random. Callers that hold only a write key may merge these users and no others. */
export const anonymousPrefix = 'anon-'
/** The least number of characters after the prefix: as many as a random id of 96 bits has in base 64. */
export const anonymousCharacters = 16

/** Whether a user id is one that clients make for anonymous users: nobody else can guess it. */
export function isAnonymousId(userId: unknown): boolean {
  return (
    typeof userId === 'string' &&
    userId.startsWith(anonymousPrefix) &&
    userId.length >= anonymousPrefix.length + anonymousCharacters
  )
}

/** Why a string is not a name by which a board, creator or topic is known; `null` says that it is one. As `idProblem`, but spaces are allowed inside: "Home Decor". */
export function nameProblem(value: string): string | null {
  if (isPlain(value, 0x20) && value[0] !== ' ' && value.at(-1) !== ' ') return null
  return problemOf(value, `1–${maxIdCharacters} characters without spaces at the ends`, true)
}

/** The most characters of a word that a user blocks. */
export const maxWordCharacters = 64

/** Why a string is not a word that a user can block; `null` says that it is one. As `idProblem`, with 1–64 characters. */
export function wordProblem(value: string): string | null {
  const characters = countCharacters(value)
  if (characters > maxWordCharacters) return `has ${characters} characters; at most ${maxWordCharacters} are allowed`
  return idProblem(value)
}

function problemOf(value: string, rule: string, blanks: boolean): string | null {
  if (value.length === 0) return `is empty; give ${rule}`
  const characters = countCharacters(value)
  if (characters > maxIdCharacters) return `has ${characters} characters; at most ${maxIdCharacters} are allowed`
  if (!value.isWellFormed()) return 'contains half of a surrogate pair; send well-formed Unicode'
  const found = forbidden.exec(value)
  if (found !== null) return `contains ${named(found[0])}; give ${rule}`
  if (!blanks && value.includes(' ')) return `contains a space; give ${rule}`
  if (/^[ \u200c\u200d]|[ \u200c\u200d]$/.test(value)) return `begins or ends with a space or a joiner; give ${rule}`
  return null
}

/** How many characters (code points) a text has: an emoji is one, though it takes two UTF-16 code units. */
export function countCharacters(text: string): number {
  let count = text.length
  for (let i = 1; i < text.length; i++) {
    if ((text.charCodeAt(i) & 0xfc00) === 0xdc00 && (text.charCodeAt(i - 1) & 0xfc00) === 0xd800) count--
  }
  return count
}

/** Whether a string has only ASCII characters from `least` on, as most ids do. This check costs a tenth of the full one. */
function isPlain(value: string, least: number): boolean {
  const { length } = value
  if (length === 0 || length > maxIdCharacters) return false
  for (let i = 0; i < length; i++) {
    const unit = value.charCodeAt(i)
    if (unit < least || unit > 0x7e) return false
  }
  return true
}

// Joiners and tags hold emoji and words of some scripts together; unassigned characters may be newer than this program.
const forbidden = /(?! |\u200c|\u200d|[\u{e0020}-\u{e007f}])[\p{Cc}\p{Cf}\p{Z}\p{Co}\p{Noncharacter_Code_Point}]/u

function named(character: string): string {
  const point = (character.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, '0')
  const kind = /\p{Cc}/u.test(character)
    ? 'the control character'
    : /\p{Z}/u.test(character)
      ? 'the white space'
      : 'the invisible character'
  return `${kind} U+${point}`
}

/** Mints an id of the wanted kind from a string that the edge has checked. Throws a RangeError if it can be neither an id nor a name. */
export function asId<Id extends Branded<string>>(value: string): Id {
  const problem = nameProblem(value)
  if (problem !== null) throw new RangeError(`id ${JSON.stringify(value)} ${problem}`)
  return value as Id
}
