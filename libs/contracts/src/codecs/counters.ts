import { halfLivesMs, noCounters, type Counters } from '@freshet/domain/decay'
import { bytesOf, float64Column } from '../columns.ts'
import { ContractError } from '../errors.ts'
import type { Counters as CountersMessage } from '../gen/freshet/state/v1/state.ts'
import { varintColumn } from '../varints.ts'
import type { FieldWriter } from '../wire.ts'

const columns = halfLivesMs.length

/** Writes counters as a nested message; nothing where nothing was counted. */
export function writeCounters(to: FieldWriter, field: number, counters: Counters): void {
  const rows: number[] = []
  for (let row = 0; row < counters.atMs.length; row++) if (counters.atMs[row] !== 0) rows.push(row)
  if (rows.length === 0) return
  to.message(field, () => {
    to.varints(1, rows)
    to.varints(
      2,
      rows.map((row) => counters.atMs[row] ?? 0),
    )
    const values = new Float64Array(rows.length * columns)
    for (let index = 0; index < values.length; index++) {
      values[index] = counters.values[(rows[Math.floor(index / columns)] ?? 0) * columns + (index % columns)] ?? 0
    }
    to.bytes(3, bytesOf(values))
  })
}

/** Counters of `rows` rows from their message; rows that this version does not know are left out. Throws CODEC_INVALID where the columns do not fit together or hold no numbers. */
export function fromCountersMessage(message: CountersMessage | undefined, rows: number): Counters {
  const counters = noCounters(rows)
  if (message === undefined) return counters
  const present = varintColumn(message.rows)
  const atMs = varintColumn(message.atMs)
  const values = float64Column(message.values)
  if (atMs.length !== present.length || values.length !== present.length * columns || !values.every(Number.isFinite)) {
    throw new ContractError('CODEC_INVALID', 'freshet.state.v1.Counters: the columns do not fit together')
  }
  present.forEach((row, index) => {
    if (row >= rows) return
    counters.atMs[row] = atMs[index] ?? 0
    counters.values.set(values.subarray(index * columns, (index + 1) * columns), row * columns)
  })
  return counters
}
