import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { KeyEntry, KeyKind } from '@freshet/access/key-file'
import { newKey } from '@freshet/access/new-key'
import { makeCertificates } from '@freshet/adapters/testing/certificates'
import type { World } from '../harness/cluster.ts'
import { freePorts } from '../harness/ports.ts'
import { createNodeProcess, startFleet, type Fleet, type ServiceProcess } from '../harness/processes.ts'

/** Services in processes of their own, closed by keys and TLS, with `freshet console` in front of them. */
export interface Deployment {
  /** Of the page. */
  readonly url: string
  readonly keys: Readonly<Record<'admin' | 'server', string>>
  readonly fleet: Fleet
  readonly console: ServiceProcess
  /** Admin port of event-ingest. */
  readonly adminUrl: string
  /** PEM file of the authority that signed the certificates of the services. */
  readonly caFile: string
  stop(): Promise<void>
}

/** Starts the five services on a world and the console in front of them; `more` are further arguments of the console. */
export async function startDeployment(
  { brokers, redisUrl, keyPrefix }: World,
  more: readonly string[] = [],
): Promise<Deployment> {
  const folder = mkdtempSync(join(tmpdir(), 'freshet-deployment-'))
  const certificates = makeCertificates()
  const { file, texts } = makeKeys(folder)
  const [adminPort = 0, page = 0, operations = 0] = await freePorts(3)
  const access = { FRESHET_ACCESS_KEYS_FILE: file, FRESHET_ACCESS_INTERNAL_KEY_FILE: texts.internalFile }
  const tls = { FRESHET_TLS_CA_FILE: certificates.ca }
  const fleet = await startFleet({
    ...{ brokers, redisUrl },
    env: {
      ...{ ...access, ...tls, FRESHET_REDIS_KEY_PREFIX: keyPrefix },
      FRESHET_TLS_CERT_FILE: certificates.server.cert,
      FRESHET_TLS_KEY_FILE: certificates.server.key,
    },
    envOf: {
      // A busy machine must not degrade feeds: what is looked at here is what the page shows.
      blender: Object.fromEntries(
        ['USER_STATE', 'AWAIT', 'RETRIEVE', 'RANK', 'RECORD'].map((stage) => [
          `FRESHET_BLENDER_${stage}_BUDGET_MS`,
          '30000',
        ]),
      ),
      'event-ingest': { FRESHET_ADMIN_PORT: String(adminPort), FRESHET_INGEST_MAX_EVENT_AGE_DAYS: '0' },
    },
  })
  const secure = (port: number): string => `https://localhost:${port}`
  const adminUrl = secure(adminPort)
  const console = createNodeProcess({
    name: 'console',
    arguments: [
      ...['apps/freshet/src/main.ts', 'console', '--feeds', secure(fleet.blender.ports.http)],
      ...['--events', secure(fleet['event-ingest'].ports.http), '--admin', adminUrl],
      ...fleet.all.flatMap(({ name, ports }) => ['--operations', `${name}=http://127.0.0.1:${ports.operations}`]),
      ...['--console.port', String(page), '--operations.port', String(operations), ...more],
    ],
    env: { ...access, ...tls, FRESHET_KAFKA_BROKERS: brokers.join(',') },
    ports: { operations, http: page, grpc: 0 },
  })
  const stop = async (): Promise<void> => {
    await console.kill()
    await fleet.stop()
    certificates.remove()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await console.start(120_000)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    url: `http://127.0.0.1:${page}`,
    ...{ keys: { admin: texts.admin, server: texts.server }, fleet, console, adminUrl, stop },
    caFile: certificates.ca,
  }
}

/** A file of keys, with the text of those that tests and services send. */
function makeKeys(folder: string) {
  const entries: KeyEntry[] = []
  const make = (kind: KeyKind): string => {
    const { text, entry } = newKey(
      { kind, project: 'test', origins: [], createdAtMs: Date.now(), expiresAtMs: null },
      randomBytes,
    )
    entries.push(entry)
    return text
  }
  const [admin, server, internal] = [make('admin'), make('server'), make('internal')]
  const [file, internalFile] = [join(folder, 'keys.json'), join(folder, 'internal.key')]
  writeFileSync(file, JSON.stringify({ version: 1, keys: entries }), { mode: 0o600 })
  writeFileSync(internalFile, `${internal}\n`, { mode: 0o600 })
  return { file, texts: { admin, server, internalFile } }
}
