import { actions, positiveActions, wholeWeight, type Action } from '@freshet/domain/engagement'
import { partitionOfRange } from '@freshet/domain/partition'
import { subjectStateKey } from '@freshet/domain/pin-state'
import type { PinAct } from '@freshet/domain/engagement'
import { ContractError } from '../errors.ts'
import { PinEngagementBatch as PinEngagementBatchMessage } from '../gen/freshet/engagement/v1/engagement.ts'
import type { MessageHeaders } from '../headers.ts'
import type { NewRecord } from '../ports/event-log.ts'
import { ascendingColumn, varintColumn } from '../bytes/varints.ts'
import { encodeFields, type FieldWriter } from '../bytes/wire.ts'
import { actionNumber, decodeOrThrow } from './engagement.ts'
import { subjectKinds, type ScannedEngagement } from './engagement-scan.ts'
import { refuseNewer } from './newer.ts'
import { maxSourcePartitions } from './onward.ts'
import { textReader } from '../bytes/text-column.ts'

/** Version of the layout of a batch without weights. */
const pinEngagementBatchLayout = 1
/** The layout of a batch with weights, and the newest that this code reads. */
const weightsLayout = 2

/** The encoder splits a longer record, so that its dead letter still fits into the log. */
const maxBatchBytes = 256 << 10

const layoutField = 5

/** Engagements of one source partition, one row for each state that one of them changes. Rows ascend by source position and index. */
export interface PinEngagementRows {
  readonly sourcePartition: number
  readonly positions: ArrayLike<number>
  readonly indexes: ArrayLike<number>
  /** Keys of pin state. */
  readonly keys: readonly string[]
  readonly acts: readonly PinAct[]
}

/** Collects what one batch of the first stage sends onward. */
export interface PinEngagementBatches {
  /** Adds an accepted engagement from `engagements.v1`; positions ascend. `headers`: its trace. A record carries one trace: that of its first traced engagement. */
  add(engagement: ScannedEngagement, position: number, headers?: MessageHeaders): void
  /** One record for each target partition that has rows, or several if the rows are too long for one. */
  records(): readonly NewRecord[]
}

/** The rows of one future record. */
interface Rows {
  readonly scans: ScannedEngagement[]
  readonly positions: number[]
  readonly indexes: number[]
  bytes: number
  headers: MessageHeaders | undefined
}

/** Collects rows from one source partition for a topic of `partitions` partitions. */
export function createPinEngagementBatches(sourcePartition: number, partitions: number): PinEngagementBatches {
  const open = new Map<number, Rows>()
  const full: NewRecord[] = []
  const key = String(sourcePartition)

  const close = (partition: number, rows: Rows): NewRecord => {
    const value = encode(sourcePartition, rows)
    return rows.headers === undefined ? { key, partition, value } : { key, partition, value, headers: rows.headers }
  }
  const put = (engagement: ScannedEngagement, position: number, index: number, headers?: MessageHeaders): void => {
    const target = targetOf(engagement, index, partitions)
    let rows = open.get(target)
    const bytes = rowBytesAtMost(engagement)
    if (rows !== undefined && rows.bytes + bytes > maxBatchBytes) {
      full.push(close(target, rows))
      rows = undefined
    }
    if (rows === undefined)
      open.set(target, (rows = { scans: [], positions: [], indexes: [], bytes: 0, headers: undefined }))
    rows.scans.push(engagement)
    rows.positions.push(position)
    rows.indexes.push(index)
    rows.bytes += bytes
    rows.headers ??= headers
  }

  return {
    add(engagement, position, headers) {
      // A word has no state.
      if (engagement.subjectKind === wordKind) return
      put(engagement, position, 0, headers)
      if (engagement.boardTo !== engagement.boardAt) put(engagement, position, 1, headers)
    },
    records: () => [...full, ...[...open].map(([partition, rows]) => close(partition, rows))],
  }
}

/** The prefix of an id in a key of pin state, by kind of subject. */
const prefixes = subjectKinds.map((kind) =>
  Buffer.from(kind === 'pin' || kind === 'word' ? '' : subjectStateKey(kind, '')),
)
const wordKind = subjectKinds.indexOf('word')
const boardKind = subjectKinds.indexOf('board')
const noPrefix = Buffer.alloc(0)

interface KeyRange {
  prefix: Uint8Array
  from: number
  to: number
}

/** Reused: an object for each row would cost more than finding the key. */
const range: KeyRange = { prefix: noPrefix, from: 0, to: 0 }

/** The position of a row's key in the bytes of its engagement, and the key's prefix. Valid until the next call. */
function keyOf(engagement: ScannedEngagement, index: number): KeyRange {
  const isBoard = index === 1
  range.prefix = prefixes[isBoard ? boardKind : engagement.subjectKind] ?? noPrefix
  range.from = isBoard ? engagement.boardAt : engagement.subjectAt
  range.to = isBoard ? engagement.boardTo : engagement.subjectTo
  return range
}

let keyBytes = Buffer.alloc(1024)

function targetOf(engagement: ScannedEngagement, index: number, partitions: number): number {
  const { prefix, from, to } = keyOf(engagement, index)
  if (prefix.length === 0) return partitionOfRange(engagement.bytes, from, to, partitions)
  const length = prefix.length + to - from
  if (keyBytes.length < length) keyBytes = Buffer.alloc(2 * length)
  keyBytes.set(prefix)
  keyBytes.set(engagement.bytes.subarray(from, to), prefix.length)
  return partitionOfRange(keyBytes, 0, length, partitions)
}

/** All numbers of a row, and the lengths of its texts. */
const rowNumberBytes = 34

function rowBytesAtMost({ subjectAt, subjectTo, userAt, userTo, boardAt, boardTo }: ScannedEngagement): number {
  return rowNumberBytes + subjectTo - subjectAt + (userTo - userAt) + 2 * (boardTo - boardAt)
}

const countsUsers = new Set<Action>(positiveActions)

function encode(sourcePartition: number, { scans, positions, indexes }: Rows): Uint8Array {
  const numbers = new Float64Array(scans.length)
  return encodeFields((to) => {
    const column = (field: number, of: (scan: ScannedEngagement, row: number) => number): void => {
      scans.forEach((scan, row) => (numbers[row] = of(scan, row)))
      to.varints(field, numbers)
    }
    const hasWeights = scans.some(({ weight }) => weight !== wholeWeight)
    const isCounted = ({ action }: ScannedEngagement): boolean => countsUsers.has(action)
    to.uint(layoutField, hasWeights ? weightsLayout : pinEngagementBatchLayout)
    to.uint(6, sourcePartition)
    to.gaps(7, positions)
    to.varints(8, indexes)
    column(9, (scan, row) => keyLength(scan, indexes[row] ?? 0))
    to.message(10, () => {
      scans.forEach((scan, row) => {
        writeKey(to, scan, indexes[row] ?? 0)
      })
    })
    to.message(11, () => {
      for (const { action } of scans) to.byte(actionNumber(action))
    })
    column(12, ({ occurredAtMs }) => occurredAtMs)
    column(13, ({ position }) => position + 1)
    if (scans.some(isCounted)) {
      column(14, (scan) => (isCounted(scan) ? scan.userTo - scan.userAt : 0))
      to.message(15, () => {
        for (const scan of scans) if (isCounted(scan)) to.raw(scan.bytes, scan.userAt, scan.userTo)
      })
    }
    if (scans.some(({ boardAt, boardTo }) => boardTo !== boardAt)) {
      column(16, ({ boardAt, boardTo }) => boardTo - boardAt)
      to.message(17, () => {
        for (const { bytes, boardAt, boardTo } of scans) to.raw(bytes, boardAt, boardTo)
      })
    }
    if (hasWeights) column(18, ({ weight }) => weight)
  })
}

function keyLength(engagement: ScannedEngagement, index: number): number {
  const { prefix, from, to } = keyOf(engagement, index)
  return prefix.length + to - from
}

function writeKey(to: FieldWriter, engagement: ScannedEngagement, index: number): void {
  const key = keyOf(engagement, index)
  to.raw(key.prefix, 0, key.prefix.length)
  to.raw(engagement.bytes, key.from, key.to)
}

/**
 * Counts the rows of a record of `pin-engagements.v1` without decoding it, to decide how many records to fold together.
 * Returns 1 for a single engagement and for unreadable bytes.
 */
export function pinEngagementRowsIn(bytes: Uint8Array | null): number {
  if (!isPinEngagementBatch(bytes)) return 1
  for (let at = 0; at < bytes.length;) {
    const tag = bytes[at++] ?? 0
    // Fields up to 15 have keys of one byte; the actions are one of them.
    let value = 0
    for (let scale = 1, byte = 0x80; byte >= 0x80; scale *= 128) {
      if (at >= bytes.length || scale > 2 ** 28) return 1
      byte = bytes[at++] ?? 0
      value += (byte & 0x7f) * scale
    }
    if (tag === actionsTag) return Math.max(1, value)
    if ((tag & 7) === 2) at += value
    else if ((tag & 7) !== 0) return 1
  }
  return 1
}

const actionsTag = 11 * 8 + 2

/** Whether a value of `pin-engagements.v1` is a batch: its first field is the layout. Otherwise it is a single engagement or damaged. */
export function isPinEngagementBatch(bytes: Uint8Array | null): bytes is Uint8Array {
  return bytes !== null && bytes[0] === layoutField * 8
}

/** Decodes the rows of a batch. Throws CODEC_INVALID, naming the field; CODEC_NEWER for a layout that this version does not know. */
export function decodePinEngagementBatch(bytes: Uint8Array): PinEngagementRows {
  const message = decodeOrThrow(name, () => PinEngagementBatchMessage.decode(bytes))
  refuseNewer(name, 'layout', message.layout, weightsLayout)
  if (message.sourcePartition >= maxSourcePartitions) throw invalid('source_partition', `is ${message.sourcePartition}`)
  const count = message.actions.length
  const positions = sized('source_positions', ascendingColumn(message.sourcePositions), count)
  const indexes = sized('source_indexes', varintColumn(message.sourceIndexes), count)
  checkAscending(positions, indexes)
  const times = sized('occurred_at_ms', varintColumn(message.occurredAtMs), count)
  const feedPositions = sized('feed_positions', varintColumn(message.feedPositions), count)
  const keyAt = textReader(`${name}.keys`, sized('key_lengths', varintColumn(message.keyLengths), count), message.keys)
  const userLengths = sizedOrNone('user_lengths', varintColumn(message.userLengths), count)
  const userAt = textReader(`${name}.users`, userLengths, message.users)
  const boardLengths = sizedOrNone('board_lengths', varintColumn(message.boardLengths), count)
  const boardAt = textReader(`${name}.boards`, boardLengths, message.boards)
  const weights = sizedOrNone('weights', varintColumn(message.weights), count)
  const keys = new Array<string>(count)
  const acts = new Array<PinAct>(count)
  for (let row = 0; row < count; row++) {
    const key = keyAt(row)
    if (key === null) throw invalid('keys', `has no key in row ${row}`)
    keys[row] = key
    acts[row] = {
      action: actionAt(message.actions, row),
      occurredAtMs: timeAt(times, row),
      userId: userAt(row),
      boardId: boardAt(row),
      shown: shownAt(feedPositions[row] ?? 0),
      ...(weights[row] !== 0 && weightAt(weights, row)),
    }
  }
  return { sourcePartition: message.sourcePartition, positions, indexes, keys, acts }
}

/** Moves the rows to another source, all at one position there, for replays. */
export function withSource(rows: PinEngagementRows, sourcePartition: number, position: number): Uint8Array {
  const { keys, acts } = rows
  return encodeFields((to) => {
    const hasWeights = acts.some(({ weightThousandths }) => weightThousandths !== undefined)
    to.uint(layoutField, hasWeights ? weightsLayout : pinEngagementBatchLayout)
    to.uint(6, sourcePartition)
    to.gaps(7, new Float64Array(keys.length).fill(position))
    to.varints(
      8,
      keys.map((_, row) => row),
    )
    texts(to, 9, keys)
    to.message(11, () => {
      for (const { action } of acts) to.byte(actionNumber(action))
    })
    to.varints(
      12,
      acts.map(({ occurredAtMs }) => occurredAtMs),
    )
    to.varints(
      13,
      acts.map(({ shown }) => (shown.position ?? -1) + 1),
    )
    texts(
      to,
      14,
      acts.map(({ userId }) => userId ?? ''),
    )
    texts(
      to,
      16,
      acts.map(({ boardId }) => boardId ?? ''),
    )
    if (hasWeights)
      to.varints(
        18,
        acts.map(({ weightThousandths }) => weightThousandths ?? wholeWeight),
      )
  })
}

/** Writes a column of texts: its lengths, and the texts in the next field. */
function texts(to: FieldWriter, lengthsField: number, column: readonly string[]): void {
  const written = column.map((text) => Buffer.from(text))
  if (written.every(({ length }) => length === 0)) return
  to.varints(
    lengthsField,
    written.map(({ length }) => length),
  )
  to.bytes(lengthsField + 1, Buffer.concat(written))
}

const name = 'freshet.engagement.v1.PinEngagementBatch'

function sized(field: string, column: Float64Array, count: number): Float64Array {
  if (column.length !== count) throw invalid(field, `has ${column.length} rows, not ${count}`)
  return column
}

/** Writes a column, or omits it if all its numbers are 0. */
function sizedOrNone(field: string, column: Float64Array, count: number): Float64Array {
  return column.length === 0 ? new Float64Array(count) : sized(field, column, count)
}

function checkAscending(positions: Float64Array, indexes: Float64Array): void {
  for (let row = 1; row < positions.length; row++) {
    if (positions[row] === positions[row - 1] && !((indexes[row] ?? 0) > (indexes[row - 1] ?? 0))) {
      throw invalid('source_indexes', `does not ascend in row ${row}`)
    }
  }
}

function actionAt(column: Uint8Array, row: number): Action {
  const action = actions[(column[row] ?? 0) - 1]
  if (action === undefined) throw invalid('actions', `has the unknown number ${column[row]} in row ${row}`)
  return action
}

function timeAt(column: Float64Array, row: number): number {
  const time = column[row] ?? 0
  if (time <= 0) throw invalid('occurred_at_ms', `is ${time} in row ${row}`)
  return time
}

/** The weight of a row. 0: the batch has no weights. */
function weightAt(column: Float64Array, row: number): Pick<PinAct, 'weightThousandths'> {
  const thousandths = column[row] ?? 0
  if (thousandths > wholeWeight) throw invalid('weights', `is ${thousandths} in row ${row}`)
  return thousandths === wholeWeight ? {} : { weightThousandths: thousandths }
}

/** Shared objects: most rows have one of few positions, and an object for each row would cost more than the rest of the row. */
const shownAtPosition = Array.from({ length: 1024 }, (_, next) => ({ position: next === 0 ? null : next - 1 }))

function shownAt(next: number): PinAct['shown'] {
  return shownAtPosition[next] ?? { position: next - 1 }
}

function invalid(field: string, problem: string): ContractError {
  return new ContractError('CODEC_INVALID', `${name}.${field} ${problem}`)
}
