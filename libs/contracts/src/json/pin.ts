import type { CreatorId, PinId, TopicId } from '@freshet/domain/ids'
import { unrestrictedPin, type PinChange } from '@freshet/domain/pin'
import { maxPinVersion } from '@freshet/domain/pin-version'
import { noObject, shortName, unknownField } from './engagement.ts'
import { isJsonObject, type FieldFault } from './fields.ts'
import { checkOf, faultOf, type FieldRule } from './field-rules.ts'
import { createProblems, type Problems, type Refused } from './problems.ts'
import { formatTime, parseTime } from './time.ts'

/** Every field of a pin in JSON. */
export const pinRules = {
  pinId: { type: 'id', isRequired: true, meaning: 'The pin' },
  title: { type: 'text', max: 500, meaning: 'Its title' },
  description: { type: 'text', max: 5_000, meaning: 'Its description' },
  topics: { type: 'list', of: { type: 'name' }, what: 'topics', max: 32, meaning: 'Its topics' },
  creatorId: { type: 'name', meaning: 'Its creator' },
  createdAt: { type: 'time', meaning: 'When it was published' },
  locale: { type: 'locale', max: 35, meaning: 'Its language and region, BCP 47; absent: it suits every locale' },
  imageUrl: { type: 'url', max: 2_048, meaning: 'Address of its picture, http or https' },
  visualEmbedding: {
    type: 'embedding',
    max: 4_096,
    meaning: 'Numbers that fit 32-bit floats, not all zero. All pins of a catalogue have the same number of them',
  },
  availableFrom: { type: 'time', meaning: 'The pin is not shown before this time' },
  expiresAt: { type: 'time', meaning: 'The pin is not shown from this time on. Later than availableFrom' },
  safetyLabels: {
    type: 'list',
    of: { type: 'label', max: 64 },
    what: 'labels',
    max: 16,
    meaning:
      'What some users must not see, such as `adult`. A feed shows the pin only if its request allows all labels',
  },
  minAge: { type: 'whole', min: 0, max: 99, meaning: 'Users must be at least this many years old' },
  imageSignature: { type: 'label', max: 64, meaning: 'Equal for pins with the same picture' },
  deleted: { type: 'flag', meaning: 'true: the pin is removed; other fields except version are ignored' },
  version: {
    type: 'whole',
    min: 1,
    max: maxPinVersion,
    meaning:
      'Of all changes of a pin the one with the highest version counts, in any order of arrival. Once a pin has a version, changes without one are ignored, except removals',
  },
} as const satisfies Record<string, FieldRule>

/** Fields of a pin in JSON. */
export const pinFields = Object.keys(pinRules)

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

const known: ReadonlySet<string> = new Set(pinFields)

/** Reads a catalogue change from parsed JSON: converts no types, rejects unknown fields and reports all problems. `at` is its place in the request, e.g. `pins[3]`. */
export function parsePinJson(value: unknown, at: string): ParsedPin {
  if (!isJsonObject(value)) return noObject(value, at)
  let problems: Problems | null = null
  const wrong = (field: string, fault: FieldFault | null): void => {
    if (fault !== null) (problems ??= createProblems(at)).add(field, fault)
  }
  for (const field in value) if (!known.has(field)) wrong(shortName(field), unknownField(field, pinFields))
  wrong('pinId', pinIdFault(value['pinId']))
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

const optionalFields = Object.entries(pinRules)
  .filter(([field]) => field !== 'pinId')
  .map(([field, rule]) => [field, checkOf(rule)] as const)
const pinIdFault = faultOf(pinRules.pinId)

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
