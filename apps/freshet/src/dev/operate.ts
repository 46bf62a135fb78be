import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newSecret } from '@freshet/adapters/system/secret'
import type { RunningRanker } from '@freshet/ranker/ranker'
import { createByteRoom } from '@freshet/service/byte-room'
import type { ServiceContext } from '@freshet/service/lifecycle'
import type { FastifyInstance } from 'fastify'
import { openEmbeddedDestination, type EmbeddedImport } from '../console/operate/import/embedded-destination.ts'
import { registerOperate } from '../console/operate/register.ts'
import type { DevConfig } from './config.ts'

/** Bytes of uploads that may be under way. */
const uploadBytes = 8 << 20

/** Adds the operator's side to the console of `freshet dev`, which has log and catalogue in the same process. */
export function operateOf(
  { config, report, use, tls, operationsPort }: ServiceContext<DevConfig>,
  {
    ranker,
    pause,
    ...parts
  }: Omit<EmbeddedImport, 'isKnown'> & {
    readonly ranker: Pick<RunningRanker, 'known'>
    readonly pause: () => Promise<void>
  },
): (app: FastifyInstance) => void {
  const { log, clock } = parts
  const scheme = tls.server('operations') === null ? 'http' : 'https'
  return (app) => {
    const operate = registerOperate(app, {
      log,
      clock,
      services: [{ name: 'freshet', operations: `${scheme}://127.0.0.1:${operationsPort}` }],
      experimentsFile: config.blender.experimentsFile ?? null,
      blender: config.blender,
      openDestination: (call) =>
        openEmbeddedDestination({ ...parts, isKnown: (pinId) => ranker.known(pinId).pin !== null }, call),
      imports: {
        folder: mkdtempSync(join(tmpdir(), 'freshet-console-')),
        newId: () => Buffer.from(newSecret()).toString('hex').slice(0, 32),
        pause,
      },
      room: createByteRoom(uploadBytes, () => clock.now()),
      onError: (error) => report(error, { part: 'console' }),
    })
    use({ name: 'console imports', close: () => operate.close() })
  }
}
