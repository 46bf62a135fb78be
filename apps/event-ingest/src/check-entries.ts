import type { PseudonymOf } from '@freshet/adapters/system/pseudonyms'
import { encodeBoardChange } from '@freshet/contracts/codecs/board'
import { encodeCreatorChange } from '@freshet/contracts/codecs/creator'
import { encodePinChange } from '@freshet/contracts/codecs/pin'
import type { ParsedBoard, ParsedCreator } from '@freshet/contracts/json/entry'
import type { ParsedPin } from '@freshet/contracts/json/pin'
import { problemAt, type IngestProblem } from '@freshet/contracts/json/problems'
import type { NewRecord } from '@freshet/contracts/ports/event-log'
import type { BoardChange } from '@freshet/domain/board'
import { asId, type UserId } from '@freshet/domain/ids'

/** An entry of the catalogue as a record of the log, or its problems. */
type CheckedEntry = { readonly record: NewRecord } | { readonly problems: readonly IngestProblem[] }

/** How owners of boards are stored, and when one was erased last (null: never), by the stored id. */
interface OwnerCheck {
  readonly pseudonymOf: PseudonymOf
  readonly erasedAtMs: (userId: string) => number | null
}

/** A change of a pin as a record of `pins.v1`, or its problems. `embeddingWidth`: how many numbers the embeddings of this catalogue have; null: any. */
export function checkPin(parsed: ParsedPin, at: string, embeddingWidth: number | null): CheckedEntry {
  if (!parsed.ok) return parsed
  const { change } = parsed
  const pinId = change.kind === 'delete' ? change.pinId : change.pin.pinId
  const width = change.kind === 'delete' ? undefined : change.pin.visualEmbedding?.length
  if (width !== undefined && embeddingWidth !== null && width !== embeddingWidth) {
    const text = `has ${width} numbers; the embeddings of this catalogue have ${embeddingWidth} (ingest.embeddingWidth)`
    return { problems: [problemAt(at, 'visualEmbedding', 'EMBEDDING_INVALID', text)] }
  }
  return { record: { key: pinId, value: encodePinChange(change), partition: null } }
}

/** A change of a creator as a record of `creators.v1`, or its problems. */
export function checkCreator(parsed: ParsedCreator): CheckedEntry {
  if (!parsed.ok) return parsed
  const { change } = parsed
  const key = change.kind === 'delete' ? change.creatorId : change.creator.creatorId
  return { record: { key, value: encodeCreatorChange(change), partition: null } }
}

/** A change of a board as a record of `boards.v1`, with the owner by the stored id, or its problems: a user who was erased owns none. */
export function checkBoard(parsed: ParsedBoard, at: string, { pseudonymOf, erasedAtMs }: OwnerCheck): CheckedEntry {
  if (!parsed.ok) return parsed
  const { change } = parsed
  if (change.kind === 'delete')
    return { record: { key: change.boardId, value: encodeBoardChange(change), partition: null } }
  const { boardId, ownerId: givenId } = change.board
  const ownerId = givenId === null ? null : asId<UserId>(pseudonymOf(givenId))
  const atMs = ownerId === null ? null : erasedAtMs(ownerId)
  if (atMs !== null) {
    const text = `was erased at ${new Date(atMs).toISOString()}; send the board without ownerId and title`
    return { problems: [problemAt(at, 'ownerId', 'USER_ERASED', text)] }
  }
  const stored: BoardChange = { ...change, board: { ...change.board, ownerId } }
  return { record: { key: boardId, value: encodeBoardChange(stored), partition: null } }
}
