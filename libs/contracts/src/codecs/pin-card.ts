import { BinaryReader } from '@bufbuild/protobuf/wire'
import { Pin, type Pin as PinMessage } from '../gen/freshet/catalogue/v1/catalogue.ts'
import { ContractError } from '../errors.ts'
import { decodeOrThrow } from './engagement.ts'

/** Numbers of the fields of `freshet.catalogue.v1.Pin` that a card leaves out: they are large, or the caller knows them. */
const leftOutFields: ReadonlySet<number> = new Set([1, 9, 15, 16])
const deletedField = 10
const embeddingField = 9

/** What a page draws of a pin, still in bytes. */
export interface PackedCard {
  /** The fields of the message without the id, the embedding, the signature and the version; null: the pin was deleted. */
  readonly bytes: Uint8Array | null
  /** How many numbers the pin's visual embedding has; 0: it has none. */
  readonly embeddingWidth: number
}

/** Copies the fields that a page draws from a record of `pins.v1`, without decoding them. Throws CODEC_INVALID if the bytes are not a message. */
export function packCard(value: Uint8Array | null): PackedCard {
  if (value === null) return { bytes: null, embeddingWidth: 0 }
  const parts: Uint8Array[] = []
  let [isDeleted, embeddingWidth] = [false, 0]
  try {
    const reader = new BinaryReader(value)
    while (reader.pos < reader.len) {
      const start = reader.pos
      const [field, wireType] = reader.tag()
      if (field === deletedField) isDeleted = reader.bool()
      else if (field === embeddingField) embeddingWidth = reader.bytes().byteLength / 4
      else {
        reader.skip(wireType, field)
        if (!leftOutFields.has(field)) parts.push(value.subarray(start, reader.pos))
      }
    }
  } catch (error) {
    const text = `freshet.catalogue.v1.Pin: is not a message: ${(error as Error).message}`
    throw new ContractError('CODEC_INVALID', text, { cause: error })
  }
  return { bytes: isDeleted ? null : Buffer.concat(parts), embeddingWidth }
}

/** Reads a packed card. Its pin id is empty. */
export function unpackCard(bytes: Uint8Array): PinMessage {
  return decodeOrThrow('freshet.catalogue.v1.Pin', () => Pin.decode(bytes))
}
