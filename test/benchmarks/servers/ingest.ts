import { openAccess } from '@freshet/access/access'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEnvironment } from '@freshet/adapters/lmdb/environment'
import { createLmdbEventLog } from '@freshet/adapters/lmdb/event-log'
import { createMemoryEventLog } from '@freshet/adapters/memory/event-log'
import { createSystemClock } from '@freshet/adapters/system/clock'
import { topicLayouts } from '@freshet/contracts/topics'
import { ingestSettings } from '@freshet/event-ingest/config'
import { createHttpApp } from '@freshet/event-ingest/http'
import { createIngest } from '@freshet/event-ingest/ingest'
import { silentReport } from '@freshet/service/reporting'
import { createMetrics } from '@freshet/service/metrics'
import { httpSettings } from '@freshet/service/settings'
import { z } from 'zod'
import { serveParent } from './child.ts'

/** Ingest alone, over a log in memory or in LMDB. */
let stop = (): Promise<void> => Promise.resolve()

serveParent({
  async listen(kind: 'memory' | 'lmdb') {
    const clock = createSystemClock()
    const folder = mkdtempSync(join(tmpdir(), 'freshet-bench-'))
    const environment = await openEnvironment({ folder })
    const log = kind === 'memory' ? createMemoryEventLog({ clock }) : createLmdbEventLog({ environment, clock })
    await log.applyTopics(topicLayouts(8))
    const config = z.object(ingestSettings).parse({})
    const metrics = createMetrics()
    const report = silentReport
    const ingest = createIngest({ log, clock, config, metrics, report })
    const limits = z.object(httpSettings(0)).parse({})
    const app = createHttpApp({ ingest, access: openAccess, clock, config, limits, origins: [], metrics, report })
    stop = async () => {
      await app.close()
      await log.close()
      await environment.close()
      rmSync(folder, { recursive: true, force: true })
    }
    return app.listen({ host: '127.0.0.1', port: 0 })
  },
  stop: () => stop(),
})
