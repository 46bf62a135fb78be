import { createBlenderClient } from '@freshet/adapters/grpc/blender-client'
import { GetFeedResponse } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { median, type Bench, type ClusterBench } from './bench.ts'
import { deployFleet, deployOneProcess, type Deployment } from './deployments.ts'
import { askAtRate, askInTurn, pageSize, requestOf, type AskedFeeds } from './feed-load.ts'
import { feedWorlds, type FeedWorld } from './feed-worlds.ts'
import { cpuTable } from './profile-feeds.ts'
import { comparedRow, plainRow, quantile, type BenchRow } from './row.ts'
import { startChild, type Child } from './servers/child.ts'

/** What the issue asks of one deployment. */
interface Aims {
  readonly p50: string
  readonly cpu: string
}

const oneProcess: Aims = { p50: 'ratio ≤ 5', cpu: '≤ 2' }
const fiveProcesses: Aims = { p50: 'ratio ≤ 8', cpu: '≤ 4' }
/** Of both deployments, by concurrency. */
const rateAims: Readonly<Record<number, string>> = { 1: 'ratio ≥ 0.2', 8: 'ratio ≥ 0.14' }

const concurrencies = [1, 8, 32]
/** Share of the highest rate at which the tail is measured. */
const openLoopShare = 0.3

/** GetFeed of all services in one process on LMDB, against a bare grpc-js echo of the same bytes, in each world. */
export function getFeedRows(bench: Bench): Promise<BenchRow[]> {
  return rowsOfWorlds(bench, oneProcess, deployOneProcess)
}

/** GetFeed of five processes on Kafka and Redis, against the same echo, in each world. */
export function getFeedClusterRows(bench: ClusterBench): Promise<BenchRow[]> {
  return rowsOfWorlds(bench, fiveProcesses, () => deployFleet(bench.cluster))
}

async function rowsOfWorlds(bench: Bench, aims: Aims, deploy: () => Promise<Deployment>): Promise<BenchRow[]> {
  const rows: BenchRow[] = []
  for (const world of await feedWorlds(bench.quick, (text) => bench.say(text))) {
    const deployment = await deploy()
    const echo = startChild('echo.ts')
    try {
      rows.push(...(await rowsOf({ bench, aims, world, deployment, echo })))
    } finally {
      await Promise.all([echo.stop(), deployment.stop()])
    }
  }
  return rows
}

interface Measured {
  readonly bench: Bench
  readonly aims: Aims
  readonly world: FeedWorld
  readonly deployment: Deployment
  readonly echo: Child
}

/** The echo's run and ours, one right after the other. */
type Round = readonly [AskedFeeds, AskedFeeds]

async function rowsOf({ bench, aims, world, deployment, echo }: Measured): Promise<BenchRow[]> {
  const title = `${deployment.name}, ${world.name}`
  bench.say(`GetFeed: filling ${title}`)
  await deployment.fill(world.records)
  const bytes = await answerBytes(deployment, world)
  const port = await echo.ask<number>('listen', bytes)
  const sides = [
    { address: `127.0.0.1:${port}`, cpuMs: echo.cpuMs },
    { address: deployment.feedAddress, cpuMs: deployment.cpuMs },
  ] as const
  // The first thousand calls pay for what the compiler has not seen yet.
  for (const side of sides) await askInTurn(side, world.userIds, { concurrency: 8, ms: bench.quick ? 300 : 8_000 })
  const note = `${title}: ${world.pins} pins, ${world.userIds.length} users, ${world.engagements} engagements; pages of ${pageSize}, ${bytes.length} bytes, recorded as served; client in this process`
  const rows: BenchRow[] = []
  let highestRate = 0
  for (const concurrency of concurrencies) {
    const rounds: Round[] = []
    for (let round = 0; round < (bench.quick ? 1 : 3); round++) {
      bench.say(`GetFeed: ${title}, c = ${concurrency}, round ${round + 1}`)
      const load = { concurrency, ms: bench.quick ? 300 : 4_000 }
      const first = await askInTurn(sides[0], world.userIds, load)
      rounds.push([first, await askInTurn(sides[1], world.userIds, load)])
    }
    highestRate = Math.max(highestRate, median(rounds.map(([, ours]) => ours.rate)))
    rows.push(...rowsAt(concurrency, rounds, { aims, prefix: `GetFeed, ${world.name}, c = ${concurrency}`, note }))
  }
  const perSecond = openLoopShare * highestRate
  bench.say(`GetFeed: ${title}, ${perSecond.toFixed(0)} a second whether answers come or not`)
  const open = await askAtRate(sides[1], world.userIds, { perSecond, ms: bench.quick ? 500 : 15_000 })
  rows.push(
    comparedRow({
      name: `GetFeed, ${world.name}, p99 at 30 % of the highest rate`,
      value: quantile(open.latencies, 0.99),
      referenceValue: quantile(open.latencies, 0.5),
      unit: 'ms',
      aim: 'ratio ≤ 4',
      reference: 'its p50',
      note: `${note}; calls at fixed times, ${perSecond.toFixed(0)} a second`,
    }),
  )
  bench.say(`GetFeed: ${title}, where the time goes\n${await cpuTable(deployment, world, bench.quick ? 300 : 6_000)}`)
  return rows
}

async function answerBytes(deployment: Deployment, world: FeedWorld): Promise<Uint8Array> {
  const client = createBlenderClient({ address: deployment.feedAddress })
  const response = await client.getFeed(requestOf(world.userIds[0]!), { timeoutMs: 10_000 })
  client.close()
  return GetFeedResponse.encode(response).finish()
}

function rowsAt(
  concurrency: number,
  rounds: readonly Round[],
  { aims, prefix, note }: { readonly aims: Aims; readonly prefix: string; readonly note: string },
): BenchRow[] {
  const asked = rounds.reduce((sum, [, ours]) => sum + ours.latencies.length, 0)
  const row = (what: string, unit: string, aim: string, pick: (run: AskedFeeds) => number): BenchRow =>
    comparedRow({
      name: `${prefix}, ${what}`,
      value: median(rounds.map(([, ours]) => pick(ours))),
      referenceValue: median(rounds.map(([theirs]) => pick(theirs))),
      unit,
      aim,
      reference: 'bare grpc-js echo',
      note: `${note}; medians of ${rounds.length} rounds A B A B`,
    })
  const p = (share: number) => (run: AskedFeeds) => quantile(run.latencies, share)
  const degraded = rounds.reduce((sum, [, ours]) => sum + ours.degraded, 0)
  const shareNote = `${note}; ${degraded} of ${asked}`
  return [
    row('p50', 'ms', concurrency === 1 ? aims.p50 : '', p(0.5)),
    row('p99', 'ms', '', p(0.99)),
    row('rate', 'calls/s', rateAims[concurrency] ?? '', ({ rate }) => rate),
    row('server CPU', 'ms/call', concurrency === 1 ? aims.cpu : '', ({ cpuMs }) => cpuMs),
    row('server CPU beside the echo', 'ms/call', concurrency === 1 ? 'ratio ≤ 12' : '', ({ cpuMs }) => cpuMs),
    plainRow(`${prefix}, degraded`, degraded / asked, 'of the feeds', concurrency === 32 ? '≤ 0' : '', shareNote),
  ]
}
