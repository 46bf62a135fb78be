import { maxIdCharacters, maxWordCharacters } from '@freshet/domain/ids'
import { parseLocale } from '@freshet/domain/locale'
import {
  idFault,
  kindOf,
  nameFault,
  shown,
  textFault,
  wholeFault,
  wordFault,
  wrongType,
  type FieldFault,
} from './fields.ts'
import { timeFault } from './time.ts'

/** What a field may contain. The parser and the description of the API (OpenAPI) are made from it. */
export type FieldRule = FieldType & {
  /** What the field means, for people. */
  readonly meaning: string
  readonly isRequired?: true
}

type FieldType =
  | { readonly type: 'id' | 'name' | 'word' | 'time' | 'flag' }
  | { readonly type: 'choice'; readonly choices: readonly string[] }
  | { readonly type: 'whole'; readonly min: 0 | 1; readonly max: number }
  | { readonly type: 'text' | 'label' | 'locale' | 'url'; readonly max: number }
  | { readonly type: 'share'; readonly min: number }
  | { readonly type: 'embedding'; readonly max: number }
  | { readonly type: 'list'; readonly of: FieldType; readonly what: string; readonly max: number }

/** Finds what is wrong with the value of a field; empty: nothing. */
export type FieldCheck = (value: unknown) => readonly FieldFault[]

const none: readonly FieldFault[] = []

/** The check of a field, without `isRequired`. */
export function checkOf(rule: FieldType): FieldCheck {
  if (rule.type === 'list') return (value) => listFaults(value, rule)
  const fault = faultOf(rule)
  return (value) => {
    const found = fault(value)
    return found === null ? none : [found]
  }
}

/** The check of a field that is not a list: at most one fault. */
export function faultOf(rule: Exclude<FieldType, { type: 'list' }>): (value: unknown) => FieldFault | null {
  switch (rule.type) {
    case 'id':
      return idFault
    case 'name':
      return nameFault
    case 'word':
      return wordFault
    case 'time':
      return timeFault
    case 'flag':
      return (value) => (typeof value === 'boolean' ? null : wrongType(value, 'true or false'))
    case 'choice': {
      const known: ReadonlySet<unknown> = new Set(rule.choices)
      return (value) => (known.has(value) ? null : choiceFault(value, rule.choices))
    }
    case 'whole':
      return (value) => (value === 0 && rule.min > 0 ? tooSmall(rule.max) : wholeFault(value, rule.max))
    case 'share':
      return (value) => shareFault(value, rule.min)
    case 'text':
      return (value) => textFault(value, rule.max)
    case 'label':
      return (value) => labelFault(value, rule.max)
    case 'locale':
      return (value) => localeFault(value, rule.max)
    case 'url':
      return (value) => urlFault(value, rule.max)
    case 'embedding':
      return (value) => embeddingFault(value, rule.max)
  }
}

/** A schema of JSON Schema 2020-12, as OpenAPI 3.1 uses it. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** The rule of a field as JSON Schema. It leaves out what JSON Schema cannot say, such as which control characters are refused. */
export function schemaOf(rule: FieldType & { readonly meaning?: string }): JsonSchema {
  return { ...typeSchema(rule), ...(rule.meaning !== undefined && { description: rule.meaning }) }
}

function typeSchema(rule: FieldType): JsonSchema {
  switch (rule.type) {
    case 'id':
      return { type: 'string', minLength: 1, maxLength: maxIdCharacters, pattern: String.raw`^\S+$` }
    case 'name':
      return { type: 'string', minLength: 1, maxLength: maxIdCharacters, pattern: String.raw`^\S(.*\S)?$` }
    case 'word':
      return { type: 'string', minLength: 1, maxLength: maxWordCharacters }
    case 'time':
      return { type: 'string', format: 'date-time' }
    case 'flag':
      return { type: 'boolean' }
    case 'choice':
      return { type: 'string', enum: rule.choices }
    case 'whole':
      return { type: 'integer', minimum: rule.min, maximum: rule.max }
    case 'share':
      return { type: 'number', minimum: rule.min, maximum: 1 }
    case 'text':
      return { type: 'string', maxLength: rule.max }
    case 'label':
      return { type: 'string', minLength: 1, maxLength: rule.max }
    case 'locale':
      return { type: 'string', maxLength: rule.max, examples: ['de-DE'] }
    case 'url':
      return { type: 'string', format: 'uri', maxLength: rule.max }
    case 'embedding':
      return { type: 'array', items: { type: 'number' }, minItems: 1, maxItems: rule.max }
    case 'list':
      return { type: 'array', items: schemaOf(rule.of), maxItems: rule.max }
  }
}

function listFaults(value: unknown, { of, what, max }: Extract<FieldType, { type: 'list' }>): readonly FieldFault[] {
  if (!Array.isArray(value)) return [wrongType(value, `an array of ${what}`)]
  if (value.length > max) {
    return [{ code: 'EVENT_FIELD_VALUE', text: `has ${value.length} ${what}; at most ${max} are allowed` }]
  }
  const check = checkOf(of)
  let faults: FieldFault[] | null = null
  for (const [index, element] of value.entries()) {
    for (const fault of check(element)) (faults ??= []).push({ ...fault, index })
  }
  return faults ?? none
}

/** The fault of a value that is not one of the choices. */
function choiceFault(value: unknown, choices: readonly string[]): FieldFault {
  const wanted = `one of ${choices.join(', ')}`
  if (typeof value !== 'string') return wrongType(value, wanted)
  return { code: 'EVENT_FIELD_VALUE', text: `is ${kindOf(value)}; give ${wanted}` }
}

function tooSmall(max: number): FieldFault {
  return { code: 'EVENT_FIELD_VALUE', text: `is 0; give a whole number from 1 to ${max}` }
}

function shareFault(value: unknown, min: number): FieldFault | null {
  if (typeof value !== 'number') return wrongType(value, 'a number')
  if (value >= min && value <= 1) return null
  return { code: 'EVENT_FIELD_VALUE', text: `is ${value}; give a number from ${min} to 1` }
}

function labelFault(value: unknown, maxCharacters: number): FieldFault | null {
  if (value === '') return { code: 'EVENT_FIELD_MISSING', text: `is empty; give 1–${maxCharacters} characters` }
  return textFault(value, maxCharacters)
}

function localeFault(value: unknown, maxCharacters: number): FieldFault | null {
  const fault = textFault(value, maxCharacters)
  if (fault !== null) return fault
  if (parseLocale(value as string) !== null) return null
  const text = `is ${shown(value as string)}, which is not BCP 47; give a locale such as de-DE`
  return { code: 'EVENT_FIELD_VALUE', text }
}

function urlFault(value: unknown, maxCharacters: number): FieldFault | null {
  const fault = textFault(value, maxCharacters)
  if (fault !== null) return fault
  const url = URL.parse(value as string)
  if (url !== null && (url.protocol === 'https:' || url.protocol === 'http:')) return null
  return { code: 'EVENT_FIELD_VALUE', text: `is ${shown(value as string)}; give an http or https address` }
}

function embeddingFault(value: unknown, maxWidth: number): FieldFault | null {
  if (!Array.isArray(value)) return wrongType(value, 'an array of numbers')
  if (value.length === 0 || value.length > maxWidth) {
    return { code: 'EMBEDDING_INVALID', text: `has ${value.length} numbers; give 1 to ${maxWidth}` }
  }
  let largest = 0
  for (const [index, number] of (value as readonly unknown[]).entries()) {
    if (typeof number !== 'number') {
      return { ...wrongType(number, 'a number'), index }
    }
    const size = Math.abs(Math.fround(number))
    if (!(size < Infinity)) {
      return { code: 'EMBEDDING_INVALID', text: `is ${number}; give numbers that fit 32-bit floats`, index }
    }
    if (size > largest) largest = size
  }
  return largest > 0 ? null : { code: 'EMBEDDING_INVALID', text: 'is all zero; omit it if the pin has none' }
}
