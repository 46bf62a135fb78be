import { settled } from '../harness/oracle.ts'
import { createServiceProcess, type ServiceProcess } from '../harness/processes.ts'
import { appendAll } from './append.ts'
import type { ClusterBench } from './bench.ts'
import { comparedRow, type BenchRow } from './row.ts'
import { backlog, patienceMs } from './updater-throughput.ts'

const counts = [1, 2, 4] as const
const users = 10_000

/** What one more process costs: the same backlog folded by 1, 2 and 4 feature-updaters, by events for each second of CPU. */
export async function scalingRows(bench: ClusterBench): Promise<BenchRow[]> {
  const events = bench.quick ? 8_000 : 200_000
  const records = backlog(events, users)
  const measured: { readonly perCpuSecond: number; readonly seconds: number; readonly partitions: string }[] = []
  for (const count of counts) {
    bench.say(`scaling: ${count} feature-updaters, ${events} events`)
    const world = await bench.cluster.fresh()
    const { brokers, redisUrl, keyPrefix } = world
    const processes = await Promise.all(
      Array.from({ length: count }, (_, at) =>
        createServiceProcess('feature-updater', {
          FRESHET_KAFKA_BROKERS: brokers.join(','),
          FRESHET_REDIS_URL: redisUrl,
          FRESHET_REDIS_KEY_PREFIX: keyPrefix,
          FRESHET_UPDATER_INSTANCE: `scaling-${at}`,
          FRESHET_UPDATER_CANARY_EVERY_MS: '0',
        }),
      ),
    )
    try {
      await Promise.all(processes.map((each) => each.start(60_000)))
      const before = await cpuSeconds(processes)
      const startedAtMs = performance.now()
      await appendAll(world.log, 'engagements.v1', records)
      await settled(world, patienceMs)
      const seconds = (performance.now() - startedAtMs) / 1000
      const after = await cpuSeconds(processes)
      const own = after.map((each, at) => each - before[at]!)
      const cpu = own.reduce((sum, each) => sum + each, 0)
      measured.push({ perCpuSecond: events / cpu, seconds, partitions: own.map((each) => each.toFixed(1)).join(' + ') })
    } finally {
      await Promise.all(processes.map((each) => each.stop().catch(() => each.kill())))
      await world.close()
    }
  }
  const [one] = measured
  return measured.map(({ perCpuSecond, seconds, partitions }, at) =>
    comparedRow({
      name: `${counts[at]} feature-updaters, events for a second of CPU`,
      value: perCpuSecond,
      unit: 'events/s of a core',
      reference: 'one of them',
      referenceValue: one!.perCpuSecond,
      aim: at === 0 ? '' : 'ratio ≥ 0.8',
      note: `Kafka and Redis, ${events} events of ${users} users while they are appended, user and pin state; CPU seconds of each process ${partitions}; ${seconds.toFixed(1)} s by the clock, which says nothing on two cores`,
    }),
  )
}

function cpuSeconds(processes: readonly ServiceProcess[]): Promise<readonly number[]> {
  return Promise.all(processes.map((each) => each.metric('process_cpu_seconds_total')))
}
