import type { BoardChange } from '@freshet/domain/board'
import { asId, type BoardId, type UserId } from '@freshet/domain/ids'
import { Board } from '../gen/freshet/catalogue/v1/catalogue.ts'
import { catalogueFields } from './catalogue-fields.ts'
import { decodeOrThrow } from './engagement.ts'

const message = 'freshet.catalogue.v1.Board'
const { invalid, named, versionOf } = catalogueFields(message)

/** Bytes of a change of a board for `boards.v1`. */
export function encodeBoardChange(change: BoardChange): Uint8Array {
  const { version } = change
  if (change.kind === 'delete')
    return Board.encode(Board.create({ boardId: change.boardId, deleted: true, version })).finish()
  const { boardId, isSecret, title, ownerId } = change.board
  return Board.encode(Board.create({ boardId, secret: isSecret, title, ownerId: ownerId ?? '', version })).finish()
}

/** Decodes a change of a board from a record of `boards.v1`. A record without a value removes its key. Throws CODEC_INVALID, naming the field, also if the board is not that of the key. */
export function decodeBoardChange(key: string, bytes: Uint8Array | null): BoardChange {
  const ofKey = named<BoardId>('board_id', key)
  if (bytes === null) return { kind: 'delete', boardId: ofKey }
  const { boardId, secret, title, ownerId, deleted, version } = decodeOrThrow(message, () => Board.decode(bytes))
  if (boardId !== key) throw invalid('board_id', 'is not the key of the record')
  const versioned = versionOf(version)
  if (deleted) return { kind: 'delete', boardId: ofKey, ...versioned }
  const owner = ownerId === '' ? null : asId<UserId>(ownerId)
  return { kind: 'upsert', board: { boardId: ofKey, isSecret: secret, title, ownerId: owner }, ...versioned }
}
