/**
 * A joiner in a process of its own, which joiner.test.ts kills: `node run.ts FOLDER NOW`. Joins the log in the folder, with a clock
 * that stands at NOW. Writes a line for each file that it puts, and at the end one with what it counted.
 */
import { createFolderArtefactStore } from '@freshet/adapters/folder/artefact-store'
import { openEnvironment } from '@freshet/adapters/lmdb/environment'
import { createLmdbEventLog } from '@freshet/adapters/lmdb/event-log'
import { createSystemClock } from '@freshet/adapters/system/clock'
import { trainerSchema } from '@freshet/trainer/config'
import { createJoinerJob } from '@freshet/trainer/joiner/joiner-job'

const [folder = '', now = ''] = process.argv.slice(2)
const clock = { ...createSystemClock(), now: () => Number(now) }
const environment = await openEnvironment({ folder, fsync: false })
const log = createLmdbEventLog({ environment, clock, compactEveryMs: null })
const files = createFolderArtefactStore(`${folder}/artefacts`)
const settings = trainerSchema.parse({
  maxBatchRecords: 40,
  joiner: { negativeRate: 0.5, maxMemoryBytes: 65_536, maxSegmentRows: 300 },
})
const job = createJoinerJob({
  log,
  clock,
  config: { ...settings, checkpointIntervalMs: 15 },
  artefacts: {
    ...files,
    async put(name, bytes) {
      process.stdout.write(`put ${name}\n`)
      await files.put(name, bytes)
    },
  },
  onError: (error) => process.stderr.write(`${error.stack}\n`),
})
await job.start()
while ((await job.lag()) > 0) await clock.sleep(5)
await job.advance()
await job.stop()
process.stdout.write(`counts ${JSON.stringify(job.stats())}\n`)
await log.close()
await environment.close()
