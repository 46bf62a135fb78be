import { halfLivesMs } from '@freshet/domain/decay'
import { addActedAfterShown, ratedRows, totalsAt, totalsWidth } from '@freshet/domain/features/pin-totals'
import { buckets } from '@freshet/domain/features/positions'
import { readVarint, type ByteCursor } from '../bytes/varints.ts'
import { ContractError } from '../errors.ts'

// Fields of the messages PinState and Counters.
const countersField = 3
const impressionsField = 4
const positivesField = 5
const rowsField = 1
const valuesField = 3

/**
 * `totalsOf` of a stored pin state, without decoding the rest of it: a view that sums the totals of all pins reads every record.
 * Does not check the version. Throws CODEC_INVALID for bytes that are not a pin state.
 */
export function pinTotalsIn(bytes: Uint8Array): Float64Array {
  const totals = new Float64Array(totalsWidth)
  const cursor = { bytes, at: 0 }
  while (cursor.at < bytes.length) {
    const { field, from, to } = nextField(cursor, bytes.length)
    if (field === countersField) {
      readTotals(bytes, { from, to }, (row, total) => {
        const at = ratedRows.indexOf(row)
        if (at >= 0) totals[totalsAt.acted + at] = total
      })
    } else if (field === impressionsField || field === positivesField) {
      const start = field === impressionsField ? totalsAt.impressions : totalsAt.positives
      readTotals(bytes, { from, to }, (row, total) => {
        if (row < buckets) totals[start + row] = total
      })
    }
  }
  addActedAfterShown(totals)
  // The sum of finite totals may be beyond the largest number.
  if (!totals.every(Number.isFinite)) throw invalid()
  return totals
}

interface Range {
  readonly from: number
  readonly to: number
}

/** Reads the last value of each row of a message Counters. */
function readTotals(bytes: Uint8Array, { from, to }: Range, use: (row: number, total: number) => void): void {
  let rows: Range = { from: 0, to: 0 }
  let values: Range = { from: 0, to: 0 }
  const cursor = { bytes, at: from }
  while (cursor.at < to) {
    const { field, ...range } = nextField(cursor, to)
    if (field === rowsField) rows = range
    else if (field === valuesField) values = range
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset + values.from, values.to - values.from)
  const rowBytes = 8 * halfLivesMs.length
  const names = { bytes, at: rows.from }
  let at = rowBytes - 8
  for (; names.at < rows.to; at += rowBytes) {
    const row = readVarint(names)
    if (row < 0 || at + 8 > view.byteLength) throw invalid()
    const total = view.getFloat64(at, true)
    if (!Number.isFinite(total)) throw invalid()
    use(row, total)
  }
}

/** Moves past a field. `from` to `to` is its content; empty for a field of one number. */
function nextField(cursor: ByteCursor, end: number): Range & { readonly field: number } {
  const tag = readVarint(cursor)
  const wire = tag & 7
  const size = wire === 0 ? readVarint(cursor) : wire === 1 ? 8 : wire === 2 ? readVarint(cursor) : wire === 5 ? 4 : -1
  const from = cursor.at
  if (wire !== 0) cursor.at += size
  if (tag < 8 || size < 0 || cursor.at > end) throw invalid()
  return { field: tag >>> 3, from, to: cursor.at }
}

function invalid(): ContractError {
  return new ContractError('CODEC_INVALID', 'freshet.state.v1.PinState: its counters cannot be read')
}
