import { createBlenderClient } from '@freshet/adapters/grpc/blender-client'
import { GetFeedRequest } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { median, type Bench, type ClusterBench } from './bench.ts'
import { deployFleet, deployOneProcess, type Deployment } from './deployments.ts'
import { comparedRow, quantile, type BenchRow } from './row.ts'
import { recordsOf, syntheticWorld } from './synthetic.ts'

const users = 1_000
const pageSize = 25

/** The second page of a session against the first one, of all services in one process on LMDB. */
export async function nextPageRows(bench: Bench): Promise<BenchRow[]> {
  return rowsOf(bench, await deployOneProcess())
}

/** The same of five processes on Kafka and Redis. */
export async function nextPageClusterRows(bench: ClusterBench): Promise<BenchRow[]> {
  return rowsOf(bench, await deployFleet(bench.cluster))
}

async function rowsOf(bench: Bench, deployment: Deployment): Promise<BenchRow[]> {
  try {
    bench.say(`next page: filling ${deployment.name}`)
    const pins = bench.quick ? 1_000 : 10_000
    const engagements = bench.quick ? 3_000 : 40_000
    const size = { pins, users, engagements, endMs: Date.now(), overMs: 7_200_000, visualWidth: 0, name: 'feeds' }
    await deployment.fill(recordsOf(syntheticWorld(size)))
    const asked = bench.quick ? 200 : users
    await passOf(deployment, Array(asked).fill(''))
    const rounds: (readonly [Pass, Pass])[] = []
    for (let round = 0; round < (bench.quick ? 3 : 5); round++) {
      bench.say(`next page: ${deployment.name}, round ${round + 1}`)
      const first = await passOf(deployment, Array(asked).fill(''))
      const next = await passOf(deployment, first.tokens)
      rounds.push([first, next])
    }
    const note = `${deployment.name}; ${pins} pins, ${engagements} engagements, pages of ${pageSize}, one call at a time; ${asked} users a round, medians of ${rounds.length} rounds A B A B`
    const row = (name: string, unit: string, aim: string, pick: (pass: Pass) => number): BenchRow =>
      comparedRow({
        name: `next page, ${name}`,
        value: median(rounds.map(([, next]) => pick(next))),
        referenceValue: median(rounds.map(([first]) => pick(first))),
        unit,
        aim,
        reference: 'first page',
        note,
      })
    return [
      row('server CPU', 'ms/call', 'ratio ≤ 0.4', ({ cpuMs }) => cpuMs),
      row('p50', 'ms', '', ({ latencies }) => quantile(latencies, 0.5)),
    ]
  } finally {
    await deployment.stop()
  }
}

interface Pass {
  readonly latencies: readonly number[]
  /** Of all servers, milliseconds per call. */
  readonly cpuMs: number
  /** Of the next pages, in the order of the users. */
  readonly tokens: readonly string[]
}

/** Asks for a page of each user in turn. Throws if a page is not full or not the expected one. */
async function passOf(deployment: Deployment, pageTokens: readonly string[]): Promise<Pass> {
  const client = createBlenderClient({ address: deployment.feedAddress })
  await client.ready(10_000)
  const [latencies, tokens] = [[] as number[], [] as string[]]
  const before = await deployment.cpuMs()
  for (const [at, pageToken] of pageTokens.entries()) {
    const request = GetFeedRequest.fromPartial({ userId: `user-${at}`, pageSize, pageToken })
    const atMs = performance.now()
    const answer = await client.getFeed(request, { timeoutMs: 5_000 })
    latencies.push(performance.now() - atMs)
    const position = pageToken === '' ? 0 : pageSize
    if (answer.items.length !== pageSize || answer.items[0]!.position !== position)
      throw new Error(
        `user-${at} has ${answer.items.length} pins from ${answer.items[0]?.position}: ${answer.reasons.join()}`,
      )
    tokens.push(answer.nextPageToken)
  }
  const cpuMs = ((await deployment.cpuMs()) - before) / pageTokens.length
  client.close()
  return { latencies, cpuMs, tokens }
}
