import type { CreatorId, PinId, TopicId } from '@freshet/domain/ids'
import { parseLocale } from '@freshet/domain/locale'
import { unrestrictedPin, type PinChange } from '@freshet/domain/pin'
import { maxPinVersion } from '@freshet/domain/pin-version'
import { noObject, shortName, unknownField } from './engagement.ts'
import { idFault, isJsonObject, nameFault, shown, textFault, wholeFault, wrongType, type FieldFault } from './fields.ts'
import { createProblems, type Problems, type Refused } from './problems.ts'
import { formatTime, parseTime, timeFault } from './time.ts'

/** Fields of a pin in JSON. */
export const pinFields = [
  'pinId',
  'title',
  'description',
  'topics',
  'creatorId',
  'createdAt',
  'locale',
  'imageUrl',
  'visualEmbedding',
  'availableFrom',
  'expiresAt',
  'safetyLabels',
  'minAge',
  'imageSignature',
  'deleted',
  'version',
] as const

/** A catalogue change as its owner writes it in JSON. */
export interface PinJson {
  readonly pinId: string
  readonly title?: string
  readonly description?: string
  readonly topics?: readonly string[]
  readonly creatorId?: string
  /** RFC 3339 with milliseconds. */
  readonly createdAt?: string
  /** BCP 47. */
  readonly locale?: string
  readonly imageUrl?: string
  /** Finite numbers, not all zero. All pins of a catalogue have the same number of them. */
  readonly visualEmbedding?: readonly number[]
  /** The pin is shown from this time on, RFC 3339. */
  readonly availableFrom?: string
  /** The pin is not shown from this time on, RFC 3339; after `availableFrom`. */
  readonly expiresAt?: string
  /** What some users must not see, such as `adult`. */
  readonly safetyLabels?: readonly string[]
  /** Users must be at least this many years old. */
  readonly minAge?: number
  /** Equal for pins with the same picture. */
  readonly imageSignature?: string
  /** true: the owner removed the pin; other fields are ignored. */
  readonly deleted?: boolean
  /** Of the changes of a pin the one with the highest version counts, in any order of arrival. */
  readonly version?: number
}

/** The result of reading a pin. */
export type ParsedPin = { readonly ok: true; readonly change: PinChange } | Refused

const maxTitleCharacters = 500
const maxDescriptionCharacters = 5_000
const maxTopics = 32
const maxEmbeddingWidth = 4_096
const maxLocaleCharacters = 35
const maxUrlCharacters = 2_048
const maxSafetyLabels = 16
const maxLabelCharacters = 64
const maxAge = 99
const maxSignatureCharacters = 64

const known: ReadonlySet<string> = new Set(pinFields)

/** Reads a catalogue change from parsed JSON: converts no types, rejects unknown fields and reports all problems. `at` is its place in the request, e.g. `pins[3]`. */
export function parsePinJson(value: unknown, at: string): ParsedPin {
  if (!isJsonObject(value)) return noObject(value, at)
  let problems: Problems | null = null
  const wrong = (field: string, fault: FieldFault | null): void => {
    if (fault !== null) (problems ??= createProblems(at)).add(field, fault)
  }
  for (const field in value) if (!known.has(field)) wrong(shortName(field), unknownField(field, pinFields))
  wrong('pinId', idFault(value['pinId']))
  for (const [field, check] of optionalFields) {
    const given = value[field]
    if (given !== undefined) for (const fault of check(given)) wrong(field, fault)
  }
  if ((problems as Problems | null) === null) wrong('expiresAt', orderFault(value))
  const found = problems as Problems | null
  if (found !== null) return found.refused()
  const pinId = value['pinId'] as PinId
  const { visualEmbedding, version } = value
  const versioned = version === undefined ? {} : { version: version as number }
  if (value['deleted'] === true) return { ok: true, change: { kind: 'delete', pinId, ...versioned } }
  return {
    ok: true,
    change: {
      kind: 'upsert',
      ...versioned,
      pin: {
        pinId,
        title: (value['title'] ?? '') as string,
        description: (value['description'] ?? '') as string,
        topics: (value['topics'] ?? []) as readonly TopicId[],
        creatorId: (value['creatorId'] ?? null) as CreatorId | null,
        createdAtMs: timeOf(value['createdAt']),
        locale: (value['locale'] ?? null) as string | null,
        imageUrl: (value['imageUrl'] ?? null) as string | null,
        visualEmbedding: visualEmbedding === undefined ? null : Float32Array.from(visualEmbedding as readonly number[]),
        availableFromMs: timeOf(value['availableFrom']),
        expiresAtMs: timeOf(value['expiresAt']),
        safetyLabels: (value['safetyLabels'] ?? unrestrictedPin.safetyLabels) as readonly string[],
        minAge: (value['minAge'] ?? 0) as number,
        imageSignature: (value['imageSignature'] ?? null) as string | null,
      },
    },
  }
}

/** Writes a catalogue change as JSON that `parsePinJson` reads back. */
export function pinToJson(change: PinChange): PinJson {
  const versioned = change.version === undefined ? {} : { version: change.version }
  if (change.kind === 'delete') return { pinId: change.pinId, deleted: true, ...versioned }
  const { pin } = change
  return {
    pinId: pin.pinId,
    ...(pin.title === '' ? {} : { title: pin.title }),
    ...(pin.description === '' ? {} : { description: pin.description }),
    ...(pin.topics.length === 0 ? {} : { topics: pin.topics }),
    ...(pin.creatorId === null ? {} : { creatorId: pin.creatorId }),
    ...(pin.createdAtMs === null ? {} : { createdAt: formatTime(pin.createdAtMs) }),
    ...(pin.locale === null ? {} : { locale: pin.locale }),
    ...(pin.imageUrl === null ? {} : { imageUrl: pin.imageUrl }),
    ...(pin.visualEmbedding === null ? {} : { visualEmbedding: [...pin.visualEmbedding] }),
    ...(pin.availableFromMs === null ? {} : { availableFrom: formatTime(pin.availableFromMs) }),
    ...(pin.expiresAtMs === null ? {} : { expiresAt: formatTime(pin.expiresAtMs) }),
    ...(pin.safetyLabels.length === 0 ? {} : { safetyLabels: pin.safetyLabels }),
    ...(pin.minAge === 0 ? {} : { minAge: pin.minAge }),
    ...(pin.imageSignature === null ? {} : { imageSignature: pin.imageSignature }),
    ...versioned,
  }
}

const none: readonly FieldFault[] = []
type Check = (value: unknown) => readonly FieldFault[]

const optionalFields: readonly (readonly [string, Check])[] = [
  ['title', one((value) => textFault(value, maxTitleCharacters))],
  ['description', one((value) => textFault(value, maxDescriptionCharacters))],
  ['topics', list(maxTopics, 'topics', nameFault)],
  ['creatorId', one(nameFault)],
  ['createdAt', one(timeFault)],
  ['locale', one(localeFault)],
  ['imageUrl', one(urlFault)],
  ['visualEmbedding', one(embeddingFault)],
  ['availableFrom', one(timeFault)],
  ['expiresAt', one(timeFault)],
  ['safetyLabels', list(maxSafetyLabels, 'labels', (value) => shortTextFault(value, maxLabelCharacters))],
  ['minAge', one((value) => wholeFault(value, maxAge))],
  ['imageSignature', one((value) => shortTextFault(value, maxSignatureCharacters))],
  ['deleted', one((value) => (typeof value === 'boolean' ? null : wrongType(value, 'true or false')))],
  ['version', one(versionFault)],
]

function one(check: (value: unknown) => FieldFault | null): Check {
  return (value) => {
    const fault = check(value)
    return fault === null ? none : [fault]
  }
}

/** The check of an array of at most `max` elements, each with the check `of`. */
function list(max: number, what: string, of: (value: unknown) => FieldFault | null): Check {
  return (value) => {
    if (!Array.isArray(value)) return [wrongType(value, `an array of ${what}`)]
    if (value.length > max) {
      return [{ code: 'EVENT_FIELD_VALUE', text: `has ${value.length} ${what}; at most ${max} are allowed` }]
    }
    let faults: FieldFault[] | null = null
    for (const [index, element] of value.entries()) {
      const fault = of(element)
      if (fault !== null) (faults ??= []).push({ ...fault, index })
    }
    return faults ?? none
  }
}

function versionFault(value: unknown): FieldFault | null {
  if (value === 0) return { code: 'EVENT_FIELD_VALUE', text: `is 0; give a whole number from 1 to ${maxPinVersion}` }
  return wholeFault(value, maxPinVersion)
}

function shortTextFault(value: unknown, maxCharacters: number): FieldFault | null {
  if (value === '') return { code: 'EVENT_FIELD_MISSING', text: `is empty; give 1–${maxCharacters} characters` }
  return textFault(value, maxCharacters)
}

/** A pin that expires before it is available would never be shown. */
function orderFault({ availableFrom, expiresAt }: Readonly<Record<string, unknown>>): FieldFault | null {
  const [from, end] = [timeOf(availableFrom), timeOf(expiresAt)]
  if (from === null || end === null || from < end) return null
  const text = `is ${formatTime(end)}, which is not after availableFrom, ${formatTime(from)}; give a later time`
  return { code: 'EVENT_FIELD_VALUE', text }
}

function timeOf(checked: unknown): number | null {
  return checked === undefined ? null : parseTime(checked as string)
}

function localeFault(value: unknown): FieldFault | null {
  const fault = textFault(value, maxLocaleCharacters)
  if (fault !== null) return fault
  if (parseLocale(value as string) !== null) return null
  const text = `is ${shown(value as string)}, which is not BCP 47; give a locale such as de-DE`
  return { code: 'EVENT_FIELD_VALUE', text }
}

function urlFault(value: unknown): FieldFault | null {
  const fault = textFault(value, maxUrlCharacters)
  if (fault !== null) return fault
  const url = URL.parse(value as string)
  if (url !== null && (url.protocol === 'https:' || url.protocol === 'http:')) return null
  return { code: 'EVENT_FIELD_VALUE', text: `is ${shown(value as string)}; give an http or https address` }
}

function embeddingFault(value: unknown): FieldFault | null {
  if (!Array.isArray(value)) return wrongType(value, 'an array of numbers')
  if (value.length === 0 || value.length > maxEmbeddingWidth) {
    return { code: 'EMBEDDING_INVALID', text: `has ${value.length} numbers; give 1 to ${maxEmbeddingWidth}` }
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
