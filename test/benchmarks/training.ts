import { median, type Bench } from './bench.ts'
import { comparedRow, type BenchRow } from './row.ts'
import { startChild } from './servers/child.ts'
import type { TrainingSpeed } from './servers/training.ts'
import { trainingShape } from './training-model.ts'

/** Training rows a second, against the same model of TensorFlow.js's own layers on the same backend. */
export async function trainingRowsPerSecond({ quick }: Bench): Promise<BenchRow[]> {
  const child = startChild('training.ts')
  try {
    const rows = quick ? 4_096 : 65_536
    const { backend, ours, theirs } = await child.ask<TrainingSpeed>('measure', rows)
    const { fields, names, size, hidden, batchRows } = trainingShape
    return [
      comparedRow({
        name: 'training, rows a second',
        value: median(ours),
        unit: 'rows/s',
        reference: "TensorFlow.js's own layers and Adam",
        referenceValue: median(theirs),
        aim: '',
        note: `backend ${backend}, one thread; ${fields} categories of ${names} names, vectors of ${size}, hidden layers ${hidden.join(' and ')}, batches of ${batchRows}, ${rows} rows; epochs alternate`,
      }),
    ]
  } finally {
    await child.stop()
  }
}
