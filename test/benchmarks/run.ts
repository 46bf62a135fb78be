/**
 * `npm run bench`: the table of speeds and sizes, each beside its reference where it has one.
 *
 *   node test/benchmarks/run.ts [--only TEXT] [--quick] [--json FILE]
 *
 * --only runs the benchmarks whose name holds TEXT. --quick takes small sizes and short times: it shows that everything
 * runs, its figures say little. Kafka and Redis come from FRESHET_TEST_KAFKA and FRESHET_TEST_REDIS or from containers;
 * without them what needs them is skipped by name.
 */
import { cpus, loadavg } from 'node:os'
import { readArguments } from '../harness/arguments.ts'
import { openCluster, type Cluster } from '../harness/cluster.ts'
import { writeFigures } from '../harness/figures.ts'
import { benchmarks } from './benchmarks.ts'
import type { BenchRow } from './row.ts'
import { figuresOfRows, formatTable } from './table.ts'

const values = readArguments(
  'npm run bench --',
  { only: { type: 'string' }, quick: { type: 'boolean', default: false }, json: { type: 'string' } },
  { only: 'TEXT', json: 'FILE' },
)
const { quick } = values
const wanted = benchmarks.filter(({ name }) => name.toLowerCase().includes((values.only ?? '').toLowerCase()))
const rows: BenchRow[] = []
const skipped: string[] = []
const failed: string[] = []
const startedAtMs = performance.now()

const say = (text: string): void => {
  const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(0)
  process.stderr.write(`${seconds.padStart(5)} s  load ${loadavg()[0]!.toFixed(1)}  ${text}\n`)
}

let cluster: Cluster | { readonly absent: string } | null = null
const loads: number[] = []
for (const benchmark of wanted) {
  const { name } = benchmark
  if (benchmark.needs === 'time' && quick) {
    skipped.push(`${name}: takes minutes; run it without --quick`)
    continue
  }
  try {
    loads.push(loadavg()[0]!)
    if (benchmark.needs === 'cluster') {
      cluster ??= await openCluster()
      if ('absent' in cluster) {
        skipped.push(`${name}: ${cluster.absent}`)
        continue
      }
      say(name)
      rows.push(...(await benchmark.run({ quick, say, cluster })))
    } else {
      say(name)
      rows.push(...(await benchmark.run({ quick, say })))
    }
  } catch (error) {
    failed.push(`${name}: ${(error as Error).stack ?? String(error)}`)
    say(`${name}: FAILED`)
  }
}
if (cluster !== null && 'stop' in cluster) await cluster.stop()

writeFigures(values.json, { ...figuresOfRows(rows), problems: [...skipped, ...failed] })
console.log(formatTable(rows))
console.log(
  `\n${cpus().length} cores, Node ${process.version}, load average while measuring ${Math.min(...loads).toFixed(1)}–${Math.max(...loads).toFixed(1)}${quick ? ', --quick: figures say little' : ''}`,
)
if (wanted.length === 0) console.log(`No benchmark is called ${values.only}; there are:`)
if (wanted.length === 0) console.log(benchmarks.map(({ name }) => `  ${name}`).join('\n'))
if (skipped.length > 0) console.log(`\nSKIPPED:\n${skipped.map((text) => `  ${text}`).join('\n')}`)
if (failed.length > 0) console.log(`\nFAILED:\n${failed.map((text) => `  ${text}`).join('\n')}`)
process.exitCode = failed.length > 0 ? 1 : 0
