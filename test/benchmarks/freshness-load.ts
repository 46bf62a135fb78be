import { createBlenderClient } from '@freshet/adapters/grpc/blender-client'
import { createSeededRandom } from '@freshet/adapters/memory/random'
import { GetFeedRequest } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { parseToken } from '@freshet/contracts/tokens'
import { nowMs } from './bench.ts'
import type { Deployment } from './deployments.ts'
import { lookEveryMs, type Readable } from './position-watch.ts'

/** Events at a steady rate, and how long each took to count. */
export interface FreshnessLoad {
  readonly deployment: Deployment
  readonly eventsPerSecond: number
  readonly warmUpMs: number
  readonly forMs: number
  readonly users: number
  readonly pins: number
  /** Share of events of one single user. */
  readonly hotShare: number
  /** Users per second who hide what their feed shows first and ask again. */
  readonly changesPerSecond: number
  /** Begins ids: loads on one deployment differ in it. */
  readonly name: string
}

/** What was measured, milliseconds each, from when the 202 was received. */
export interface Freshness {
  /** Until user state that holds the event could be read by another reader. */
  readonly featureMs: readonly number[]
  /** The same of the hot user's partition only, and of all other partitions. */
  readonly hotPartitionMs: readonly number[]
  readonly otherPartitionsMs: readonly number[]
  /** Until a feed was there without the hidden pin. */
  readonly changedFeedMs: readonly number[]
  /** Events sent and accepted while it was measured, per second: what was really reached of the rate asked for. */
  readonly acceptedPerSecond: number
  /** Events that could not be read within ten seconds after the end; they count as ten seconds. */
  readonly unread: number
}

interface Accepted {
  readonly partition: number
  readonly position: number
  readonly sentMs: number
  /** When its 202 was received. */
  readonly atMs: number
}

const tickMs = 10
const patienceMs = 10_000
const warmUpFeeds = 50

/** Runs the load. */
export async function measureFreshness(load: FreshnessLoad): Promise<Freshness> {
  const { deployment, eventsPerSecond, hotShare } = load
  const random = createSeededRandom(load.name)
  const below = (count: number): number => Math.floor(random.next() * count)
  const accepted: Accepted[] = []
  const changedFeedMs: number[] = []
  const underWay = new Set<Promise<void>>()
  const blender = createBlenderClient({ address: deployment.feedAddress })
  await blender.ready(10_000)
  let hotPartition = -1
  let number = 0

  const start = (work: Promise<void>): void => {
    const entry = work.finally(() => underWay.delete(entry))
    underWay.add(entry)
  }
  const userOf = (): string => (random.next() < hotShare ? `${load.name}-hot` : `user-${below(load.users)}`)
  const event = () => ({
    eventId: `${load.name}-${number++}`,
    userId: userOf(),
    sessionId: `${load.name}-${below(1000)}`,
    action: below(4) === 0 ? 'click' : 'impression',
    pinId: `pin-${below(load.pins)}`,
    occurredAt: new Date().toISOString(),
  })

  async function send(count: number): Promise<void> {
    const engagements = Array.from({ length: count }, event)
    const sentMs = nowMs()
    const tokens = await postEngagements(deployment.ingestUrl, engagements)
    const atMs = nowMs()
    tokens.forEach(({ partition, position }, i) => {
      if (engagements[i]!.userId === `${load.name}-hot`) hotPartition = partition
      accepted.push({ partition, position, sentMs, atMs })
    })
  }

  async function ask(userId: string, after: readonly string[]): Promise<readonly string[]> {
    const request = { userId, pageSize: 25, after: [...after], evaluation: { dryRun: true } }
    const { items } = await blender.getFeed(GetFeedRequest.fromPartial(request), { timeoutMs: 2_000 })
    return items.map(({ pinId }) => pinId)
  }

  async function change(userId: string, measured: () => boolean): Promise<void> {
    const [first] = await ask(userId, []).catch(() => [])
    if (first === undefined) return
    const hide = { ...event(), userId, action: 'hide', pinId: first }
    const [token] = await postEngagements(deployment.ingestUrl, [hide])
    const atMs = nowMs()
    for (;;) {
      const pins: readonly string[] = await ask(userId, [token!.text]).catch(() => [first])
      if (!pins.includes(first) || nowMs() - atMs > patienceMs) break
    }
    if (measured()) changedFeedMs.push(nowMs() - atMs)
  }

  for (let i = 0; i < warmUpFeeds; i++) await ask(`user-${i}`, [])
  await deployment.watch()
  const beginMs = nowMs()
  const fromMs = beginMs + load.warmUpMs
  const untilMs = fromMs + load.forMs
  const due = { events: 0, changes: 0 }
  let lastMs = beginMs
  let changers = 0
  while (nowMs() < untilMs) {
    await new Promise((resolve) => setTimeout(resolve, tickMs))
    const elapsed = (nowMs() - lastMs) / 1000
    lastMs += elapsed * 1000
    due.events += elapsed * eventsPerSecond
    due.changes += elapsed * load.changesPerSecond
    const count = Math.floor(due.events)
    due.events -= count
    for (let left = count; left > 0; left -= 100) start(send(Math.min(100, left)))
    for (; due.changes >= 1; due.changes--) {
      const startedMs = nowMs()
      start(change(`${load.name}-reader-${changers++}`, () => startedMs >= fromMs))
    }
  }
  await Promise.all([...underWay])
  blender.close()
  await deployment.caughtUp()
  await new Promise((resolve) => setTimeout(resolve, 3 * lookEveryMs))
  const seen = byPartition(await deployment.watched())

  const measured = accepted.filter(({ sentMs }) => sentMs >= fromMs)
  let unread = 0
  const lateness = measured.map(({ partition, position, atMs }) => {
    const readAtMs = readableAt(seen.get(partition) ?? [], position)
    if (readAtMs === null) unread++
    return { partition, ms: readAtMs === null ? patienceMs : Math.max(0, readAtMs - atMs) }
  })
  const msOf = (which: (partition: number) => boolean): number[] =>
    lateness.flatMap(({ partition, ms }) => (which(partition) ? [ms] : []))
  return {
    featureMs: msOf(() => true),
    hotPartitionMs: msOf((partition) => partition === hotPartition),
    otherPartitionsMs: msOf((partition) => partition !== hotPartition),
    changedFeedMs,
    acceptedPerSecond: measured.length / (load.forMs / 1000),
    unread,
  }
}

interface Taken {
  readonly text: string
  readonly partition: number
  readonly position: number
}

async function postEngagements(ingestUrl: string, engagements: readonly object[]): Promise<readonly Taken[]> {
  const response = await fetch(`${ingestUrl}/v1/engagements`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ engagements }),
  })
  const text = await response.text()
  if (response.status !== 202) throw new Error(`ingest answered ${response.status}: ${text.slice(0, 300)}`)
  const { receipts } = JSON.parse(text) as { receipts: { token?: string; message?: string }[] }
  return receipts.map(({ token, message }) => {
    const place = token === undefined ? null : parseToken(token)
    if (place === null) throw new Error(`ingest refused an event: ${message}`)
    return { text: token!, ...place }
  })
}

function byPartition(seen: readonly Readable[]): ReadonlyMap<number, readonly Readable[]> {
  return Map.groupBy(seen, ({ partition }) => partition)
}

/** When the record could first be read; null: never. `seen` ascends in both columns. */
function readableAt(seen: readonly Readable[], position: number): number | null {
  let low = 0
  let high = seen.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (seen[middle]!.next > position) high = middle
    else low = middle + 1
  }
  return seen[low]?.atMs ?? null
}
