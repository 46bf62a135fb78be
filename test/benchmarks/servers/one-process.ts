import { openAccess } from '@freshet/access/access'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as pause } from 'node:timers/promises'
import { serveBlender } from '@freshet/adapters/grpc/blender-server'
import { openEnvironment } from '@freshet/adapters/lmdb/environment'
import { createLmdbEventLog } from '@freshet/adapters/lmdb/event-log'
import { createLmdbStateStore } from '@freshet/adapters/lmdb/state-store'
import { createSystemClock } from '@freshet/adapters/system/clock'
import { createSystemEngineClock } from '@freshet/adapters/system/engine-clock'
import { createSystemRandom } from '@freshet/adapters/system/random'
import { topicLayouts } from '@freshet/contracts/topics'
import { ingestSettings } from '@freshet/event-ingest/config'
import { createHttpApp } from '@freshet/event-ingest/http'
import { createIngest } from '@freshet/event-ingest/ingest'
import { createEmbedded } from '@freshet/freshet/embedded'
import { openSpecSlot } from '@freshet/ranking/model/spec-file'
import { jsonSpecFile } from '@freshet/ranking/spec/spec'
import { startGrpcServer } from '@freshet/service/grpc-server'
import { silentReport } from '@freshet/service/reporting'
import { createMetrics } from '@freshet/service/metrics'
import { grpcSettings, httpSettings } from '@freshet/service/settings'
import { z } from 'zod'
import { appendAll } from '../append.ts'
import { createPositionWatch } from '../position-watch.ts'
import type { Records } from '../synthetic.ts'
import { serveParent } from './child.ts'

/** What `npm start` runs, without its files of sample and settings: every service in this process on LMDB, HTTP for events, gRPC for feeds. */
const partitions = 8
const clock = createSystemClock()
const folder = mkdtempSync(join(tmpdir(), 'freshet-bench-'))
const environment = await openEnvironment({ folder })
const log = createLmdbEventLog({ environment, clock })
const store = createLmdbStateStore({ environment, clock })
await log.applyTopics(topicLayouts(partitions))
const metrics = createMetrics()
const report = silentReport
const config = z.object(ingestSettings).parse({})
const ingest = createIngest({ log, clock, config, metrics, report })
const { models } = await openSpecSlot({ backend: 'auto', specFile: jsonSpecFile })
const onError = (part: string, error: unknown): void => {
  process.stderr.write(`${part}: ${String(error)}\n`)
}
const embedded = createEmbedded({
  platform: {
    log,
    store,
    artefacts: null,
    clock,
    random: createSystemRandom(),
    engineClock: createSystemEngineClock(),
  },
  models,
  pause: () => pause(),
  onError,
})
await embedded.start()
const limits = z.object(httpSettings(0)).parse({})
const app = createHttpApp({ ingest, access: openAccess, clock, config, limits, origins: [], metrics, report })
const grpc = await startGrpcServer({
  access: openAccess,
  ...z.object(grpcSettings(0)).parse({}),
  host: '127.0.0.1',
  port: 0,
  services: [serveBlender(embedded.blender, { onDefect: (error) => onError('blender', error), defaultTimeoutMs: 500 })],
  descriptors: null,
  metrics,
})
const watch = createPositionWatch(store, partitions)

serveParent({
  listen: async () => {
    const ingestUrl = await app.listen({ host: '127.0.0.1', port: 0 })
    return { ingestUrl, feedAddress: `127.0.0.1:${grpc.port}` }
  },
  append: ({ topic, records }: Records) => appendAll(log, topic, records),
  async behind() {
    if (embedded.unready() !== null) return 1
    const lags = [embedded.updater.lag(), embedded.candidates.lag(), embedded.pin2vec?.lag() ?? Promise.resolve(0)]
    return (await Promise.all(lags)).reduce((sum, lag) => sum + lag, 0)
  },
  watch: () => watch.start(),
  watched: () => watch.stop(),
  async stop() {
    watch.stop()
    await app.close()
    await grpc.close()
    await embedded.stop()
    await log.close()
    await store.close()
    await environment.close()
    rmSync(folder, { recursive: true, force: true })
  },
})
