import type { CreatorChange } from '@freshet/domain/creator'
import type { CreatorId } from '@freshet/domain/ids'
import { Creator } from '../gen/freshet/catalogue/v1/catalogue.ts'
import { catalogueFields } from './catalogue-fields.ts'
import { decodeOrThrow } from './engagement.ts'

const message = 'freshet.catalogue.v1.Creator'
const { invalid, named, versionOf } = catalogueFields(message)

/** Bytes of a change of a creator for `creators.v1`. */
export function encodeCreatorChange(change: CreatorChange): Uint8Array {
  const { version } = change
  if (change.kind === 'delete')
    return Creator.encode(Creator.create({ creatorId: change.creatorId, deleted: true, version })).finish()
  const { creatorId, name, imageUrl, isSuspended } = change.creator
  return Creator.encode(
    Creator.create({ creatorId, name, imageUrl: imageUrl ?? '', suspended: isSuspended, version }),
  ).finish()
}

/** Decodes a change of a creator from a record of `creators.v1`. A record without a value removes its key. Throws CODEC_INVALID, naming the field, also if the creator is not that of the key. */
export function decodeCreatorChange(key: string, bytes: Uint8Array | null): CreatorChange {
  const ofKey = named<CreatorId>('creator_id', key)
  if (bytes === null) return { kind: 'delete', creatorId: ofKey }
  const { creatorId, name, imageUrl, suspended, deleted, version } = decodeOrThrow(message, () => Creator.decode(bytes))
  if (creatorId !== key) throw invalid('creator_id', 'is not the key of the record')
  const versioned = versionOf(version)
  if (deleted) return { kind: 'delete', creatorId: ofKey, ...versioned }
  const creator = { creatorId: ofKey, name, imageUrl: imageUrl === '' ? null : imageUrl, isSuspended: suspended }
  return { kind: 'upsert', creator, ...versioned }
}
