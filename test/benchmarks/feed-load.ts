import { setTimeout as sleep } from 'node:timers/promises'
import { createBlenderClient } from '@freshet/adapters/grpc/blender-client'
import { Degradation, GetFeedRequest } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { createSeededRandom } from '@freshet/adapters/memory/random'
import { nowMs } from './bench.ts'

/** Pins of a page. */
export const pageSize = 25

/** A server of feeds: its gRPC address, and the CPU time that it has used so far, milliseconds. */
export interface FeedServer {
  readonly address: string
  readonly cpuMs: () => Promise<number>
}

/** Answers to many calls of GetFeed. Calls that failed count with the time that they took. */
export interface AskedFeeds {
  /** Milliseconds. */
  readonly latencies: readonly number[]
  /** Answers that were partial, empty or missing. */
  readonly degraded: number
  /** Calls a second. */
  readonly rate: number
  /** Of the server, milliseconds a call. */
  readonly cpuMs: number
}

/** The first page of a user. */
export function requestOf(userId: string): GetFeedRequest {
  return GetFeedRequest.fromPartial({ userId, pageSize })
}

/** Asks for feeds of random users, so many calls at a time, for this long. */
export function askInTurn(
  server: FeedServer,
  userIds: readonly string[],
  { concurrency, ms }: { readonly concurrency: number; readonly ms: number },
): Promise<AskedFeeds> {
  return measured(server, userIds, async (ask) => {
    const untilMs = nowMs() + ms
    await Promise.all(
      Array.from({ length: concurrency }, async () => {
        while (nowMs() < untilMs) await ask(performance.now())
      }),
    )
  })
}

/** Asks for feeds of random users at fixed times, whether answers come or not. A latency counts from the time at which the call was due. */
export function askAtRate(
  server: FeedServer,
  userIds: readonly string[],
  { perSecond, ms }: { readonly perSecond: number; readonly ms: number },
): Promise<AskedFeeds> {
  return measured(server, userIds, async (ask) => {
    const startMs = performance.now()
    const calls: Promise<void>[] = []
    for (let dueMs = startMs; dueMs < startMs + ms; dueMs += 1000 / perSecond) {
      const waitMs = dueMs - performance.now()
      if (waitMs > 0) await sleep(waitMs)
      calls.push(ask(dueMs))
    }
    await Promise.all(calls)
  })
}

/** Other users in each run: no run finds what the one before has warmed. */
let runs = 0

async function measured(
  { address, cpuMs }: FeedServer,
  userIds: readonly string[],
  drive: (ask: (fromMs: number) => Promise<void>) => Promise<void>,
): Promise<AskedFeeds> {
  const client = createBlenderClient({ address })
  await client.ready(10_000)
  const random = createSeededRandom(`feeds ${runs++}`)
  const latencies: number[] = []
  let degraded = 0
  const startMs = nowMs()
  const startCpuMs = await cpuMs()
  await drive(async (fromMs) => {
    const userId = userIds[Math.floor(random.next() * userIds.length)]!
    const answer = await client.getFeed(requestOf(userId), { timeoutMs: 2_000 }).catch(() => null)
    latencies.push(performance.now() - fromMs)
    if (answer === null || answer.degradation !== Degradation.NONE || answer.items.length === 0) degraded++
  })
  const seconds = (nowMs() - startMs) / 1000
  const usedMs = (await cpuMs()) - startCpuMs
  client.close()
  return { latencies, degraded, rate: latencies.length / seconds, cpuMs: usedMs / latencies.length }
}
