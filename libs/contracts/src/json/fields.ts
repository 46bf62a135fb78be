import { countCharacters, idProblem, nameProblem, wordProblem } from '@freshet/domain/ids'
import type { IngestCode } from './problems.ts'

/** Why a value does not fit a field. `text` continues a sentence that begins with the field's name. */
export interface FieldFault {
  readonly code: IngestCode
  readonly text: string
  /** Index of the wrong element if the field is an array. */
  readonly index?: number
}

/** Values that are nested deeper than this get the code EVENT_TOO_DEEP. */
export const maxJsonDepth = 16

/** Why `value` is not an id; null: it is one. */
export function idFault(value: unknown): FieldFault | null {
  return typeof value === 'string' ? toIdFault(value, idProblem(value)) : wrongType(value, 'a string')
}

/** Why `value` is not the name of a board, creator or topic; null: it is one. */
export function nameFault(value: unknown): FieldFault | null {
  return typeof value === 'string' ? toIdFault(value, nameProblem(value)) : wrongType(value, 'a string')
}

/** Why `value` is not a word that a user can block; null: it is one. */
export function wordFault(value: unknown): FieldFault | null {
  return typeof value === 'string' ? toIdFault(value, wordProblem(value)) : wrongType(value, 'a string')
}

function toIdFault(value: string, text: string | null): FieldFault | null {
  return text === null ? null : { code: value === '' ? 'EVENT_FIELD_MISSING' : 'EVENT_ID_INVALID', text }
}

/** Why `value` is not a text of at most `maxCharacters`; null: it is one. Line breaks and tabs are allowed, other control characters are not. */
export function textFault(value: unknown, maxCharacters: number): FieldFault | null {
  if (typeof value !== 'string') return wrongType(value, 'a string')
  const characters = value.length > maxCharacters ? countCharacters(value) : 0
  if (characters > maxCharacters) {
    return { code: 'EVENT_TEXT_INVALID', text: `has ${characters} characters; at most ${maxCharacters} are allowed` }
  }
  if (!value.isWellFormed()) {
    return { code: 'EVENT_TEXT_INVALID', text: 'contains half of a surrogate pair; send well-formed Unicode' }
  }
  const control = controlCharacter.exec(value)
  if (control === null) return null
  const point = (value.codePointAt(control.index) as number).toString(16).toUpperCase().padStart(4, '0')
  return { code: 'EVENT_TEXT_INVALID', text: `contains the control character U+${point}; remove it` }
}

// eslint-disable-next-line no-control-regex -- the expression searches for control characters
const controlCharacter = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/

/** Why `value` is not a whole number from 0 to `max`; null: it is one. */
export function wholeFault(value: unknown, max: number): FieldFault | null {
  if (typeof value !== 'number') return wrongType(value, 'a number')
  if (Number.isInteger(value) && value >= 0 && value <= max) return null
  return { code: 'EVENT_FIELD_VALUE', text: `is ${value}; give a whole number from 0 to ${max}` }
}

/** The fault of a value whose type is not `wanted`, e.g. `a string`. */
export function wrongType(value: unknown, wanted: string): FieldFault {
  if (value === undefined) return { code: 'EVENT_FIELD_MISSING', text: `is missing; give ${wanted}` }
  if (isDeeperThan(value, maxJsonDepth)) {
    return { code: 'EVENT_TOO_DEEP', text: `is nested more than ${maxJsonDepth} levels deep; give ${wanted}` }
  }
  return { code: 'EVENT_FIELD_TYPE', text: `is ${kindOf(value)}; give ${wanted}` }
}

/** Whether arrays and objects are nested deeper than `max`. Does not recurse, so depth does not use the stack. */
export function isDeeperThan(value: unknown, max: number): boolean {
  let level: unknown[] = [value]
  for (let depth = 0; depth <= max; depth++) {
    const below: unknown[] = []
    for (const each of level) {
      if (typeof each !== 'object' || each === null) continue
      for (const child of Array.isArray(each) ? each : Object.values(each)) {
        if (typeof child === 'object' && child !== null) below.push(child)
      }
    }
    if (below.length === 0) return false
    level = below
  }
  return true
}

/** A value's JSON type with its article, for messages. Includes short values. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object') return 'an object'
  if (typeof value === 'string') return `the string ${shown(value)}`
  return `the ${typeof value} ${typeof value === 'number' ? value : JSON.stringify(value)}`
}

/** A string for messages: quoted, well-formed, at most 40 characters. */
export function shown(value: string): string {
  const short = value.length <= 40 ? value : `${value.slice(0, 40)}…`
  return JSON.stringify(short.toWellFormed())
}

/** Whether a value is a JSON object. */
export function isJsonObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
