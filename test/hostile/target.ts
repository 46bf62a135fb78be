import { monitorEventLoopDelay } from 'node:perf_hooks'
import { openAccess } from '@freshet/access/access'
import { createMemoryArtefactStore } from '@freshet/adapters/memory/artefact-store'
import { createMemoryEventLog, type MemoryEventLog } from '@freshet/adapters/memory/event-log'
import { createMemoryStateStore } from '@freshet/adapters/memory/state-store'
import { serveBlender } from '@freshet/adapters/grpc/blender-server'
import { createSystemClock } from '@freshet/adapters/system/clock'
import { createHttpApp as createFeedApp } from '@freshet/blender/server'
import { readDescriptors } from '@freshet/contracts/descriptors'
import { topicLayouts } from '@freshet/contracts/topics'
import { ingestSettings } from '@freshet/event-ingest/config'
import { createIngestGrpcService } from '@freshet/event-ingest/grpc'
import { createHttpApp } from '@freshet/event-ingest/http'
import { createIngest } from '@freshet/event-ingest/ingest'
import { createEmbedded, type Embedded } from '@freshet/freshet/embedded'
import { memoryPlatform } from '@freshet/freshet/memory-platform'
import { openSpecSlot } from '@freshet/ranking/model/spec-file'
import { startGrpcServer } from '@freshet/service/grpc-server'
import { listen } from '@freshet/service/http-app'
import { createMetrics } from '@freshet/service/metrics'
import type { Report } from '@freshet/service/reporting'
import { grpcSettings, httpSettings } from '@freshet/service/settings'
import { z } from 'zod'
import { targetLimits } from './target-limits.ts'
import type { Answer, Ask, Ports, Readings } from './target-messages.ts'

/**
 * A process with all services on adapters in memory, behind their real servers. The runner starts it, sends it hostile
 * bytes, and asks over IPC what they did. It is a process of its own, so that a crash shows and its memory can be measured.
 */
const errors: string[] = []
const note = (error: unknown): void => {
  errors.push(error instanceof Error ? (error.stack ?? error.message) : String(error))
}
process.on('uncaughtException', note)
process.on('unhandledRejection', note)

const reported: string[] = []
/** A defect is a fault of ours; other reports are what must happen to bad records. */
const report: Report = (error, { part, outcome }) => {
  if (outcome === 'defect') note(error)
  else reported.push(`${part}: ${error instanceof Error ? error.message : String(error)}`)
}

/** Histogram in nanoseconds of how long the loop took for a timer of 10 ms. */
const timerMs = 10
const loop = monitorEventLoopDelay({ resolution: timerMs })
loop.enable()

let peakRss = 0
setInterval(() => {
  peakRss = Math.max(peakRss, process.memoryUsage.rss())
}, 5).unref()

const clock = createSystemClock()
const log = createMemoryEventLog({ clock })
await log.applyTopics(topicLayouts(4))
const embedded = await startServices(log)
const ports = await startServers(embedded)

process.on('message', (ask: Ask) => {
  void answer(ask).then(
    (value) => process.send?.({ id: ask.id, value } satisfies Answer),
    (error: unknown) => process.send?.({ id: ask.id, error: String(error) } satisfies Answer),
  )
})
process.on('disconnect', () => process.exit(0))
process.send?.({ id: 0, value: ports } satisfies Answer)

async function answer(ask: Ask): Promise<Answer['value']> {
  if (ask.kind === 'readings') return read(ask.collect)
  const { topic, key, value, headers, partition } = ask.record
  await log.append(topic, [
    { key, value: value === null ? null : Buffer.from(value, 'base64'), partition, ...(headers && { headers }) },
  ])
  await log.drain()
  return null
}

async function read(collect: boolean): Promise<Readings> {
  if (collect) for (let i = 0; i < 3; i++) global.gc?.()
  const { heapUsed, external, rss } = process.memoryUsage()
  const readings = {
    errors: errors.splice(0),
    reported: reported.splice(0),
    heldBytes: heapUsed + external,
    peakRss: Math.max(peakRss, rss),
    rss,
    lagMs: { p50: lateMs(loop.percentile(50)), p99: lateMs(loop.percentile(99)), max: lateMs(loop.max) },
    folded: {
      updater: await embedded.updater.lag(),
      candidates: await embedded.candidates.lag(),
      blender: await embedded.blender.lag(),
    },
    noticed: noticed(),
    notReady: embedded.unready() ?? embedded.updater.notReady(),
  }
  peakRss = rss
  loop.reset()
  return readings
}

function lateMs(nanoseconds: number): number {
  return Math.max(0, Math.round(nanoseconds / 1e6 - timerMs))
}

/** How many records each part has noticed as bad, since the start. */
function noticed(): Readings['noticed'] {
  const sum = (counts: Readonly<Record<string, number>>): number =>
    Object.values(counts).reduce((total, count) => total + count, 0)
  const { user, pin } = embedded.updater.stats().records
  return {
    deadLettered: user.deadLettered + pin.deadLettered,
    candidates: sum(embedded.candidates.stats().rejected),
    ranker: sum(embedded.ranker.stats().rejected),
    blender: embedded.blender.stats().facts.rejected,
    pin2vec: embedded.pin2vec?.stats().rejected ?? 0,
    joiner: embedded.joiner?.stats()?.rejected ?? 0,
  }
}

async function startServices(over: MemoryEventLog): Promise<Embedded> {
  const artefacts = createMemoryArtefactStore()
  const { models } = await openSpecSlot({ backend: 'auto', specFile: null })
  const services = createEmbedded({
    platform: { ...memoryPlatform({ log: over, store: createMemoryStateStore({ clock }), clock }), artefacts },
    models,
    modelStore: artefacts,
    config: { updater: { updater: { canaryEveryMs: 0, haltMinBadRecords: 1_000_000 } } },
    pause: () => new Promise((resolve) => setImmediate(resolve)),
    onError: (part, error) => reported.push(`${part}: ${error instanceof Error ? error.message : String(error)}`),
  })
  await services.start()
  while (services.unready() !== null) await new Promise((resolve) => setTimeout(resolve, 20))
  return services
}

async function startServers({ blender }: Embedded): Promise<Ports> {
  const metrics = createMetrics()
  const config = z.object(ingestSettings).parse(targetLimits.ingest)
  const limits = z.object(httpSettings(0)).parse(targetLimits.http)
  const ingest = createIngest({ log, clock, config, metrics, report })
  const access = openAccess
  const ingestApp = createHttpApp({ access, ingest, clock, config, limits, origins: [], metrics, report })
  const onDefect = note
  const feedApp = createFeedApp({
    access,
    blender,
    timeoutMs: 5_000,
    maxTimeoutMs: 10_000,
    maxBodyBytes: targetLimits.feedBodyBytes,
    limits,
    origins: [],
    metrics,
    nowMs: () => performance.now(),
    onDefect,
  })
  const grpc = await startGrpcServer({
    access,
    ...z.object(grpcSettings(0)).parse(targetLimits.grpc),
    services: [
      createIngestGrpcService(ingest, { metrics, report, maxStreamBatches: config.maxStreamBatches }),
      serveBlender(blender, { onDefect }),
    ],
    descriptors: readDescriptors(),
    metrics,
  })
  grpc.setServing(true)
  return {
    ingest: await listen(ingestApp, '127.0.0.1', 0),
    feed: await listen(feedApp, '127.0.0.1', 0),
    grpc: grpc.port,
  }
}
