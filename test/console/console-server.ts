import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts } from '../harness/ports.ts'
import { createNodeProcess, type ServiceProcess } from '../harness/processes.ts'

/** A `freshet dev` with its page, as a process. */
export interface ConsoleServer {
  readonly url: string
  readonly process: ServiceProcess
  /** Holds its data. */
  readonly folder: string
  /** Stops it and removes its folder. */
  remove(): Promise<void>
}

/** A `freshet dev` on an empty folder and free ports that does not run yet. `samplePins` of the pictures are its catalogue; `more` are further arguments. */
export async function createConsoleServer(samplePins: number, more: readonly string[] = []): Promise<ConsoleServer> {
  const folder = mkdtempSync(join(tmpdir(), 'freshet-console-'))
  const [operations = 0, http = 0, feed = 0, grpc = 0, page = 0] = await freePorts(5)
  const dev = createNodeProcess({
    name: 'freshet',
    arguments: [
      ...[
        '--max-semi-space-size=16',
        'apps/freshet/bin/freshet.js',
        'dev',
        '--data',
        folder,
        '--samplePins',
        String(samplePins),
      ],
      ...['--console.port', String(page), '--operations.port', String(operations), '--ingestHttp.port', String(http)],
      ...['--feedHttp.port', String(feed), '--grpc.port', String(grpc), ...more],
    ],
    env: {},
    ports: { operations, http, grpc },
  })
  return {
    url: `http://127.0.0.1:${page}`,
    ...{ process: dev, folder },
    async remove() {
      await dev.stop(20_000).catch(() => dev.kill())
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
