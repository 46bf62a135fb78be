/**
 * `node publish.ts BROKERS SURFACE VERSION PARTS`: publishes a model as a trainer does, in parts of 1,000 bytes, and kills itself with
 * SIGKILL after the given number of parts.
 */
import { createKafkaEventLog } from '@freshet/adapters/kafka/event-log'
import { createLogArtefactStore } from '@freshet/adapters/log/artefact-store'
import { createSystemClock } from '@freshet/adapters/system/clock'
import type { EventLog } from '@freshet/contracts/ports/event-log'
import { artefactName } from '@freshet/ranking/artefact/bytes'

const [brokers = '', surface = '', version = '', parts = '0'] = process.argv.slice(2)
const log = createKafkaEventLog({ brokers: brokers.split(','), clientId: 'publish', clock: createSystemClock() })
let left = Number(parts)
const append: EventLog['append'] = async (...given) => {
  const places = await log.append(...given)
  if (--left === 0) process.kill(process.pid, 'SIGKILL')
  return places
}
const onError = (error: Error): void => console.error(error.message)
const store = createLogArtefactStore({ log: { ...log, append }, onError, partBytes: 1_000 })
await store.put(artefactName(surface, version), new Uint8Array(5_000).fill(1))
await log.close()
