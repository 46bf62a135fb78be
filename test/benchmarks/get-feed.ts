import { createBlenderClient } from '@freshet/adapters/grpc/blender-client'
import { Degradation, GetFeedRequest, GetFeedResponse } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { median, nowMs, type Bench, type ClusterBench } from './bench.ts'
import { deployFleet, deployOneProcess, type Deployment } from './deployments.ts'
import { comparedRow, quantile, type BenchRow } from './row.ts'
import { startChild } from './servers/child.ts'
import { recordsOf, syntheticWorld } from './synthetic.ts'

const users = 1_000

/** GetFeed of all services in one process on LMDB, against a bare grpc-js echo of the same bytes. */
export async function getFeedRows(bench: Bench): Promise<BenchRow[]> {
  return rowsOf(bench, await deployOneProcess())
}

/** GetFeed of five processes on Kafka and Redis, against the same echo. */
export async function getFeedClusterRows(bench: ClusterBench): Promise<BenchRow[]> {
  return rowsOf(bench, await deployFleet(bench.cluster))
}

async function rowsOf(bench: Bench, deployment: Deployment): Promise<BenchRow[]> {
  const echo = startChild('echo.ts')
  try {
    bench.say(`GetFeed: filling ${deployment.name}`)
    const pins = bench.quick ? 1_000 : 10_000
    const engagements = bench.quick ? 3_000 : 40_000
    const size = { pins, users, engagements, endMs: Date.now(), overMs: 7_200_000, visualWidth: 0, name: 'feeds' }
    await deployment.fill(recordsOf(syntheticWorld(size)))
    const first = createBlenderClient({ address: deployment.feedAddress })
    const response = await first.getFeed(requestOf(0), { timeoutMs: 10_000 })
    first.close()
    const bytes = GetFeedResponse.encode(response).finish()
    const port = await echo.ask<number>('listen', bytes)
    const sides = [
      { address: `127.0.0.1:${port}`, cpuMs: echo.cpuMs },
      { address: deployment.feedAddress, cpuMs: deployment.cpuMs },
    ] as const
    for (const { address } of sides) await ask(address, 8, bench.quick ? 300 : 3_000)
    const rows: BenchRow[] = []
    for (const concurrency of [1, 8, 32]) {
      const rounds: (readonly [Run, Run])[] = []
      for (let round = 0; round < (bench.quick ? 1 : 4); round++) {
        bench.say(`GetFeed: ${deployment.name}, c = ${concurrency}, round ${round + 1}`)
        const both: Run[] = []
        for (const { address, cpuMs } of sides) {
          const before = await cpuMs()
          const run = await ask(address, concurrency, bench.quick ? 300 : 4_000)
          both.push({ ...run, cpuMs: ((await cpuMs()) - before) / run.latencies.length })
        }
        rounds.push([both[0]!, both[1]!])
      }
      const of = (pick: (run: Run) => number) =>
        [median(rounds.map(([echo]) => pick(echo))), median(rounds.map(([, ours]) => pick(ours)))] as const
      const degraded = rounds.reduce((sum, [, ours]) => sum + ours.degraded, 0)
      const asked = rounds.reduce((sum, [, ours]) => sum + ours.latencies.length, 0)
      const note = `${deployment.name}; ${pins} pins, ${engagements} engagements, pages of 25, ${bytes.length} bytes, recorded as served; client in this process; medians of ${rounds.length} rounds A B A B`
      const row = (what: string, unit: string, aim: string, values: readonly [number, number], more = ''): BenchRow =>
        comparedRow({
          name: `GetFeed, c = ${concurrency}, ${what}`,
          value: values[1],
          referenceValue: values[0],
          unit,
          aim,
          reference: 'bare grpc-js echo',
          note: note + more,
        })
      rows.push(
        row(
          'p50',
          'ms',
          'ratio ≤ 6',
          of(({ latencies }) => quantile(latencies, 0.5)),
        ),
        row(
          'p99',
          'ms',
          '',
          of(({ latencies }) => quantile(latencies, 0.99)),
        ),
        row(
          'rate',
          'calls/s',
          '',
          of(({ latencies, ms }) => latencies.length / (ms / 1000)),
        ),
        row(
          'server CPU',
          'ms/call',
          '',
          of(({ cpuMs }) => cpuMs),
          `; ${degraded} of ${asked} feeds degraded`,
        ),
      )
    }
    return rows
  } finally {
    await Promise.all([echo.stop(), deployment.stop()])
  }
}

interface Run {
  readonly latencies: readonly number[]
  readonly ms: number
  readonly degraded: number
  /** Of the server, milliseconds per call. */
  readonly cpuMs: number
}

let asked = 0

/** So many calls at a time, each user in turn, for this long. Calls that fail count with the time they took. */
async function ask(address: string, concurrency: number, ms: number): Promise<Run> {
  const client = createBlenderClient({ address })
  await client.ready(10_000)
  const latencies: number[] = []
  let degraded = 0
  const startMs = nowMs()
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (nowMs() - startMs < ms) {
        const atMs = performance.now()
        const answer = await client.getFeed(requestOf(asked++), { timeoutMs: 2_000 }).catch(() => null)
        latencies.push(performance.now() - atMs)
        if (answer === null || answer.degradation !== Degradation.NONE || answer.items.length === 0) degraded++
      }
    }),
  )
  client.close()
  return { latencies, ms: nowMs() - startMs, degraded, cpuMs: NaN }
}

function requestOf(call: number): GetFeedRequest {
  return GetFeedRequest.fromPartial({ userId: `user-${call % users}`, pageSize: 25 })
}
