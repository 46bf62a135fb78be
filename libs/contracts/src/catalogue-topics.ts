import { asId, type BoardId, type CreatorId, type PinId } from '@freshet/domain/ids'
import { decodeBoardChange, encodeBoardChange } from './codecs/board.ts'
import { decodeCreatorChange, encodeCreatorChange } from './codecs/creator.ts'
import { decodePinChange, encodePinChange } from './codecs/pin.ts'

/** How the entries of a topic of the catalogue are read and removed. Their versions stand in the same fields, see `pinStampOf`. */
export interface CatalogueEntries {
  /** Throws CODEC_INVALID if views cannot use the record. */
  decode(key: string, value: Uint8Array | null): unknown
  /** The bytes of a removal with this version. */
  removal(key: string, version: number): Uint8Array
}

/** The topics of the catalogue. In all of them the version law decides which record of a key counts, see `nextPinStamp`. */
export const catalogueTopics = {
  'pins.v1': {
    decode: decodePinChange,
    removal: (key, version) => encodePinChange({ kind: 'delete', pinId: asId<PinId>(key), version }),
  },
  'creators.v1': {
    decode: decodeCreatorChange,
    removal: (key, version) => encodeCreatorChange({ kind: 'delete', creatorId: asId<CreatorId>(key), version }),
  },
  'boards.v1': {
    decode: decodeBoardChange,
    removal: (key, version) => encodeBoardChange({ kind: 'delete', boardId: asId<BoardId>(key), version }),
  },
} as const satisfies Readonly<Record<string, CatalogueEntries>>

export type CatalogueTopic = keyof typeof catalogueTopics

/** Whether a topic is one of the catalogue's. */
export function isCatalogueTopic(topic: string): topic is CatalogueTopic {
  return topic in catalogueTopics
}

/** Whether views can use a record of a topic of the catalogue. */
export function isCatalogueChange(topic: CatalogueTopic, key: string, value: Uint8Array | null): boolean {
  try {
    catalogueTopics[topic].decode(key, value)
    return true
  } catch {
    return false
  }
}
