/** A string that only the named parser makes, so that a pin id never stands where a user id is meant. */
export type Branded<Name extends string> = string & { readonly __brand: Name }

export type UserId = Branded<'UserId'>
export type PinId = Branded<'PinId'>
export type BoardId = Branded<'BoardId'>
export type CreatorId = Branded<'CreatorId'>
export type TopicId = Branded<'TopicId'>
export type EventId = Branded<'EventId'>
export type SessionId = Branded<'SessionId'>
export type FeedId = Branded<'FeedId'>

/** The most characters (UTF-16 code units) an id may have. */
export const maxIdLength = 128

/** Why a string is not an id; `null` says that it is one. Ids are 1–128 visible characters: no control characters, no white space, no lone surrogates. */
export function idProblem(value: string): string | null {
  if (value.length > 0 && value.length <= maxIdLength && isPlain(value)) return null
  if (value.length === 0) return 'is empty; give 1–128 visible characters'
  if (value.length > maxIdLength) return `has ${value.length} characters; at most ${maxIdLength} are allowed`
  if (!value.isWellFormed()) return 'holds half of a surrogate pair; send well-formed Unicode'
  if (invisible.test(value))
    return 'holds a control character, white space or an invisible character; give visible characters only'
  return null
}

/** Whether a string is of visible ASCII characters alone, as most ids are: found out at a tenth of the cost of the rest. */
function isPlain(value: string): boolean {
  for (let i = 0; i < value.length; i++) {
    const unit = value.charCodeAt(i)
    if (unit < 0x21 || unit > 0x7e) return false
  }
  return true
}

const invisible = /[\p{Cc}\p{Cf}\p{Z}\p{Co}\p{Cn}]/u

/** Mints an id of the wanted kind from a string that the edge has checked. Throws a RangeError where it has not. */
export function asId<Id extends Branded<string>>(value: string): Id {
  const problem = idProblem(value)
  if (problem !== null) throw new RangeError(`id ${JSON.stringify(value)} ${problem}`)
  return value as Id
}
