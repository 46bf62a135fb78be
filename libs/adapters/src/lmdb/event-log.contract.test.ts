import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventLogContract } from '../suites/event-log.suite.ts'
import { createSystemClock } from '../system/clock.ts'
import { openEnvironment } from './environment.ts'
import { createLmdbEventLog } from './event-log.ts'

eventLogContract('LMDB', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'freshet-log-'))
  const clock = createSystemClock()
  const environment = await openEnvironment({ folder: join(folder, 'data') })
  const log = createLmdbEventLog({ environment, clock })
  const others: { close(): Promise<void> }[] = []
  return {
    log,
    other: log,
    storesElsewhere: true,
    async open(topic) {
      const another = await openEnvironment({ folder: join(folder, `data-${others.length}`) })
      others.push(another)
      const handle = createLmdbEventLog({ environment: another, clock })
      await handle.applyTopics([topic])
      return handle
    },
    compact: () => log.compact(),
    async expire(topic) {
      await log.applyTopics([{ ...topic, retentionMs: 1 }])
      await new Promise((resolve) => setTimeout(resolve, 5))
      await log.compact()
    },
    async dispose() {
      await log.close()
      await environment.close()
      await Promise.all(others.map((other) => other.close()))
      await rm(folder, { recursive: true })
    },
  }
})
