import { halfLivesMs, noCounters, type Counters } from '@freshet/domain/decay'
import { float64Column } from '../columns.ts'
import { ContractError } from '../errors.ts'
import type { Counters as CountersMessage } from '../gen/freshet/state/v1/state.ts'
import { varintColumn } from '../varints.ts'
import type { FieldWriter } from '../wire.ts'

/** Four: a row of `values` is found by shifting. */
const columns = halfLivesMs.length satisfies 4

/** Writes counters as a nested message; nothing where nothing was counted. */
export function writeCounters(to: FieldWriter, field: number, { atMs, values }: Counters): void {
  const rows: number[] = []
  const times: number[] = []
  for (let row = 0; row < atMs.length; row++) {
    const time = atMs[row] ?? 0
    if (time === 0) continue
    rows.push(row)
    times.push(time)
  }
  if (rows.length === 0) return
  to.message(field, () => {
    to.varints(1, rows)
    to.varints(2, times)
    to.doubles(3, rows.length * columns, (i) => values[(rows[i >> 2] ?? 0) * columns + (i & 3)] ?? 0)
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
