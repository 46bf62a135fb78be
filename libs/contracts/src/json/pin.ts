import type { CreatorId, PinId, TopicId } from '@freshet/domain/ids'
import { parseLocale } from '@freshet/domain/locale'
import type { PinChange } from '@freshet/domain/pin'
import { noObject, shortName, unknownField } from './engagement.ts'
import { idFault, isJsonObject, nameFault, shown, textFault, wrongType, type FieldFault } from './fields.ts'
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
  'deleted',
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
  /** true: the owner removed the pin; other fields are ignored. */
  readonly deleted?: boolean
}

/** The result of reading a pin. */
export type ParsedPin = { readonly ok: true; readonly change: PinChange } | Refused

const maxTitleCharacters = 500
const maxDescriptionCharacters = 5_000
const maxTopics = 32
const maxEmbeddingWidth = 4_096
const maxLocaleCharacters = 35
const maxUrlCharacters = 2_048

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
  const found = problems as Problems | null
  if (found !== null) return found.refused()
  const pinId = value['pinId'] as PinId
  if (value['deleted'] === true) return { ok: true, change: { kind: 'delete', pinId } }
  const { createdAt, visualEmbedding } = value
  return {
    ok: true,
    change: {
      kind: 'upsert',
      pin: {
        pinId,
        title: (value['title'] ?? '') as string,
        description: (value['description'] ?? '') as string,
        topics: (value['topics'] ?? []) as readonly TopicId[],
        creatorId: (value['creatorId'] ?? null) as CreatorId | null,
        createdAtMs: createdAt === undefined ? null : parseTime(createdAt as string),
        locale: (value['locale'] ?? null) as string | null,
        imageUrl: (value['imageUrl'] ?? null) as string | null,
        visualEmbedding: visualEmbedding === undefined ? null : Float32Array.from(visualEmbedding as readonly number[]),
      },
    },
  }
}

/** Writes a catalogue change as JSON that `parsePinJson` reads back. */
export function pinToJson(change: PinChange): PinJson {
  if (change.kind === 'delete') return { pinId: change.pinId, deleted: true }
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
  }
}

const none: readonly FieldFault[] = []
type Check = (value: unknown) => readonly FieldFault[]

const optionalFields: readonly (readonly [string, Check])[] = [
  ['title', one((value) => textFault(value, maxTitleCharacters))],
  ['description', one((value) => textFault(value, maxDescriptionCharacters))],
  ['topics', topicFaults],
  ['creatorId', one(nameFault)],
  ['createdAt', one(timeFault)],
  ['locale', one(localeFault)],
  ['imageUrl', one(urlFault)],
  ['visualEmbedding', one(embeddingFault)],
  ['deleted', one((value) => (typeof value === 'boolean' ? null : wrongType(value, 'true or false')))],
]

function one(check: (value: unknown) => FieldFault | null): Check {
  return (value) => {
    const fault = check(value)
    return fault === null ? none : [fault]
  }
}

function topicFaults(value: unknown): readonly FieldFault[] {
  if (!Array.isArray(value)) return [wrongType(value, 'an array of topics')]
  if (value.length > maxTopics) {
    return [{ code: 'EVENT_FIELD_VALUE', text: `has ${value.length} topics; at most ${maxTopics} are allowed` }]
  }
  let faults: FieldFault[] | null = null
  for (const [index, topic] of value.entries()) {
    const fault = nameFault(topic)
    if (fault !== null) (faults ??= []).push({ ...fault, index })
  }
  return faults ?? none
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
