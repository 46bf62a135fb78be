import { actions, positiveActions, type Engagement } from '@freshet/domain/engagement'
import { asId, type BoardId, type EventId, type PinId, type UserId } from '@freshet/domain/ids'
import { partitionOf } from '@freshet/domain/partition'
import { pinStateKeys } from '@freshet/domain/pin-state'
import fc from 'fast-check'
import { subjectsOf } from '@freshet/domain/testing'
import { describe, expect, it } from 'vitest'
import { isContractError } from '../errors.ts'
import { PinEngagementBatch as Message } from '../gen/freshet/engagement/v1/engagement.ts'
import { maxRecordBytes } from '../topics.ts'
import { scannedOf } from './engagement-scan.ts'
import { encodePinEngagement } from './onward.ts'
import {
  createPinEngagementBatches,
  decodePinEngagementBatch,
  isPinEngagementBatch,
  pinEngagementRowsIn,
  withSource,
  type PinEngagementRows,
} from './pin-engagement-batch.ts'

const partitions = 4
const receivedAtMs = 1_700_000_000_000
const id = fc.constantFrom('a', 'ü-1', 'x'.repeat(128), '🦊', 'pin-7', 'b c')
const engagements: fc.Arbitrary<Engagement> = fc.record({
  eventId: fc.constant(asId<EventId>('e')),
  userId: id.map((text) => asId<UserId>(text)),
  sessionId: fc.constant(null),
  action: fc.constantFrom(...actions),
  subject: subjectsOf(id),
  boardId: fc.option(id.map((text) => asId<BoardId>(text))),
  occurredAtMs: fc.integer({ min: 1, max: 2 ** 45 }),
  shown: fc.record({
    feedId: fc.constant(null),
    position: fc.option(fc.nat(5000)),
    surface: fc.constant(null),
  }),
  dwellMs: fc.constant(null),
})
/** Generates engagements at ascending positions. */
const batches = fc
  .array(fc.tuple(engagements, fc.integer({ min: 1, max: 2 ** 40 })), { maxLength: 30 })
  .map((steps) => {
    let position = 0
    return steps.map(([engagement, gap]) => ({ engagement, position: (position += gap) }))
  })

function recordsOf(list: readonly { readonly engagement: Engagement; readonly position: number }[], source = 3) {
  const collected = createPinEngagementBatches(source, partitions)
  for (const { engagement, position } of list) collected.add(scannedOf({ engagement, receivedAtMs }), position)
  return collected.records()
}

/** The rows one by one, each with its target. */
function rowsOf(rows: PinEngagementRows, partition: number | null) {
  return rows.keys.map((key, row) => ({
    partition,
    key,
    position: rows.positions[row],
    index: rows.indexes[row],
    act: rows.acts[row],
  }))
}

const anEngagement = (pinId: string, userId = 'u'): Engagement => ({
  eventId: asId<EventId>('e'),
  userId: asId<UserId>(userId),
  sessionId: null,
  action: 'click',
  subject: { kind: 'pin', pinId: asId<PinId>(pinId) },
  boardId: null,
  occurredAtMs: receivedAtMs,
  shown: { feedId: null, position: 3, surface: 'home' },
  dwellMs: null,
})

describe('a batch of engagements by pin', () => {
  it('holds each engagement once for each key that it changes, at the partition of the key, in the order of the source', () => {
    fc.assert(
      fc.property(batches, (list) => {
        const wanted = list.flatMap(({ engagement, position }) =>
          pinStateKeys(engagement).map((key, index) => ({
            partition: partitionOf(key, partitions),
            key,
            position,
            index,
            act: {
              action: engagement.action,
              occurredAtMs: engagement.occurredAtMs,
              userId: positiveActions.includes(engagement.action) ? engagement.userId : null,
              boardId: engagement.boardId,
              shown: { position: engagement.shown.position },
            },
          })),
        )
        const found = recordsOf(list).flatMap(({ value, partition }) => {
          const rows = decodePinEngagementBatch(value!)
          expect(rows.sourcePartition).toBe(3)
          expect(pinEngagementRowsIn(value)).toBe(rows.keys.length)
          return rowsOf(rows, partition)
        })
        for (let partition = 0; partition < partitions; partition++) {
          const there = (row: { partition: number | null }) => row.partition === partition
          expect(found.filter(there)).toEqual(wanted.filter(there))
        }
        expect(found).toHaveLength(wanted.length)
      }),
    )
  })

  it('is one record for each target partition, written as the generated code writes it', () => {
    const records = recordsOf(
      Array.from({ length: 40 }, (_, i) => ({ engagement: anEngagement(`p${i}`), position: i })),
    )
    expect(records.map(({ partition }) => partition).toSorted()).toEqual([0, 1, 2, 3])
    for (const { key, value } of records) {
      expect(key).toBe('3')
      expect(Message.encode(Message.decode(value!)).finish()).toEqual(value)
    }
  })

  it('is split if it is too long for a record, without losing or repeating a row', () => {
    const list = Array.from({ length: 20_000 }, (_, i) => ({
      engagement: anEngagement('same-pin', `user-${i}`),
      position: i,
    }))
    const records = recordsOf(list)
    expect(records.length).toBeGreaterThan(1)
    for (const { value } of records) expect(value!.length).toBeLessThan(maxRecordBytes / 2)
    const positions = records.flatMap(({ value }) => Array.from(decodePinEngagementBatch(value!).positions))
    expect(positions).toEqual(list.map(({ position }) => position))
  })

  it('keeps its rows when another source replaces its own', () => {
    fc.assert(
      fc.property(batches, (list) => {
        for (const { value } of recordsOf(list)) {
          const before = decodePinEngagementBatch(value!)
          const after = decodePinEngagementBatch(withSource(before, 9, 77))
          expect(after.sourcePartition).toBe(9)
          expect(after.keys).toEqual(before.keys)
          expect(after.acts).toEqual(before.acts)
          expect(new Set(Array.from(after.positions))).toEqual(new Set([77]))
          expect(Array.from(after.indexes)).toEqual(before.keys.map((_, row) => row))
        }
      }),
    )
  })

  it('is distinguishable from the single engagements of earlier versions', () => {
    const [record] = recordsOf([{ engagement: anEngagement('p'), position: 1 }])
    expect(isPinEngagementBatch(record!.value)).toBe(true)
    const single = encodePinEngagement({
      engagement: anEngagement('p'),
      receivedAtMs,
      source: { partition: 1, position: 2, index: 0 },
    })
    expect(isPinEngagementBatch(single)).toBe(false)
    expect(pinEngagementRowsIn(single)).toBe(1)
    expect(isPinEngagementBatch(null)).toBe(false)
  })

  it('of a layout that this version does not know is refused with CODEC_NEWER, and no row is read', () => {
    const [record] = recordsOf([{ engagement: anEngagement('p'), position: 1 }])
    const newer = Message.encode({ ...Message.decode(record!.value!), layout: 3 }).finish()
    expect(() => decodePinEngagementBatch(newer)).toThrow(expect.objectContaining({ code: 'CODEC_NEWER' }))
    expect(() => decodePinEngagementBatch(newer)).toThrow(
      /has layout 3; this version reads up to 2: update this process/,
    )
  })

  it('is refused with CODEC_INVALID, naming the field, if its columns do not match', () => {
    const [record] = recordsOf([
      { engagement: anEngagement('p'), position: 1 },
      { engagement: anEngagement('p'), position: 4 },
    ])
    const good = Message.decode(record!.value!)
    const refused = (change: Partial<Message>, why: RegExp) => {
      const bytes = Message.encode({ ...good, ...change }).finish()
      expect(() => decodePinEngagementBatch(bytes)).toThrow(why)
      expect(() => decodePinEngagementBatch(bytes)).toThrow(expect.objectContaining({ code: 'CODEC_INVALID' }))
    }
    refused({ sourcePositions: Uint8Array.of(1) }, /source_positions has 1 rows, not 2/)
    refused({ sourcePositions: Uint8Array.of(1, 0) }, /source_indexes does not ascend in row 1/)
    refused({ actions: Uint8Array.of(2, 99) }, /actions has the unknown number 99 in row 1/)
    refused({ keyLengths: Uint8Array.of(2, 0) }, /keys has no key in row 1/)
    refused({ keys: Uint8Array.of(65) }, /keys has 1 bytes, but its lengths add up to 2/)
    refused({ occurredAtMs: Uint8Array.of(0, 1) }, /occurred_at_ms is 0 in row 0/)
    refused({ sourcePartition: 1 << 16 }, /source_partition is 65536/)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          decodePinEngagementBatch(Uint8Array.of(40, 1, ...bytes))
        } catch (error) {
          expect(isContractError(error) ? error.code : error, String(error)).toMatch(/^CODEC_(INVALID|NEWER)$/)
        }
      }),
    )
  })
})
