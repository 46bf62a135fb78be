import { type Bench, type ClusterBench } from './bench.ts'
import { deployFleet, deployOneProcess, type Deployment } from './deployments.ts'
import { measureFreshness, type Freshness } from './freshness-load.ts'
import { comparedRow, plainRow, quantile, type BenchRow } from './row.ts'
import { recordsOf, syntheticWorld } from './synthetic.ts'

/** Where the product runs for a benchmark. */
export type Deploy<B extends Bench> = (bench: B) => Promise<Deployment>

/** One process on LMDB. */
export const onLmdb: Deploy<Bench> = () => deployOneProcess()

/** Five processes, Kafka and Redis. */
export const onCluster: Deploy<ClusterBench> = ({ cluster }) => deployFleet(cluster)

/** From an event's 202 to its feature and to a changed feed. */
export function freshnessRows<B extends Bench>(deploy: Deploy<B>): (bench: B) => Promise<BenchRow[]> {
  return deployed(deploy, async (bench, common) => {
    const rows: BenchRow[] = []
    for (const eventsPerSecond of [100, 1_000]) {
      bench.say(`freshness: ${common.deployment.name}, ${eventsPerSecond} events/s`)
      const measured = await measureFreshness({ ...common, eventsPerSecond, name: `at-${eventsPerSecond}` })
      rows.push(...freshnessOf(common.deployment, eventsPerSecond, measured))
    }
    return rows
  })
}

/** What a hot user costs the others. */
export function hotUserRows<B extends Bench>(deploy: Deploy<B>): (bench: B) => Promise<BenchRow[]> {
  return deployed(deploy, hotUser)
}

/** Runs `measure` on a deployment that holds a small catalogue and its users. */
function deployed<B extends Bench>(
  deploy: Deploy<B>,
  measure: (bench: Bench, common: Common) => Promise<BenchRow[]>,
): (bench: B) => Promise<BenchRow[]> {
  return async (bench) => {
    const deployment = await deploy(bench)
    try {
      const sizes = bench.quick
        ? { pins: 500, users: 200, engagements: 1_000 }
        : { pins: 5_000, users: 5_000, engagements: 20_000 }
      const times = bench.quick ? { warmUpMs: 500, forMs: 1_500 } : { warmUpMs: 5_000, forMs: 30_000 }
      bench.say(`filling ${deployment.name}`)
      const size = { ...sizes, endMs: Date.now(), overMs: 3_600_000, visualWidth: 0, name: 'start' }
      await deployment.fill(recordsOf(syntheticWorld(size)))
      return await measure(bench, { deployment, ...times, ...sizes, hotShare: 0, changesPerSecond: 5 })
    } finally {
      await deployment.stop()
    }
  }
}

function freshnessOf(deployment: Deployment, eventsPerSecond: number, measured: Freshness): BenchRow[] {
  const { featureMs, changedFeedMs, acceptedPerSecond, unread } = measured
  const note = `${deployment.name}; ${Math.round(acceptedPerSecond)} events/s accepted, ${featureMs.length} events (${unread} never read), ${changedFeedMs.length} changed feeds asked for with the token`
  const at = `at ${eventsPerSecond} events/s`
  return [
    plainRow(`202 → readable feature ${at}, p50`, quantile(featureMs, 0.5), 'ms', '', note),
    plainRow(
      `202 → readable feature ${at}, p99`,
      quantile(featureMs, 0.99),
      'ms',
      eventsPerSecond >= 1_000 ? '< 100' : '< 150',
      note,
    ),
    plainRow(`202 → changed feed ${at}, p50`, quantile(changedFeedMs, 0.5), 'ms', '', note),
    plainRow(`202 → changed feed ${at}, p99`, quantile(changedFeedMs, 0.99), 'ms', '< 250', note),
  ]
}

type Common = Omit<Parameters<typeof measureFreshness>[0], 'eventsPerSecond' | 'name'>

/** One user makes a tenth of all events: what the partitions of the others feel of it, against the same load without. */
async function hotUser(bench: Bench, common: Common): Promise<BenchRow[]> {
  const rounds = bench.quick ? 1 : 2
  const even: number[] = []
  const others: number[] = []
  const hot: number[] = []
  for (let round = 0; round < rounds; round++) {
    for (const hotShare of [0, 0.1]) {
      bench.say(`hot user: ${common.deployment.name}, share ${hotShare}, round ${round + 1}`)
      const name = `hot-${round}-${hotShare * 10}`
      const load = { ...common, eventsPerSecond: 1_000, hotShare, changesPerSecond: 0, name }
      const measured = await measureFreshness({ ...load, forMs: common.forMs / 2 })
      if (hotShare === 0) even.push(...measured.featureMs)
      else {
        others.push(...measured.otherPartitionsMs)
        hot.push(...measured.hotPartitionMs)
      }
    }
  }
  const shared = {
    unit: 'ms',
    reference: 'the same load without a hot user',
    note: `${common.deployment.name}; 1,000 events/s, one user makes 10 %; 202 → readable feature; ${rounds} rounds A B A B`,
  }
  const row = (name: string, samples: readonly number[], share: number, aim: string): BenchRow =>
    comparedRow({ ...shared, name, value: quantile(samples, share), referenceValue: quantile(even, share), aim })
  return [
    row('hot user, other partitions, p50', others, 0.5, ''),
    row('hot user, other partitions, p99', others, 0.99, 'ratio ≤ 1.5'),
    row("hot user, the hot user's partition, p99", hot, 0.99, ''),
  ]
}
