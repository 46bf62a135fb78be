import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runImport } from '@freshet/freshet/import/command'
import { someRatings } from '@freshet/freshet/import/testing'
import { cpuMsNow, type Bench } from './bench.ts'
import { plainRow, type BenchRow } from './row.ts'

/** `freshet import` of a file of ratings into a data folder: read, checked, sorted, written, applied to users and pins. */
export async function importRows(bench: Bench): Promise<BenchRow[]> {
  const [users, items] = bench.quick ? [100, 100] : [1_000, 500]
  const folder = mkdtempSync(join(tmpdir(), 'freshet-bench-import-'))
  try {
    const file = join(folder, 'ratings.csv')
    writeFileSync(file, someRatings(users, items))
    const rows = users * items
    let output = ''
    const startMs = performance.now()
    const startCpuMs = cpuMsNow()
    await runImport(
      [file],
      { data: join(folder, 'data'), partitions: '8' },
      {
        write: (text) => (output += text),
        progress: { write: () => true },
        nowMs: () => performance.now(),
        signal: new AbortController().signal,
      },
      {},
    )
    const seconds = (performance.now() - startMs) / 1000
    const cpuMs = cpuMsNow() - startCpuMs
    if (!new RegExp(`applied +${rows.toLocaleString('en-US')} `).test(output)) throw new Error(output)
    const note = `${users} users × ${items} items, LMDB with fsync, 8 partitions`
    return [
      plainRow('import into a data folder', rows / seconds, 'rows/s', '≥ 20,000', note),
      plainRow('import into a data folder, CPU', (1000 * cpuMs) / rows, 'µs/row', '', note),
    ]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
