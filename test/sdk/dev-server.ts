import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEnvironment } from '@freshet/adapters/lmdb/environment'
import { createLmdbEventLog } from '@freshet/adapters/lmdb/event-log'
import { createLmdbStateStore } from '@freshet/adapters/lmdb/state-store'
import { createSystemClock } from '@freshet/adapters/system/clock'
import type { World } from '../harness/cluster.ts'
import { eventually, pass } from '../harness/eventually.ts'
import { freePorts } from '../harness/ports.ts'
import { createNodeProcess, type ServiceProcess } from '../harness/processes.ts'

/** A `freshet dev` of its own, as a process. */
export interface DevServer {
  readonly process: ServiceProcess
  readonly ingestUrl: string
  readonly feedUrl: string
  readonly operationsUrl: string
  /** Waits until everything is folded, stops the process, and opens what it wrote. */
  open(): Promise<World>
  /** Stops it and removes its folder. */
  remove(): Promise<void>
}

/** Starts `freshet dev` on an empty folder and free ports, for pages of any origin. */
export async function startDevServer(env: Readonly<Record<string, string>> = {}): Promise<DevServer> {
  const folder = mkdtempSync(join(tmpdir(), 'freshet-sdk-dev-'))
  const [http = 0, feed = 0, grpc = 0, operations = 0] = await freePorts(4)
  const dev = createNodeProcess({
    name: 'freshet',
    arguments: ['apps/freshet/bin/freshet.js', 'dev'],
    ports: { operations, http, grpc },
    env: {
      FRESHET_DATA_FOLDER: join(folder, 'data'),
      FRESHET_SAMPLE: 'false',
      FRESHET_INGEST_HTTP_PORT: String(http),
      FRESHET_CONSOLE_ENABLED: 'false',
      FRESHET_FEED_HTTP_PORT: String(feed),
      FRESHET_GRPC_PORT: String(grpc),
      FRESHET_OPERATIONS_PORT: String(operations),
      FRESHET_CORS_ORIGINS: '*',
      ...env,
    },
  })
  let world: World | null = null
  await dev.start()
  const isFolded = async (): Promise<true | null> => {
    const answer = await fetch(`http://127.0.0.1:${operations}/v1/progress`)
    const { lag } = (await answer.json()) as { readonly lag: number }
    return lag === 0 ? true : null
  }
  return {
    process: dev,
    ingestUrl: `http://127.0.0.1:${http}`,
    feedUrl: `http://127.0.0.1:${feed}`,
    operationsUrl: `http://127.0.0.1:${operations}`,
    async open() {
      await eventually('everything folded', isFolded, 60_000, 200)
      // The second stage, whose progress the process does not show.
      await pass(1_500)
      await dev.stop()
      const environment = await openEnvironment({ folder: join(folder, 'data'), fsync: false })
      const clock = createSystemClock()
      const log = createLmdbEventLog({ environment, clock, onError: () => undefined })
      const store = createLmdbStateStore({ environment, clock })
      const close = async (): Promise<void> => {
        await log.close()
        await store.close()
        await environment.close()
      }
      world = { brokers: [], redisUrl: '', keyPrefix: '', log, store, close }
      return world
    },
    async remove() {
      await world?.close()
      await dev.stop().catch(() => dev.kill())
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
