import { newSecret } from '@freshet/adapters/system/secret'
import type { RunningRanker } from '@freshet/ranker/ranker'
import { createByteRoom } from '@freshet/service/byte-room'
import type { ServiceContext } from '@freshet/service/lifecycle'
import type { FastifyInstance } from 'fastify'
import { openEmbeddedDestination, type EmbeddedImport } from '../console/operate/import/embedded-destination.ts'
import { newUploadsFolder } from '../console/operate/import/uploads.ts'
import type { OperatePorts } from '../console/operate/ports.ts'
import { registerOperate } from '../console/operate/register.ts'
import type { Connections } from '../console/proxy/upstreams.ts'
import type { DevConfig } from './config.ts'
import { reachable } from './start-console.ts'

/** Bytes of uploads that may be under way. */
const uploadBytes = 8 << 20

/** Adds the operator's side to the console of `freshet dev`, which has log and catalogue in the same process. */
export function operateOf(
  { config, report, use, tls, operationsPort }: ServiceContext<DevConfig>,
  {
    ranker,
    models,
    pause,
    ...parts
  }: Omit<EmbeddedImport, 'isKnown'> & {
    readonly ranker: Pick<RunningRanker, 'known'>
    readonly models: OperatePorts['models']
    readonly pause: () => Promise<void>
  },
): (app: FastifyInstance, connections: Connections) => void {
  const { log, clock } = parts
  const scheme = tls.server('operations') === null ? 'http' : 'https'
  return (app, connections) => {
    const operate = registerOperate(app, {
      log,
      clock,
      services: [{ name: 'freshet', operations: `${scheme}://${reachable(config.operations.host)}:${operationsPort}` }],
      connections,
      models,
      experimentsFile: config.blender.experimentsFile ?? null,
      blender: config.blender,
      foreign: config,
      openDestination: (call) =>
        openEmbeddedDestination({ ...parts, isKnown: (pinId) => ranker.known(pinId).pin !== null }, call),
      imports: {
        folder: newUploadsFolder(clock.now()),
        newId: () => Buffer.from(newSecret()).toString('hex').slice(0, 32),
        pause,
      },
      room: createByteRoom(uploadBytes, () => clock.now()),
      onError: (error) => report(error, { part: 'console' }),
    })
    use({ name: 'console imports', close: () => operate.close() })
  }
}
