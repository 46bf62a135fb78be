import type { FieldOfColumn, Mapping } from './mapping.ts'
import { namesOf, plainName } from './names.ts'

const oldestMs = Date.UTC(1990, 0, 1)
const dayMs = 86_400_000
/** Of the cells of a column, this share decides what it is; a few may be wrong. */
const most = 0.9
/** In so many rows, some user and some pin come twice. */
const manyRows = 100

/** A field that was found by what stands in the rows, and why, for the user. */
export interface Guess extends FieldOfColumn {
  readonly why: string
}

/** Where guesses come from. */
interface GuessSource {
  /** The cells of a column in the first rows. */
  readonly sampleOf: (column: number) => readonly unknown[]
  readonly nowMs: number
  /** The user gave a time for all rows. */
  readonly hasTime: boolean
}

/**
 * The fields that engagements need and that no column has by its name, from the rows: the time is the only column of dates or of seconds or milliseconds
 * since 1970; where a file has sessions and no users, each session counts as a user; and if one column is left that holds ids, it is the missing
 * user or pin. Names say what a column is not: a birthday is not the time of an event, a price is not an id. What is not certain stays open, and the caller asks.
 */
export function guessFields(
  { as, fields, unused }: Mapping,
  columns: readonly string[],
  { sampleOf, nowMs, hasTime }: GuessSource,
): readonly Guess[] {
  if (as !== 'engagements') return []
  const guesses: Guess[] = []
  const has = (field: string): boolean => [...fields, ...guesses].some((each) => each.field === field)
  const left = (): number[] =>
    unused.map((name) => columns.indexOf(name)).filter((at) => !guesses.some(({ column }) => column === at))
  const take = (field: string, column: number | undefined, why: string): void => {
    if (column !== undefined) guesses.push({ field, column, name: columns[column]!, why })
  }
  if (!has('occurredAt') && !hasTime) {
    const times = left().filter((at) => isTime(columns[at]!, sampleOf(at), nowMs))
    if (times.length === 1) take('occurredAt', times[0], 'its values are times')
  }
  if (!has('userId')) {
    const session = fields.find(({ field }) => field === 'sessionId')
    if (session !== undefined) take('userId', session.column, 'each session counts as a user')
  }
  const missing = ['userId', 'pinId'].filter((field) => !has(field))
  const ids = left().filter((at) => isId(columns[at]!, sampleOf(at)))
  if (missing.length === 1 && ids.length === 1 && !hasOtherSubject(fields))
    take(missing[0]!, ids[0], 'it is the only other column of ids')
  return guesses
}

/** Whether a name or a session says that rows are of somebody. `mapped`: the fields that the user gave. */
export function namesSomebody(columns: readonly string[], mapped: readonly string[] = []): boolean {
  const plain = columns.map(plainName)
  const has = (field: string): boolean =>
    mapped.includes(field) || namesOf.engagements[field]!.some((name) => plain.includes(name))
  return has('userId') || (has('sessionId') && has('pinId'))
}

function hasOtherSubject(fields: readonly FieldOfColumn[]): boolean {
  return fields.some(({ field }) => ['boardId', 'creatorId', 'topicId', 'word'].includes(field))
}

const given = (cells: readonly unknown[]): readonly string[] =>
  cells.filter((cell) => typeof cell === 'string' || typeof cell === 'number').map((cell) => String(cell).trim())

/** Times of something else than the event. */
const otherTimes = /birth|born|dob|expir|valid|until|deadline|release|publi|sign_?up|regist|join|deliver|ship/
/** Numbers are times only under a name that has to do with time: ids, phone numbers and barcodes are as large. */
const timeWords = /time|date|stamp|epoch|unix|utc|when|zeit|datum|fecha|hora|heure|tijd|(ed|en|ht)_?at$/
/** What describes a row, its user or its pin, and ids of something else. */
const notIds = new RegExp(
  [
    'price|preis|precio|prix|amount|betrag|quant|menge|cantidad|revenue|count|total|discount|currency|percent|weight',
    'country|region|postal|postcode|gender|locale|language|device|platform|browser|channel|campaign|referr',
    'categ|brand|colou?r|status|version|duration|length|transaction|order|invoice|basket|request|session|review',
    '(^|_)(qty|num|n|sum|cost|age|sex|year|city|state|land|pais|zip|os|ip|lang|type|kind|size|flag|level|row|index|source)(_|$)',
  ].join('|'),
)

/** `orderNo` → `order_no` */
function words(name: string): string {
  return name
    .replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, '_')
}

function isTime(name: string, cells: readonly unknown[], nowMs: number): boolean {
  const texts = given(cells)
  const fits = (isOne: (text: string) => boolean): boolean =>
    texts.length > 0 && texts.filter(isOne).length >= most * texts.length
  const isRecent = (ms: number): boolean => ms >= oldestMs && ms <= nowMs + dayMs
  const isNumber = (factor: number) => (text: string) => /^\d+(\.\d+)?$/.test(text) && isRecent(Number(text) * factor)
  if (otherTimes.test(words(name))) return false
  if (fits((text) => /^\d{4}-\d\d-\d\d/.test(text) && isRecent(Date.parse(text.slice(0, 10))))) return true
  return timeWords.test(words(name)) && (fits(isNumber(1000)) || fits(isNumber(1)))
}

/** Ids are short and are not measures: neither fractions, nor dates, nor few for many rows, nor another one in each of many rows. */
function isId(name: string, cells: readonly unknown[]): boolean {
  if (notIds.test(words(name))) return false
  const texts = given(cells)
  const different = new Set(texts).size
  const isShort = (text: string): boolean =>
    text !== '' && text.length <= 64 && !/\s|^\d{4}-\d\d-\d\d|^-?\d*\.\d+$/.test(text)
  if (texts.length === 0 || !texts.every(isShort)) return false
  return (
    texts.length === 1 ||
    (different > 1 && different ** 2 >= texts.length && (different < texts.length || texts.length < manyRows))
  )
}
