import { isCatalogueChange } from '@freshet/contracts/catalogue-topics'
import { decodeBoardChange, encodeBoardChange } from '@freshet/contracts/codecs/board'
import { pinStampOf } from '@freshet/contracts/codecs/pin'
import { headerNames } from '@freshet/contracts/headers'
import type { EventLog } from '@freshet/contracts/ports/event-log'
import { readToEnd } from '@freshet/contracts/read-to-end'
import { withoutOwner } from '@freshet/domain/board'
import { nextPinStamp, type PinStamp } from '@freshet/domain/pin-version'

/**
 * Takes erased users off the boards that they own. `boards.v1` gets each such board again without owner and title, with the same version. The topic is compacted,
 * so the record with both goes. Nothing is stored: whoever knows of an erasure reads the topic.
 */
export interface OwnedBoards {
  /** The bytes of a record of `boards.v1` without an erased owner; the same bytes if it has none or is not valid. */
  cleaned(key: string, value: Uint8Array): Uint8Array
  /** Blanks the boards of these users, as far as the topic has them now. */
  forget(userIds: readonly string[], signal?: AbortSignal): Promise<void>
  /** Blanks these boards if erased users own them. */
  clean(boardIds: ReadonlySet<string>, signal?: AbortSignal): Promise<void>
}

/** What is known of a board while the topic is read. */
interface Found {
  readonly partition: number
  /** The record that counts. */
  newest: Uint8Array | null
  stamp: PinStamp | null
  last: Uint8Array | null
}

const topic = 'boards.v1'
const pageRecords = 500
const asRepeats = Object.freeze({ [headerNames.repeats]: '1' })

/** `isErased`: whether a user, by the stored id, was ever erased. */
export function createOwnedBoards(options: {
  readonly log: Pick<EventLog, 'append' | 'starts' | 'ends' | 'readAll'>
  readonly isErased: (userId: string) => boolean
  readonly maxBatchRecords: number
  readonly onError: (error: Error) => void
}): OwnedBoards {
  const { log, isErased, maxBatchRecords, onError } = options

  function cleaned(key: string, value: Uint8Array): Uint8Array {
    if (!isCatalogueChange(topic, key, value)) return value
    const change = decodeBoardChange(key, value)
    const owner = change.kind === 'delete' ? null : change.board.ownerId
    return owner === null || !isErased(owner) ? value : encodeBoardChange(withoutOwner(change))
  }

  async function clean(boardIds: ReadonlySet<string>, signal?: AbortSignal): Promise<void> {
    const boards = new Map<string, Found>()
    const readTo = new Map<number, number>()
    // A change without a version that came between reading and appending would be undone: so read on until nothing came.
    for (;;) {
      await readToEnd({
        ...{ log, topic, maxBatchRecords, onError, ...(signal && { signal }) },
        startAt: (partition) => readTo.get(partition) ?? null,
        onRecords(partition, records) {
          for (const { key, value, position, headers } of records) {
            readTo.set(partition, position + 1)
            if (!boardIds.has(key)) continue
            const known = boards.get(key) ?? { partition, newest: null, stamp: null, last: null }
            boards.set(key, known)
            known.last = value
            // Whoever appended it had read an earlier record.
            const isRepeat = headers[headerNames.repeats] !== undefined
            if (isRepeat && known.newest !== null && cleaned(key, known.newest) === known.newest) continue
            const change = isCatalogueChange(topic, key, value) ? pinStampOf(value) : null
            const next = change === null ? null : nextPinStamp(known.stamp, change)
            if (next !== null) Object.assign(known, { stamp: next, newest: value })
          }
        },
      })
      const due = [...boards].flatMap(([key, { partition, newest, last }]) => {
        const value = newest === null ? null : cleaned(key, newest)
        return value === null || isEqual(value, last) ? [] : [{ key, value, partition }]
      })
      if (due.length === 0) return
      for (let first = 0; first < due.length; first += pageRecords) {
        const page = due.slice(first, first + pageRecords)
        await log.append(topic, page, { headers: asRepeats, ...(signal && { signal }) })
      }
    }
  }

  return {
    cleaned,
    clean,
    async forget(userIds, signal) {
      const owners = new Set(userIds)
      const boardIds = new Set<string>()
      await readToEnd({
        ...{ log, topic, maxBatchRecords, onError, ...(signal && { signal }) },
        onRecords(_, records) {
          for (const { key, value } of records) {
            if (value === null || !isCatalogueChange(topic, key, value)) continue
            const change = decodeBoardChange(key, value)
            const owner = change.kind === 'delete' ? null : change.board.ownerId
            if (owner !== null && owners.has(owner)) boardIds.add(key)
          }
        },
      })
      if (boardIds.size > 0) await clean(boardIds, signal)
    },
  }
}

function isEqual(one: Uint8Array, other: Uint8Array | null): boolean {
  return other !== null && Buffer.compare(one, other) === 0
}
