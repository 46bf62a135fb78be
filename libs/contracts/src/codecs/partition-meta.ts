import { ContractError } from '../errors.ts'
import { PartitionMeta as PartitionMetaMessage } from '../gen/freshet/state/v1/state.ts'
import type { SourceMarks } from '../foreign-source.ts'
import { notFoldedReasons, type NotFolded, type NotFoldedNotes } from '../not-folded.ts'
import { varintColumn, varintsOf } from '../bytes/varints.ts'
import { encodeMessage } from '../bytes/wire.ts'
import { decodeOrThrow } from './engagement.ts'

/** The outcomes of records, in the fixed order of the stored counts. Add new ones only at the end. `lost`: retention deleted these positions before the updater folded them. `handover`: the updater itself sent these records, because users were merged. */
export const recordOutcomes = [
  'applied',
  'duplicate',
  'late',
  'deadLettered',
  'erased',
  'tombstone',
  'lost',
  'handover',
] as const
export type RecordOutcome = (typeof recordOutcomes)[number]

/** The number of a partition's records by outcome. The commits themselves store the counts, so they stay exact after a crash. */
export type OutcomeCounts = Readonly<Record<RecordOutcome, number>>

/** The position up to which the records of one source partition were folded. The next new record is at this position with at least this index, or at a later position. */
export interface HighWaterMark {
  readonly position: number
  readonly index: number
}

/** The metadata of a partition, stored beside its values. Only the first stage notes records that it did not fold. */
export interface PartitionMeta extends NotFoldedNotes {
  /** The newest event time, milliseconds since the epoch; 0: none yet. For people only: no code depends on it. */
  readonly watermarkMs: number
  readonly counts: OutcomeCounts
  /** By source partition: of re-keyed engagements in the second stage, of merged users in the first. */
  readonly highWaterMarks: ReadonlyMap<number, HighWaterMark>
  /** Of other systems' topics, in the first stage. */
  readonly sourceMarks: SourceMarks
}

/** The metadata of a partition that has folded nothing. */
export const newPartitionMeta: PartitionMeta = {
  watermarkMs: 0,
  counts: { applied: 0, duplicate: 0, late: 0, deadLettered: 0, erased: 0, tombstone: 0, lost: 0, handover: 0 },
  highWaterMarks: new Map(),
  sourceMarks: new Map(),
  notFolded: [],
  knownFrom: 0,
}

const version = 1

/** Encodes a partition's metadata. The same metadata always has the same bytes. */
export function encodePartitionMeta(meta: PartitionMeta): Uint8Array {
  const marks = [...meta.highWaterMarks].sort(([a], [b]) => a - b)
  const last = marks.at(-1)?.[0] ?? -1
  const column = new Float64Array(2 * (last + 1))
  for (const [partition, { position, index }] of marks) {
    column[2 * partition] = position + 1
    column[2 * partition + 1] = index
  }
  return encodeMessage(PartitionMetaMessage, {
    version,
    counts: varintsOf([meta.watermarkMs, ...recordOutcomes.map((outcome) => meta.counts[outcome])]),
    highWaterMarks: varintsOf(column),
    notFolded: notFoldedColumn(meta),
    sourcePartitions: [...meta.sourceMarks.keys()],
    sourcePositions: varintsOf([...meta.sourceMarks.values()]),
  })
}

/** Decodes a partition's metadata from stored bytes; null: the partition has folded nothing. Throws CODEC_INVALID. */
export function decodePartitionMeta(bytes: Uint8Array | null): PartitionMeta {
  if (bytes === null) return newPartitionMeta
  const message = decodeOrThrow('freshet.state.v1.PartitionMeta', () => PartitionMetaMessage.decode(bytes))
  if (message.version !== version) {
    throw new ContractError('CODEC_INVALID', `freshet.state.v1.PartitionMeta has layout ${message.version}`)
  }
  const [watermarkMs = 0, ...counts] = varintColumn(message.counts)
  const column = varintColumn(message.highWaterMarks)
  const highWaterMarks = new Map<number, HighWaterMark>()
  for (let i = 0; i + 1 < column.length; i += 2) {
    const next = column[i] ?? 0
    if (next > 0) highWaterMarks.set(i / 2, { position: next - 1, index: column[i + 1] ?? 0 })
  }
  return {
    watermarkMs,
    counts: {
      applied: counts[0] ?? 0,
      duplicate: counts[1] ?? 0,
      late: counts[2] ?? 0,
      deadLettered: counts[3] ?? 0,
      erased: counts[4] ?? 0,
      tombstone: counts[5] ?? 0,
      lost: counts[6] ?? 0,
      handover: counts[7] ?? 0,
    },
    highWaterMarks,
    sourceMarks: sourceMarksIn(message),
    ...notesOf(varintColumn(message.notFolded)),
  }
}

function sourceMarksIn({ sourcePartitions, sourcePositions }: PartitionMetaMessage): SourceMarks {
  const positions = varintColumn(sourcePositions)
  if (positions.length !== sourcePartitions.length)
    throw new ContractError(
      'CODEC_INVALID',
      `freshet.state.v1.PartitionMeta has ${sourcePartitions.length} source partitions and ${positions.length} positions`,
    )
  return new Map(sourcePartitions.map((partition, row) => [partition, positions[row] ?? 0]))
}

function notFoldedColumn({ notFolded, knownFrom }: PartitionMeta): Uint8Array {
  if (notFolded.length === 0 && knownFrom === 0) return new Uint8Array(0)
  let before = knownFrom
  const column = [knownFrom]
  for (const { from, to, reason } of notFolded) {
    column.push(from - before, to - from, notFoldedReasons.indexOf(reason))
    before = to
  }
  return varintsOf(column)
}

function notesOf([knownFrom = 0, ...column]: Float64Array): NotFoldedNotes {
  const notFolded: NotFolded[] = []
  let before = knownFrom
  for (let i = 0; i + 2 < column.length; i += 3) {
    const from = before + (column[i] ?? 0)
    const reason = notFoldedReasons[column[i + 2] ?? 0]
    before = from + (column[i + 1] ?? 0)
    if (reason === undefined)
      throw new ContractError('CODEC_INVALID', 'freshet.state.v1.PartitionMeta.not_folded names an unknown reason')
    notFolded.push({ from, to: before, reason })
  }
  return { notFolded, knownFrom }
}
