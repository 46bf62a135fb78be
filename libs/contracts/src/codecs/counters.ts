import { halfLivesMs, type Counters } from '@freshet/domain/decay'
import { float64Column } from '../bytes/columns.ts'
import { ContractError } from '../errors.ts'
import type { Counters as CountersMessage } from '../gen/freshet/state/v1/state.ts'
import { varintColumn } from '../bytes/varints.ts'
import type { FieldWriter } from '../bytes/wire.ts'

const columns = halfLivesMs.length

/** Writes counters as a nested message. Writes nothing if all counters are empty. */
export function writeCounters(to: FieldWriter, field: number, { atMs, values }: Counters): void {
  if (atMs.length > rows.length) grow(atMs.length)
  let count = 0
  for (let row = 0; row < atMs.length; row++) {
    const time = atMs[row] ?? 0
    if (time === 0) continue
    rows[count] = row
    times[count] = time
    for (let i = 0; i < columns; i++) counts[count * columns + i] = values[row * columns + i] ?? 0
    count++
  }
  if (count === 0) return
  to.message(field, () => {
    to.varints(1, rows, count)
    to.varints(2, times, count)
    to.doubles(3, counts, count * columns)
  })
}

/** The rows with counts. Reused, since new columns for each message would cost more than writing it. */
let rows = new Uint32Array(0)
let times = new Float64Array(0)
let counts = new Float64Array(0)

function grow(most: number): void {
  rows = new Uint32Array(most)
  times = new Float64Array(most)
  counts = new Float64Array(most * columns)
}

/** Fills empty counters from their message, and skips rows that this version does not know. Throws CODEC_INVALID if the columns do not match or contain values that are not numbers. */
export function fromCountersMessage(message: CountersMessage | undefined, counters: Counters): Counters {
  if (message === undefined) return counters
  const present = varintColumn(message.rows)
  const atMs = varintColumn(message.atMs)
  const values = float64Column(message.values)
  if (atMs.length !== present.length || values.length !== present.length * columns || !values.every(Number.isFinite)) {
    throw new ContractError('CODEC_INVALID', 'freshet.state.v1.Counters: the columns do not match')
  }
  present.forEach((row, index) => {
    if (row >= counters.atMs.length) return
    counters.atMs[row] = atMs[index] ?? 0
    for (let i = 0; i < columns; i++) counters.values[row * columns + i] = values[index * columns + i] ?? 0
  })
  return counters
}
