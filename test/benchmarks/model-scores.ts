import type { Bench } from './bench.ts'
import { modelWidth } from './model-spec.ts'
import { comparedRow, plainRow, quantile, type BenchRow } from './row.ts'
import { startChild } from './servers/child.ts'
import type { ModelTimes } from './servers/model-scores.ts'

/**
 * Scores of 500 candidates by an MLP and by DCN-v2, against onnxruntime-node on one thread with the same weights. Each backend
 * has a process of its own; one that is not installed has no rows.
 */
export async function modelScoreRows({ quick, say }: Bench): Promise<BenchRow[]> {
  const rows: BenchRow[] = []
  for (const backend of ['tensorflow', 'wasm'] as const) {
    const child = startChild('model-scores.ts')
    try {
      const all = await child.ask<readonly ModelTimes[] | null>('measure', { backend, pages: quick ? 20 : 1_000 })
      if (all === null) say(`model scores: ${backend} is not installed`)
      for (const times of all ?? []) rows.push(rowOf(times, backend))
      if (all?.some(({ theirs }) => theirs.length === 0) === true)
        say(
          'model scores: onnxruntime-node is not installed; run `npm i --no-save onnxruntime-node@1.20.1` to compare with it',
        )
    } finally {
      await child.stop()
    }
  }
  return rows
}

function rowOf({ kind, ours, theirs }: ModelTimes, backend: string): BenchRow {
  const name = `500 candidates by ${kind}, backend ${backend}, p50`
  const note = `${modelWidth} features, hidden layers 128 and 64, DCN-v2 with 3 cross layers beside them; one thread, same weights, results within 1e-5`
  if (theirs.length === 0) return plainRow(name, quantile(ours, 0.5), 'ms', '', note)
  return comparedRow({
    name,
    value: quantile(ours, 0.5),
    unit: 'ms',
    reference: 'onnxruntime-node',
    referenceValue: quantile(theirs, 0.5),
    aim: 'ratio ≤ 2',
    note,
  })
}
