import { asId, idProblem, nameProblem, type CreatorId, type PinId, type TopicId } from '@freshet/domain/ids'
import { unrestrictedPin, type PinChange } from '@freshet/domain/pin'
import type { PinStamp } from '@freshet/domain/pin-version'
import { BinaryReader } from '@bufbuild/protobuf/wire'
import { bytesOf, float32Column } from '../bytes/columns.ts'
import { Pin as PinMessage } from '../gen/freshet/catalogue/v1/catalogue.ts'
import { catalogueFields, isVersion } from './catalogue-fields.ts'
import { decodeOrThrow } from './engagement.ts'

const messageName = 'freshet.catalogue.v1.Pin'
const { invalid, checked, versionOf } = catalogueFields(messageName)

/** A catalogue change as its message. A removal is a message too, so that consumers that join late see it until compaction. */
function toPinMessage(change: PinChange): PinMessage {
  const { version } = change
  if (change.kind === 'delete') return PinMessage.create({ pinId: change.pinId, deleted: true, version })
  const { pin } = change
  return {
    pinId: pin.pinId,
    title: pin.title,
    description: pin.description,
    topics: [...pin.topics],
    creatorId: pin.creatorId ?? '',
    createdAtMs: pin.createdAtMs ?? undefined,
    locale: pin.locale ?? '',
    imageUrl: pin.imageUrl ?? '',
    visualEmbedding: pin.visualEmbedding === null ? new Uint8Array() : bytesOf(pin.visualEmbedding),
    deleted: false,
    availableFromMs: pin.availableFromMs ?? undefined,
    expiresAtMs: pin.expiresAtMs ?? undefined,
    safetyLabels: [...pin.safetyLabels],
    minAge: pin.minAge,
    imageSignature: pin.imageSignature ?? '',
    version,
  }
}

/** Bytes of a catalogue change for `pins.v1`. */
export function encodePinChange(change: PinChange): Uint8Array {
  return PinMessage.encode(toPinMessage(change)).finish()
}

/** Decodes a catalogue change from a record of `pins.v1`. A record without a value removes its key. Throws CODEC_INVALID, naming the field, also if the pin is not that of the key: each reader would take the change for another pin's. */
export function decodePinChange(key: string, bytes: Uint8Array | null): PinChange {
  if (bytes === null) return { kind: 'delete', pinId: pinIdOf(key) }
  const change = fromPinMessage(decodeOrThrow(messageName, () => PinMessage.decode(bytes)))
  const pinId = change.kind === 'delete' ? change.pinId : change.pin.pinId
  if (pinId !== key) throw invalid('pin_id', 'is not the key of the record')
  return change
}

/** A catalogue change from its message. Throws CODEC_INVALID, naming the field. */
function fromPinMessage(message: PinMessage): PinChange {
  const pinId = pinIdOf(message.pinId)
  const versioned = versionOf(message.version)
  if (message.deleted) return { kind: 'delete', pinId, ...versioned }
  return {
    kind: 'upsert',
    ...versioned,
    pin: {
      pinId,
      title: message.title,
      description: message.description,
      topics: message.topics.map((topic) => asId<TopicId>(checked('topics', topic, nameProblem(topic)))),
      creatorId:
        message.creatorId === ''
          ? null
          : asId<CreatorId>(checked('creator_id', message.creatorId, nameProblem(message.creatorId))),
      createdAtMs: timeOf('created_at_ms', message.createdAtMs),
      locale: message.locale === '' ? null : message.locale,
      imageUrl: message.imageUrl === '' ? null : message.imageUrl,
      visualEmbedding: embeddingOf(message.visualEmbedding),
      availableFromMs: timeOf('available_from_ms', message.availableFromMs),
      expiresAtMs: timeOf('expires_at_ms', message.expiresAtMs),
      safetyLabels: message.safetyLabels.length === 0 ? unrestrictedPin.safetyLabels : message.safetyLabels,
      minAge: message.minAge,
      imageSignature: message.imageSignature === '' ? null : message.imageSignature,
    },
  }
}

const deletedField = 10
const versionField = 16

/** The stamp of a record of `pins.v1`, or of another topic of the catalogue, read without decoding the rest. null: the bytes are no message, or the version is not valid. */
export function pinStampOf(value: Uint8Array | null): PinStamp | null {
  let [version, isDeleted]: [number | null, boolean] = [null, value === null]
  if (value === null) return { version, isDeleted }
  try {
    const reader = new BinaryReader(value)
    while (reader.pos < reader.len) {
      const [field, wireType] = reader.tag()
      if (field === deletedField) isDeleted = reader.bool()
      else if (field === versionField) version = Number(reader.int64())
      else reader.skip(wireType, field)
    }
  } catch {
    return null
  }
  return version === null || isVersion(version) ? { version, isDeleted } : null
}

function timeOf(field: string, timeMs: number | undefined): number | null {
  if (timeMs !== undefined && !Number.isSafeInteger(timeMs)) throw invalid(field, 'is not a time')
  return timeMs ?? null
}

function embeddingOf(bytes: Uint8Array): Float32Array | null {
  if (bytes.byteLength === 0) return null
  const vector = float32Column(bytes).slice()
  if (!vector.every(Number.isFinite)) throw invalid('visual_embedding', 'holds NaN or infinity')
  return vector
}

function pinIdOf(value: string): PinId {
  return asId<PinId>(checked('pin_id', value, idProblem(value)))
}
