import { createMemoryEventLog } from '@freshet/adapters/memory/event-log'
import { createSystemClock } from '@freshet/adapters/system/clock'
import { Surface } from '@freshet/contracts/gen/freshet/engagement/v1/engagement'
import { RetrieveRequest } from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import { bytesOf } from '@freshet/contracts/bytes/columns'
import { actionNumber, encodeEngagement } from '@freshet/contracts/codecs/engagement'
import { topicLayouts } from '@freshet/contracts/topics'
import { createCandidateService } from '@freshet/candidate-service/candidate-service'
import { candidateServiceSchema } from '@freshet/candidate-service/config'
import type { Engagement } from '@freshet/domain/engagement'
import { asId, type UserId } from '@freshet/domain/ids'
import type { RecentAction, RetrieveQuery } from '@freshet/retrieval/question'
import { createRetrieval, type Retrieval } from '@freshet/retrieval/retrieval'
import { sourceDefinitions } from '@freshet/retrieval/source-definitions'
import { setImmediate as pause } from 'node:timers/promises'
import { cpuMsNow, nowMs, type Bench } from './bench.ts'
import { comparedRow, plainRow, quantile, type BenchRow } from './row.ts'
import { recordsOf, syntheticWorld, tasteOf, type Synthetic } from './synthetic.ts'

const users = 20_000
const embeddingWidth = 64
/** Every source is asked, those too that the defaults leave out. */
const config = { sources: Object.fromEntries(sourceDefinitions.map(({ name }) => [name, { enabled: true }])) }

/** A whole `Retrieve` with all sources, as the catalogue grows, and what the views weigh. */
export async function retrieveRows(bench: Bench): Promise<BenchRow[]> {
  const sizes = bench.quick ? [1_000, 3_000] : [10_000, 100_000, 1_000_000]
  const rows: BenchRow[] = []
  let smallest: Timed | null = null
  for (const pins of sizes) {
    bench.say(`retrieve: ${pins} pins`)
    const world = worldOf(pins, bench.quick)
    const retrieval = filled(bench, world)
    const queries = queriesOf(world, bench.quick ? 60 : 600)
    bench.say(`retrieve: ${queries.length} queries`)
    const asked = timed(retrieval, queries)
    const { times, cpuMs } = asked
    const median = quantile(times, 0.5)
    const standard = pins === 100_000
    const note = `all ${retrieval.sourceNames.length} sources, ${world.engagements.length} engagements of ${users} users, embeddings of ${embeddingWidth}, visual ones too, 500 wanted; ${queries.length} queries after as many for the compilers`
    const title = `Retrieve, ${pins} pins`
    rows.push(plainRow(`${title}, p50`, median, 'ms', standard ? '≤ 10' : '', note))
    rows.push(plainRow(`${title}, p99`, quantile(times, 0.99), 'ms', standard ? '≤ 30' : '', note))
    rows.push(
      plainRow(`${title}, CPU`, cpuMs, 'ms/query', '', `${note}; mean, what other work on the machine moves least`),
    )
    if (smallest === null) smallest = asked
    else {
      rows.push(
        comparedRow({
          name: `${title} against ${sizes[0]}, p50`,
          value: median,
          unit: 'ms',
          reference: `the same at ${sizes[0]}`,
          referenceValue: quantile(smallest.times, 0.5),
          aim: pins === 1_000_000 ? 'ratio ≤ 2' : '',
          note,
        }),
        comparedRow({
          name: `${title} against ${sizes[0]}, CPU`,
          value: cpuMs,
          unit: 'ms/query',
          reference: `the same at ${sizes[0]}`,
          referenceValue: smallest.cpuMs,
          aim: pins === 1_000_000 ? 'ratio ≤ 2' : '',
          note,
        }),
      )
    }
    if (pins !== sizes[0]) {
      rows.push(...perSource(retrieval, queries, title, note))
      rows.push(...weights(retrieval, title, note))
    }
  }
  return rows
}

/** What each source costs alone: where the time of a whole `Retrieve` goes. */
function perSource(retrieval: Retrieval, queries: readonly RetrieveQuery[], title: string, note: string): BenchRow[] {
  return retrieval.sourceNames.map((name) => {
    const alone = queries.slice(0, Math.ceil(queries.length / 3)).map((query) => ({ ...query, sources: [name] }))
    return plainRow(`${title}, ${name} alone, p50`, quantile(timed(retrieval, alone).times, 0.5), 'ms', '', note)
  })
}

function weights(retrieval: Retrieval, title: string, note: string): BenchRow[] {
  const { bytes, bytesPer, counts, pins } = retrieval.stats()
  const total = Object.values(bytes).reduce((sum, each) => sum + each, 0)
  const edges = counts['graph']?.['edges'] ?? NaN
  return [
    plainRow(`${title}, all views`, total / pins, 'bytes/pin', '', note),
    plainRow(`${title}, catalogue`, bytesPer.pin, 'bytes/pin', '', note),
    plainRow(`${title}, graph`, (bytes['graph'] ?? NaN) / edges, 'bytes/edge', '', `${note}; ${edges} edges`),
    plainRow(`${title}, sessions`, bytesPer.session, 'bytes/session', '', note),
    plainRow(`${title}, sessions`, bytesPer.sessionAction, 'bytes/action', '', note),
  ]
}

/** Queries of the service while it folds 5,000 events a second, from when they were due. */
export async function retrieveWhileFoldingRows(bench: Bench): Promise<BenchRow[]> {
  const pins = bench.quick ? 2_000 : 100_000
  const [forMs, queriesPerSecond, eventsPerSecond] = [bench.quick ? 1_000 : 20_000, 20, 5_000]
  bench.say(`retrieve while folding: ${pins} pins`)
  const world = worldOf(pins, bench.quick)
  const clock = createSystemClock()
  const log = createMemoryEventLog({ clock })
  await log.applyTopics(topicLayouts(8))
  for (const { topic, records } of recordsOf(world)) await log.append(topic, records)
  const errors: Error[] = []
  const service = createCandidateService({
    log,
    clock,
    config: candidateServiceSchema.parse({ retrieval: config }),
    snapshots: null,
    pause: () => pause(),
    onEvent: (event) => {
      if ('error' in event) errors.push(event.error)
    },
  })
  await service.start()
  while (service.unready() !== null) await pause()
  const requests = queriesOf(world, 200).map(requestOf)
  for (const request of requests.slice(0, 50)) await service.retrieve(request, { timeoutMs: 60_000 })

  const run = async (perSecond: number): Promise<{ readonly times: number[]; readonly folded: number }> => {
    const times: number[] = []
    const startMs = nowMs()
    let appended = 0
    let asked = 0
    const appending = (async () => {
      while (perSecond > 0 && nowMs() - startMs < forMs) {
        const due = Math.floor(((nowMs() - startMs) / 1000) * perSecond) - appended
        if (due > 0) await log.append('engagements.v1', liveRecords(world, appended, due))
        appended += Math.max(0, due)
        await clock.sleep(5)
      }
    })()
    while (nowMs() - startMs < forMs) {
      const dueMs = startMs + (asked * 1000) / queriesPerSecond
      if (dueMs > nowMs()) await clock.sleep(dueMs - nowMs())
      await service.retrieve(requests[asked++ % requests.length]!, { timeoutMs: 60_000 })
      times.push(nowMs() - dueMs)
    }
    await appending
    return { times, folded: appended / ((nowMs() - startMs) / 1000) }
  }
  const quiet = await run(0)
  const busy = await run(eventsPerSecond)
  await service.stop()
  await log.close()
  const [failure] = errors
  if (failure !== undefined) throw failure
  const note = `${pins} pins, all sources, ${queriesPerSecond} queries/s by their due time, ${Math.round(busy.folded)} events/s appended, one thread`
  return [0.5, 0.99].map((share) =>
    comparedRow({
      name: `Retrieve under 5,000 events/s, p${share * 100}`,
      value: quantile(busy.times, share),
      unit: 'ms',
      reference: 'the same without events',
      referenceValue: quantile(quiet.times, share),
      aim: '',
      note,
    }),
  )
}

function worldOf(pins: number, quick: boolean): Synthetic {
  const engagements = quick ? 5 * pins : Math.min(1_000_000, Math.max(200_000, 3 * pins))
  return syntheticWorld({
    pins,
    users: quick ? 500 : users,
    engagements,
    endMs: 1_760_000_000_000,
    overMs: 7 * 86_400_000,
    visualWidth: 32,
    name: `retrieve-${pins}`,
  })
}

function filled(bench: Bench, world: Synthetic): Retrieval {
  const retrieval = createRetrieval({ config, seed: 1, refresh: 'event' })
  for (const change of world.pins) retrieval.foldPin(change)
  world.engagements.forEach((engagement, i) => {
    if (i % 250_000 === 0) bench.say(`retrieve: folded ${i} of ${world.engagements.length} engagements`)
    retrieval.foldEngagement(engagement)
  })
  const vectorOf = (pin: number): Float32Array => {
    const [taste, own] = [generator(tasteOf(pin) + 1), generator(pin + 1_000_003)]
    return Float32Array.from({ length: embeddingWidth }, () => taste() - 0.5 + 0.4 * (own() - 0.5))
  }
  world.pins.forEach((change, pin) => {
    if (pin % 250_000 === 0) bench.say(`retrieve: folded ${pin} of ${world.pins.length} embeddings`)
    if (change.kind === 'upsert') retrieval.foldEmbeddings([{ pinId: change.pin.pinId, vector: vectorOf(pin) }])
  })
  retrieval.mark()
  return retrieval
}

/** What users who have done something would be asked for now, with their last actions. */
function queriesOf({ engagements }: Synthetic, count: number): RetrieveQuery[] {
  const byUser = new Map<UserId, Engagement[]>()
  for (const engagement of engagements) {
    const list = byUser.get(engagement.userId)
    if (list === undefined) byUser.set(engagement.userId, [engagement])
    else list.push(engagement)
  }
  return [...byUser].slice(0, count).map(([userId, list]) => ({
    surface: 'home',
    atMs: engagements.at(-1)!.occurredAtMs + 1_000,
    userId,
    sessionId: list[list.length - 1]?.sessionId ?? null,
    recent: list.slice(-100).flatMap(recentOf),
    limit: 500,
  }))
}

function recentOf({ subject, action, occurredAtMs, sessionId, boardId }: Engagement): RecentAction[] {
  return subject.kind === 'pin' ? [{ pinId: subject.pinId, action, occurredAtMs, sessionId, boardId }] : []
}

/** How long each query took, and the CPU time of one on average, milliseconds. */
interface Timed {
  readonly times: readonly number[]
  readonly cpuMs: number
}

function timed(retrieval: Retrieval, queries: readonly RetrieveQuery[]): Timed {
  const times: number[] = []
  let startCpuMs = 0
  for (const round of [0, 1]) {
    startCpuMs = cpuMsNow()
    for (const query of queries) {
      const startMs = performance.now()
      const { pinIds } = retrieval.retrieve(query)
      if (round === 1) times.push(performance.now() - startMs)
      if (pinIds.length === 0 && query.sources === undefined) throw new Error('a query found nothing')
    }
  }
  return { times, cpuMs: (cpuMsNow() - startCpuMs) / queries.length }
}

function requestOf(query: RetrieveQuery): RetrieveRequest {
  const recent = query.recent ?? []
  return RetrieveRequest.fromPartial({
    surface: Surface.HOME,
    atMs: query.atMs,
    userId: query.userId ?? '',
    sessionId: query.sessionId ?? '',
    limit: query.limit,
    recent: {
      pinIds: recent.map(({ pinId }) => pinId),
      actions: Uint8Array.from(recent, ({ action }) => actionNumber(action)),
      occurredAtMs: bytesOf(Float64Array.from(recent, ({ occurredAtMs }) => occurredAtMs)),
      sessionIds: recent.map(({ sessionId }) => sessionId ?? ''),
      boardIds: recent.map(({ boardId }) => boardId ?? ''),
    },
  })
}

/** Engagements again, as new ones at the end. */
function liveRecords({ engagements }: Synthetic, from: number, count: number) {
  const lastMs = engagements.at(-1)!.occurredAtMs
  return Array.from({ length: count }, (_, i) => {
    const number = from + i
    const again = engagements[number % engagements.length]!
    const live = { ...again, eventId: asId<Engagement['eventId']>(`live-${number}`), occurredAtMs: lastMs + number }
    return { key: live.userId, value: encodeEngagement(live, live.occurredAtMs), partition: null }
  })
}

function generator(seed: number): () => number {
  let state = (seed * 0x9e3779b9) | 0
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) | 0
    return ((state ^ (state >>> 13)) >>> 0) / 2 ** 32
  }
}
