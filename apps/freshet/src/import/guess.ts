import type { FieldOfColumn, Mapping } from './mapping.ts'
import { namesOf, plainName } from './names.ts'

const oldestMs = Date.UTC(1990, 0, 1)
const dayMs = 86_400_000
/** Of the cells of a column, this share decides what it is; a few may be wrong. */
const most = 0.9

/** A field that was found by what stands in the rows, and why, for the user. */
export interface Guess extends FieldOfColumn {
  readonly why: string
}

/**
 * The fields that engagements need and that no column has by its name, from the rows: the time is the only column of dates or of seconds or milliseconds
 * since 1970; where a file has sessions and no users, each session counts as a user; and if one column is left that holds ids, it is the missing
 * user or pin. What is not certain stays open, and the caller asks.
 */
export function guessFields(
  { as, fields, unused }: Mapping,
  columns: readonly string[],
  sampleOf: (column: number) => readonly unknown[],
  nowMs: number,
): readonly Guess[] {
  if (as !== 'engagements') return []
  const guesses: Guess[] = []
  const has = (field: string): boolean => [...fields, ...guesses].some((each) => each.field === field)
  const left = (): number[] =>
    unused.map((name) => columns.indexOf(name)).filter((at) => !guesses.some(({ column }) => column === at))
  const take = (field: string, column: number | undefined, why: string): void => {
    if (column !== undefined) guesses.push({ field, column, name: columns[column]!, why })
  }
  if (!has('occurredAt')) {
    const times = left().filter((at) => isTime(sampleOf(at), nowMs))
    if (times.length === 1) take('occurredAt', times[0], 'its values are times')
  }
  if (!has('userId')) {
    const session = fields.find(({ field }) => field === 'sessionId')
    if (session !== undefined) take('userId', session.column, 'each session counts as a user')
  }
  const missing = ['userId', 'pinId'].filter((field) => !has(field))
  const ids = left().filter((at) => isId(sampleOf(at)))
  if (missing.length === 1 && ids.length === 1 && !hasOtherSubject(fields))
    take(missing[0]!, ids[0], 'it is the only other column of ids')
  return guesses
}

/** Whether a name or a session says that rows are of somebody. */
export function namesSomebody(columns: readonly string[]): boolean {
  const plain = columns.map(plainName)
  const has = (field: string): boolean => namesOf.engagements[field]!.some((name) => plain.includes(name))
  return has('userId') || (has('sessionId') && has('pinId'))
}

function hasOtherSubject(fields: readonly FieldOfColumn[]): boolean {
  return fields.some(({ field }) => ['boardId', 'creatorId', 'topicId', 'word'].includes(field))
}

const given = (cells: readonly unknown[]): readonly string[] =>
  cells.filter((cell) => typeof cell === 'string' || typeof cell === 'number').map((cell) => String(cell).trim())

function isTime(cells: readonly unknown[], nowMs: number): boolean {
  const texts = given(cells)
  const fits = (isOne: (text: string) => boolean): boolean =>
    texts.length > 0 && texts.filter(isOne).length >= most * texts.length
  const isRecent = (ms: number): boolean => ms >= oldestMs && ms <= nowMs + dayMs
  const isNumber = (factor: number) => (text: string) => /^\d+(\.\d+)?$/.test(text) && isRecent(Number(text) * factor)
  return fits((text) => /^\d{4}-\d\d-\d\d/.test(text)) || fits(isNumber(1000)) || fits(isNumber(1))
}

/** Ids repeat or differ, are short, and are not measures: neither fractions nor one and the same. */
function isId(cells: readonly unknown[]): boolean {
  const texts = given(cells)
  const isShort = (text: string): boolean =>
    text !== '' && text.length <= 64 && !/\s/.test(text) && !/^-?\d*\.\d+$/.test(text)
  return texts.length > 0 && texts.every(isShort) && (texts.length === 1 || new Set(texts).size > 1)
}
