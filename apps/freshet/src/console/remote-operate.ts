import { kafkaOptions } from '@freshet/adapters/kafka/connect'
import { createKafkaEventLog } from '@freshet/adapters/kafka/event-log'
import { createLogArtefactStore } from '@freshet/adapters/log/artefact-store'
import { createSystemClock } from '@freshet/adapters/system/clock'
import { newSecret } from '@freshet/adapters/system/secret'
import { blenderSchema } from '@freshet/blender/config'
import { writingAs } from '@freshet/contracts/origin'
import { version } from '@freshet/domain/version'
import { createByteRoom } from '@freshet/service/byte-room'
import type { ServiceContext } from '@freshet/service/lifecycle'
import type { FastifyInstance } from 'fastify'
import { readKafkaSettings } from '../connection.ts'
import { openServicesDestination } from '../import/into-services.ts'
import { modelInspections } from '../models/inspection.ts'
import { readForeignSettings } from '../operations/foreign-letters.ts'
import type { ConsoleProcessConfig } from './config.ts'
import { newUploadsFolder } from './operate/import/uploads.ts'
import { elsewhere } from './operate/ports.ts'
import { registerOperate } from './operate/register.ts'
import { fetchThrough } from './proxy/fetch-through.ts'
import type { Connections } from './proxy/upstreams.ts'
import type { ServiceAddress } from './operate/services.ts'

const clientId = 'freshet-console'
/** An ingest that is behind answers a batch late. */
const importTimeoutMs = 60_000
/** Bytes of uploads that may be under way. */
const uploadBytes = 8 << 20

/**
 * Adds the operator's side to the console of a deployment. It reads the log if the environment names Kafka
 * (`FRESHET_KAFKA_BROKERS`, as for the other commands), and imports through event-ingest with the key of the caller.
 */
export function remoteOperate(
  { config, report, use }: Pick<ServiceContext<ConsoleProcessConfig>, 'config' | 'report' | 'use'>,
  services: readonly ServiceAddress[],
): (app: FastifyInstance, connections: Connections) => void {
  const { events, admin } = config.upstreams
  const clock = createSystemClock()
  const kafka = readKafkaSettings({})
  const log =
    kafka === null
      ? null
      : writingAs(createKafkaEventLog({ ...kafkaOptions(kafka), clientId, clock }), clientId, version)
  if (log !== null) use({ name: 'log', close: () => log.close() })
  const onError = (error: Error): void => report(error, { part: 'console' })
  const operations = services.map((service) => service.operations).join(',')
  return (app, connections) => {
    const fetching = fetchThrough(connections, importTimeoutMs)
    const operate = registerOperate(app, {
      ...{ log, clock, services, connections, experimentsFile: elsewhere, blender: blenderSchema.parse({}) },
      models: log === null ? null : modelInspections({ log, clock, onError }, createLogArtefactStore({ log, onError })),
      foreign: readForeignSettings({}),
      openDestination: ({ key, signal, onError }) =>
        openServicesDestination(
          admin ?? events,
          { ...(operations !== '' && { operations }), keys: key === null ? {} : { 'freshet-key': key }, fetching },
          {
            write: () => undefined,
            progress: { write: (text) => onError(new Error(text)) },
            nowMs: () => clock.now(),
            signal,
          },
        ),
      imports: {
        folder: newUploadsFolder(clock.now()),
        newId: () => Buffer.from(newSecret()).toString('hex').slice(0, 32),
        pause: () => clock.sleep(0),
      },
      room: createByteRoom(uploadBytes, () => clock.now()),
      onError,
    })
    use({ name: 'console imports', close: () => operate.close() })
  }
}
