import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as pause } from 'node:timers/promises'
import { openAccess } from '@freshet/access/access'
import { openEnvironment } from '@freshet/adapters/lmdb/environment'
import { createLmdbEventLog } from '@freshet/adapters/lmdb/event-log'
import { createLmdbStateStore } from '@freshet/adapters/lmdb/state-store'
import { createSystemClock } from '@freshet/adapters/system/clock'
import { blenderSchema } from '@freshet/blender/config'
import { topicLayouts } from '@freshet/contracts/topics'
import { ingestSettings } from '@freshet/event-ingest/config'
import { createIngest } from '@freshet/event-ingest/ingest'
import { updaterConfigOf } from '@freshet/feature-updater/config'
import { createUpdater } from '@freshet/feature-updater/updater'
import { createByteRoom } from '@freshet/service/byte-room'
import { createHttpApp } from '@freshet/service/http-app'
import { createMetrics } from '@freshet/service/metrics'
import { silentReport } from '@freshet/service/reporting'
import { httpSettings } from '@freshet/service/settings'
import { z } from 'zod'
import { openConnections } from '../proxy/upstreams.ts'
import { openEmbeddedDestination } from './import/embedded-destination.ts'
import { readForeignSettings } from '../../operations/foreign-letters.ts'
import type { OperatePorts } from './ports.ts'
import { registerOperate } from './register.ts'

/** The operator's side over a data folder whose ingest and updater run in this process. */
export async function anOperatedFolder(given: Partial<OperatePorts> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'freshet-operate-'))
  const clock = createSystemClock()
  const environment = await openEnvironment({ folder: join(folder, 'data'), fsync: false })
  const log = createLmdbEventLog({ environment, clock })
  const store = createLmdbStateStore({ environment, clock })
  await log.applyTopics(topicLayouts(2))
  const metrics = createMetrics()
  const config = z.object(ingestSettings).parse({})
  const ingest = createIngest({ log, clock, config, metrics, report: silentReport })
  const errors: Error[] = []
  const onError = (error: Error): void => void errors.push(error)
  const updater = createUpdater({
    log,
    store,
    clock,
    config: updaterConfigOf({ updater: { canaryEveryMs: 0 } }),
    onError,
  })
  await updater.start()

  const limits = z.object(httpSettings(0)).parse({})
  const room = createByteRoom(8 << 20, () => clock.now())
  const app = createHttpApp({
    ...{ name: 'console', limits, maxBodyBytes: 1 << 16, room, access: openAccess, origins: [], methods: [], metrics },
    answerTo: () => '',
  })
  const connections = openConnections(null)
  let ids = 0
  const operate = registerOperate(app, {
    ...{
      log,
      clock,
      services: [],
      connections,
      models: null,
      experimentsFile: null,
      foreign: readForeignSettings({}, {}),
      blender: blenderSchema.parse({}),
      room,
      onError,
    },
    openDestination: (call) =>
      openEmbeddedDestination({ ingest, environment, log, store, clock, isKnown: () => false }, call),
    imports: { folder: join(folder, 'imports'), newId: () => `upload-${ids++}`, pause: () => pause() },
    ...given,
  })
  const ask = async (method: 'GET' | 'POST' | 'DELETE', path: string, payload?: object) => {
    const url = `/api/console/operate${path}`
    const answer = await app.inject({ method, url, ...(payload !== undefined && { payload }) })
    return { status: answer.statusCode, json: JSON.parse(answer.body) as never }
  }
  return {
    ...{ folder, log, store, clock, app, ask, errors, ingest },
    async close() {
      await operate.close()
      connections.close()
      await app.close()
      await updater.stop()
      await store.close()
      await log.close()
      await environment.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
