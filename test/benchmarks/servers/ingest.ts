import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAccess } from '@freshet/access/access'
import { newKey } from '@freshet/access/new-key'
import { accessSettings } from '@freshet/access/settings'
import { createKafkaEventLog } from '@freshet/adapters/kafka/event-log'
import { openEnvironment } from '@freshet/adapters/lmdb/environment'
import { createLmdbEventLog } from '@freshet/adapters/lmdb/event-log'
import { createMemoryEventLog } from '@freshet/adapters/memory/event-log'
import { createSystemClock } from '@freshet/adapters/system/clock'
import type { EventLog } from '@freshet/contracts/ports/event-log'
import { topicLayouts } from '@freshet/contracts/topics'
import { eventLimitSettings, ingestSettings } from '@freshet/event-ingest/config'
import { createIngestGrpcService } from '@freshet/event-ingest/grpc'
import { createHttpApp } from '@freshet/event-ingest/http'
import { createIngest } from '@freshet/event-ingest/ingest'
import { startGrpcServer } from '@freshet/service/grpc-server'
import { createMetrics } from '@freshet/service/metrics'
import { createRateLimits } from '@freshet/service/rate-limits'
import { limitConfigOf } from '@freshet/service/rate-settings'
import { silentReport } from '@freshet/service/reporting'
import { grpcSettings, httpSettings } from '@freshet/service/settings'
import { z } from 'zod'
import { serveParent } from './child.ts'

/** Ingest alone over one kind of log, by HTTP and gRPC, with keys and limits that admit everything. */
const clock = createSystemClock()
const folder = mkdtempSync(join(tmpdir(), 'freshet-bench-'))
let stop = (): Promise<void> => Promise.resolve()
let clear = (): void => undefined

/** What the server is to be. */
export interface IngestServer {
  readonly kind: 'memory' | 'lmdb' | 'kafka'
  readonly brokers: readonly string[]
}

/** Where it listens, and the key that it wants. */
export interface IngestAddress {
  readonly httpPort: number
  readonly grpcPort: number
  readonly key: string
}

async function openLog({ kind, brokers }: IngestServer): Promise<{ log: EventLog; close: () => Promise<void> }> {
  if (kind === 'memory') {
    const log = createMemoryEventLog({ clock })
    // A log keeps its records outside of this process; without this the heap would grow by all of them.
    clear = () => {
      log.recreate('engagements.v1')
    }
    await log.applyTopics(topicLayouts(8))
    return { log, close: () => log.close() }
  }
  if (kind === 'kafka') {
    const log = createKafkaEventLog({ brokers, clientId: 'bench', clock })
    return { log, close: () => log.close() }
  }
  const environment = await openEnvironment({ folder })
  const log = createLmdbEventLog({ environment, clock })
  await log.applyTopics(topicLayouts(8))
  return {
    log,
    async close() {
      await log.close()
      await environment.close()
    },
  }
}

async function openKeys() {
  const about = { kind: 'write', project: 'bench', origins: [], createdAtMs: clock.now(), expiresAtMs: null } as const
  const { text, entry } = newKey(about, randomBytes)
  const keysFile = join(folder, 'keys.json')
  writeFileSync(keysFile, JSON.stringify({ version: 1, keys: [entry] }))
  const onError = (error: unknown): never => {
    throw error as Error
  }
  return {
    key: text,
    access: await createAccess(z.object(accessSettings).parse({ keysFile, jwt: {} }), { clock, onError }),
  }
}

const most = 1_000_000_000
const admitAll = {
  keyRate: most,
  keyBurst: most,
  userRate: most,
  userBurst: most,
  addressRate: most,
  addressBurst: most,
}

serveParent({
  async listen(server: IngestServer): Promise<IngestAddress> {
    const { log, close } = await openLog(server)
    const { key, access } = await openKeys()
    const config = z.object(ingestSettings).parse({})
    const metrics = createMetrics()
    const report = silentReport
    const rates = createRateLimits({
      name: 'bench',
      config: limitConfigOf(z.object(eventLimitSettings).parse(admitAll)),
      clock,
      ownSecret: randomBytes(32),
      shared: null,
      metrics,
      report,
    })
    const ingest = createIngest({ log, clock, config, metrics, report, rates })
    const limits = z.object(httpSettings(0)).parse({})
    const app = createHttpApp({ ingest, access, clock, config, limits, origins: [], metrics, report })
    await app.listen({ host: '127.0.0.1', port: 0 })
    const grpc = await startGrpcServer({
      ...z.object(grpcSettings(0)).parse({}),
      port: 0,
      access,
      services: [createIngestGrpcService(ingest, { metrics, report, maxStreamBatches: config.maxStreamBatches })],
      descriptors: null,
      metrics,
    })
    stop = async () => {
      await app.close()
      await grpc.close()
      access.close()
      await close()
      rmSync(folder, { recursive: true, force: true })
    }
    return { httpPort: (app.server.address() as { port: number }).port, grpcPort: grpc.port, key }
  },
  clear: () => {
    clear()
  },
  stop: () => stop(),
})
