import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEnvironment } from '@freshet/adapters/lmdb/environment'
import { createLmdbEventLog } from '@freshet/adapters/lmdb/event-log'
import { createLmdbStateStore } from '@freshet/adapters/lmdb/state-store'
import { createSystemClock } from '@freshet/adapters/system/clock'
import { topicLayouts } from '@freshet/contracts/topics'
import { createUpdater } from '@freshet/feature-updater/updater'
import { testPartitions } from '../harness/cluster.ts'
import { eventually } from '../harness/eventually.ts'
import { appendAll } from './append.ts'
import type { Bench } from './bench.ts'
import { plainRow, type BenchRow } from './row.ts'
import { backlog, configOf, patienceMs } from './updater-throughput.ts'

/** Many users that come back seldom: what the updater keeps in memory of them. */
export async function updaterMemoryRows(bench: Bench): Promise<BenchRow[]> {
  const users = bench.quick ? 3_000 : 1_000_000
  const cacheBytes = (bench.quick ? 1 : 32) << 20
  bench.say(`updater's memory: ${users} users`)
  const folder = mkdtempSync(join(tmpdir(), 'freshet-bench-'))
  const environment = await openEnvironment({ folder, fsync: false })
  const clock = createSystemClock()
  const log = createLmdbEventLog({ environment, clock })
  const store = createLmdbStateStore({ environment, clock })
  try {
    await log.applyTopics(topicLayouts(testPartitions))
    const part = bench.quick ? 3_000 : 50_000
    const updater = createUpdater({ log, store, clock, config: configOf(cacheBytes) })
    await updater.start()
    let most = 0
    const before = memoryNow()
    const grown: Memory[] = []
    for (let first = 0; first < 2 * users; first += part) {
      await appendAll(log, 'engagements.v1', backlog(part, users, `many-${first}`))
      await eventually('folded', async () => ((await updater.lag()) === 0 ? true : null), patienceMs, 20)
      most = Math.max(most, updater.stats().cacheBytes)
      const now = memoryNow()
      grown.push({ js: now.js - before.js, own: now.own - before.own })
      if (first % (10 * part) === 0) bench.say(`updater's memory: ${first + part} of ${2 * users} events`)
    }
    const stats = updater.stats()
    await updater.stop()
    const note = `${2 * users} events of ${users} users and as many pin keys, LMDB, cache of ${cacheBytes >> 20} MiB per stage`
    return [
      plainRow('updater, largest cache', most / 2 ** 20, 'MiB', `≤ ${(2 * cacheBytes) >> 20}`, note),
      plainRow('updater, cache hit rate', stats.cacheHits / stats.cacheReads, 'share', '', note),
      ...(['js', 'own'] as const).flatMap((which) =>
        halves(grown.map((memory) => memory[which])).map((growth, half) =>
          plainRow(
            `updater, growth of ${which === 'js' ? 'JavaScript memory' : 'memory of its own'}, ${half === 0 ? 'first' : 'second'} half of the events`,
            growth / 2 ** 20,
            'MiB',
            '',
            `${note}; largest, what makes the events included${which === 'js' ? '' : "; without the pages of LMDB's file, which the system takes back when it needs them"}`,
          ),
        ),
      ),
    ]
  } finally {
    await log.close()
    await environment.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Memory of this process, bytes. */
interface Memory {
  /** Heap and buffers. */
  readonly js: number
  /** All that is not a page of a file; where the system doesn't tell, all that is resident. */
  readonly own: number
}

function memoryNow(): Memory {
  const { heapUsed, external, rss } = process.memoryUsage()
  const status = existsSync('/proc/self/status') ? readFileSync('/proc/self/status', 'utf8') : ''
  const kibibytes = /^RssAnon:\s+(\d+) kB/m.exec(status)?.[1]
  return { js: heapUsed + external, own: kibibytes === undefined ? rss : Number(kibibytes) * 1024 }
}

/** The largest of the first half, and of the second: alike where memory is bounded. */
function halves(samples: readonly number[]): readonly number[] {
  const middle = Math.ceil(samples.length / 2)
  return [Math.max(...samples.slice(0, middle)), Math.max(...samples.slice(middle))]
}
