import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EventLog } from '@freshet/contracts/ports/event-log'
import { topicLayouts } from '@freshet/contracts/topics'
import { afterAll, describe, test } from 'vitest'
import { createKafkaEventLog } from '../kafka/event-log.ts'
import { compactSoon } from '../kafka/testing.ts'
import { openEnvironment } from '../lmdb/environment.ts'
import { createLmdbEventLog } from '../lmdb/event-log.ts'
import { createMemoryEventLog } from '../memory/event-log.ts'
import { artefactStoreContract, type ArtefactStoreFixture } from '../suites/artefact-store.suite.ts'
import { createSystemClock } from '../system/clock.ts'
import { uniqueName } from '../system/unique-name.ts'
import { kafkaServer } from '../testing/kafka-server.ts'
import { logArtefacts } from './log-artefacts.suite.ts'
import { createLogArtefactStore } from './artefact-store.ts'

const clock = createSystemClock()
const layout = topicLayouts(1).find(({ name }) => name === 'model-files.v1')!
const unexpected = (error: Error): never => {
  throw error
}

/** A topic of a log of its own or with a name of its own, and how to end it. */
async function fixtureOf(log: EventLog, close: () => Promise<void>): Promise<ArtefactStoreFixture> {
  const topic = `files-${uniqueName()}`
  await log.applyTopics([{ ...layout, name: topic }])
  const open = () => createLogArtefactStore({ log, topic, onError: unexpected })
  return { store: open(), another: open, close }
}

async function lmdb(): Promise<{
  readonly log: EventLog & { compact(): Promise<void> }
  readonly close: () => Promise<void>
}> {
  const folder = await mkdtemp(join(tmpdir(), 'freshet-log-'))
  const environment = await openEnvironment({ folder })
  const log = createLmdbEventLog({ environment, clock })
  return {
    log,
    async close() {
      await log.close()
      await environment.close()
      await rm(folder, { recursive: true })
    },
  }
}

artefactStoreContract('log in memory', () => fixtureOf(createMemoryEventLog({ clock }), () => Promise.resolve()))

artefactStoreContract('log in LMDB', async () => {
  const { log, close } = await lmdb()
  return fixtureOf(log, close)
})

logArtefacts('LMDB', layout, async () => {
  const { log, close } = await lmdb()
  return { log, compact: () => log.compact(), close }
})

const server = await kafkaServer()

if ('absent' in server) {
  describe.skip(`a store of artefacts in Kafka (skipped: ${server.absent})`, () => {
    test.todo('needs a broker')
  })
} else {
  const { brokers } = server.target
  afterAll(() => server.stop())
  const open = () => createKafkaEventLog({ brokers, clientId: 'artefacts', clock, replicationFactor: 1 })

  artefactStoreContract('log in Kafka', () => {
    const log = open()
    return fixtureOf(log, () => log.close())
  })

  logArtefacts('Kafka', layout, () => {
    const log = open()
    return Promise.resolve({ log, compact: (topic: string) => compactSoon(brokers, topic), close: () => log.close() })
  })
}
