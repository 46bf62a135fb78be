import type { CreatorId, PinId, TopicId } from '@freshet/domain/ids'
import { unrestrictedPin, type PinChange } from '@freshet/domain/pin'
import { noObject } from './engagement.ts'
import { fieldsCheck, versionIn, versionRule, type ParsedEntry } from './entry.ts'
import { isJsonObject } from './fields.ts'
import type { FieldRule } from './field-rules.ts'
import { createProblems, type Problems } from './problems.ts'
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
  version: versionRule,
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
export type ParsedPin = ParsedEntry<PinChange>

const checkPin = fieldsCheck(pinRules)

/** Reads a catalogue change from parsed JSON: converts no types, rejects unknown fields and reports all problems. `at` is its place in the request, e.g. `pins[3]`. */
export function parsePinJson(value: unknown, at: string): ParsedPin {
  if (!isJsonObject(value)) return noObject(value, at)
  const problems = checkPin(value, at) ?? checkOrder(value, at)
  if (problems !== null) return problems.refused()
  const pinId = value['pinId'] as PinId
  const { visualEmbedding } = value
  const versioned = versionIn(value)
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

/** A pin that expires before it is available would never be shown. */
function checkOrder({ availableFrom, expiresAt }: Readonly<Record<string, unknown>>, at: string): Problems | null {
  const [from, end] = [timeOf(availableFrom), timeOf(expiresAt)]
  if (from === null || end === null || from < end) return null
  const text = `is ${formatTime(end)}, which is not after availableFrom, ${formatTime(from)}; give a later time`
  const problems = createProblems(at)
  problems.add('expiresAt', { code: 'EVENT_FIELD_VALUE', text })
  return problems
}

function timeOf(checked: unknown): number | null {
  return checked === undefined ? null : parseTime(checked as string)
}
