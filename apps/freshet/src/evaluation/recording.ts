import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import { idProblem } from '@freshet/domain/ids'
import { CodedError } from '@freshet/domain/coded-error'
import { argumentErrorCatalogue } from '../operations/errors.ts'

/** Asks what Freshet would recommend at a time. */
export interface Question {
  readonly atMs: number
  /** Empty: related pins without a user. */
  readonly userId: string
  readonly sessionId: string
  /** Asks for the related pins of this pin; null: for the user's feed. */
  readonly pinId: string | null
  readonly targets: readonly string[]
  readonly among: readonly string[]
  readonly exclude: readonly string[]
  readonly group: string | null
}

/** A line of a recording. Pins and engagements have the form of the HTTP API; later code checks them by its rules. */
export type RecordingLine =
  | { readonly kind: 'pin'; readonly value: unknown; readonly place: string }
  | { readonly kind: 'engagement'; readonly value: unknown; readonly place: string }
  | { readonly kind: 'question'; readonly question: Question; readonly place: string }
  | { readonly kind: 'mark'; readonly name: string; readonly place: string }

/** A recording that cannot be read. The message names the file, the line and the field. */
export class RecordingError extends CodedError<'RECORDING_INVALID'> {
  constructor(place: string, problem: string) {
    super('RECORDING_INVALID', argumentErrorCatalogue.RECORDING_INVALID, `${place}: ${problem}`)
  }
}

/** Reads recordings (`.jsonl`, `.jsonl.gz`) one after the other, as if they were one file. Throws a RecordingError at the first invalid line. */
export async function* readRecordings(files: readonly string[]): AsyncGenerator<RecordingLine> {
  for (const file of files) {
    const source = createReadStream(file)
    const input = file.endsWith('.gz') ? source.pipe(createGunzip()) : source
    source.on('error', (error) => input.destroy(error))
    let number = 0
    try {
      for await (const text of createInterface({ input, crlfDelay: Infinity })) {
        number++
        if (text !== '') yield parseLine(text, `${file}:${number}`)
      }
    } catch (error) {
      const { code = '', message } = error as { readonly code?: string; readonly message: string }
      if (code.startsWith('Z_'))
        throw new RecordingError(`${file}:${number + 1}`, `is not gzip, or is cut off: ${message}`)
      throw error
    }
  }
}

/** Parses one line. Throws a RecordingError. */
export function parseLine(text: string, place: string): RecordingLine {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    throw new RecordingError(place, `is not JSON: ${(error as Error).message}`)
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new RecordingError(place, 'is not a JSON object')
  const [kind, ...more] = Object.keys(parsed)
  if (kind === undefined || more.length > 0) {
    throw new RecordingError(
      place,
      `has the keys ${Object.keys(parsed).join(', ') || '(none)'}; give an object with one key`,
    )
  }
  const value = (parsed as Record<string, unknown>)[kind]
  switch (kind) {
    case 'pin':
    case 'engagement':
      return { kind, value, place }
    case 'mark':
      if (typeof value !== 'string' || value === '') throw new RecordingError(place, 'mark is not a non-empty string')
      return { kind, name: value, place }
    case 'question':
      return { kind, question: parseQuestion(value, place), place }
    default:
      throw new RecordingError(
        place,
        `has the unknown key ${JSON.stringify(kind)}; keys are pin, engagement, question and mark`,
      )
  }
}

const questionFields = ['at', 'userId', 'sessionId', 'pinId', 'target', 'among', 'exclude', 'group']

function parseQuestion(value: unknown, place: string): Question {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new RecordingError(place, 'question is not an object')
  const fields = value as Readonly<Record<string, unknown>>
  for (const name of Object.keys(fields)) {
    if (!questionFields.includes(name))
      throw new RecordingError(place, `question.${name} is unknown; fields are ${questionFields.join(', ')}`)
  }
  const text = (name: string): string | null =>
    fields[name] === undefined ? null : id(fields[name], `question.${name}`, place)
  const list = (name: string): string[] => {
    const given = fields[name]
    if (given === undefined) return []
    if (!Array.isArray(given)) throw new RecordingError(place, `question.${name} is not a list of ids`)
    return given.map((entry, at) => id(entry, `question.${name}[${at}]`, place))
  }
  const userId = text('userId')
  const pinId = text('pinId')
  if (userId === null && pinId === null) throw new RecordingError(place, 'question has neither userId nor pinId')
  const { group = null } = fields
  if (group !== null && typeof group !== 'string' && typeof group !== 'number')
    throw new RecordingError(place, 'question.group is neither a string nor a number')
  const targets = Array.isArray(fields['target']) ? list('target') : [id(fields['target'], 'question.target', place)]
  if (targets.length === 0) throw new RecordingError(place, 'question.target is empty')
  return {
    atMs: time(fields['at'], 'question.at', place),
    userId: userId ?? '',
    sessionId: text('sessionId') ?? '',
    pinId,
    targets,
    among: list('among'),
    exclude: list('exclude'),
    group: group === null ? null : String(group),
  }
}

function id(value: unknown, field: string, place: string): string {
  if (typeof value !== 'string')
    throw new RecordingError(place, `${field} is ${JSON.stringify(value) ?? 'missing'}, not a string`)
  const problem = idProblem(value)
  if (problem !== null) throw new RecordingError(place, `${field} ${problem}`)
  return value
}

const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/

/** Milliseconds since the epoch of an RFC 3339 time; null: it is not one. */
export function parseTime(text: string): number | null {
  const parsed = rfc3339.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(parsed) ? null : parsed
}

function time(value: unknown, field: string, place: string): number {
  const parsed = typeof value === 'string' ? parseTime(value) : null
  if (parsed === null)
    throw new RecordingError(
      place,
      `${field} is ${JSON.stringify(value) ?? 'missing'}; give an RFC 3339 time, for example 2026-01-31T08:00:00.000Z`,
    )
  return parsed
}
