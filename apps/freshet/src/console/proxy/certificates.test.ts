import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { makeCertificates, opensslProblem, type Certificates as Files } from '@freshet/adapters/testing/certificates'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aConsole } from '../console.fixture.ts'
import { openServicesDestination } from '../../import/into-services.ts'
import { openHttpIntake } from '../../operations/intake.ts'
import { askServices } from '../operate/services.ts'
import { fetchThrough } from './fetch-through.ts'
import {
  certificatesForItself,
  certificatesForOthers,
  openConnections,
  type Certificates,
  type Upstream,
} from './upstreams.ts'

const problem = opensslProblem()
const neverChanges = () => () => undefined

describe.skipIf(problem !== null)('calls by TLS', () => {
  let files: Files
  let upstream: Upstream
  const closing: (() => unknown)[] = []
  const text = (file: string): string => readFileSync(file, 'utf8')

  beforeAll(async () => {
    files = makeCertificates()
    // A name that the certificate is not for, as behind a load balancer.
    const { cert, key } = files.server
    const server = createServer({ cert: text(cert), key: text(key) }, (_request, response) =>
      response.end('{"receipts":[]}'),
    )
    await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve))
    closing.push(() => server.close(), files.remove)
    upstream = { name: 'feeds', url: `https://127.0.0.2:${(server.address() as AddressInfo).port}` }
  })
  afterAll(() => {
    for (const close of closing) close()
  })

  async function statusWith(certificates: Certificates | null, to = upstream): Promise<number> {
    const { app, close } = aConsole({ upstreams: { feeds: to }, certificates })
    const { statusCode } = await app.inject('/api/feeds/v1/feed')
    await close()
    return statusCode
  }
  const itself = (name: 'server' | 'client') =>
    certificatesForItself({
      server: () => ({
        ...{ requestCert: false, rejectUnauthorized: false, onChange: neverChanges },
        context: () => ({ cert: text(files[name].cert), key: text(files[name].key) }),
      }),
    })
  const others = (ca: string) =>
    certificatesForOthers({
      client: () => ({
        onChange: neverChanges,
        material: () => ({ ca: text(ca), cert: null, key: null, clientCa: null }),
      }),
    })

  it('reach the process itself by its own certificate, whatever name that is for, and nobody with another', async () => {
    expect(await statusWith(itself('server'))).toBe(200)
    expect(await statusWith(itself('client'))).toBe(502)
  })

  it('reach others whose certificate an authority signed for their name', async () => {
    const named = { ...upstream, url: upstream.url.replace('127.0.0.2', '127.0.0.1') }
    expect(await statusWith(others(files.ca), named)).toBe(200)
    expect(await statusWith(others(files.strangerCa), named)).toBe(502)
    expect(await statusWith(others(files.ca))).toBe(502)
    expect(await statusWith(null, named)).toBe(502)
  })

  it('import through services whose certificate the own authority signed', async () => {
    const ledger = join(mkdtempSync(join(tmpdir(), 'freshet-import-tls-')), 'ledger')
    closing.push(() => rmSync(dirname(ledger), { recursive: true }))
    const opened = async (ca: string): Promise<unknown> => {
      const connections = openConnections(others(ca))
      const url = upstream.url.replace('127.0.0.2', '127.0.0.1')
      const terminal = {
        ...{ write: () => undefined, progress: { write: () => undefined }, nowMs: () => 0 },
        signal: new AbortController().signal,
      }
      const given = { ledger, operations: url, keys: {}, fetching: fetchThrough(connections, 5_000) }
      try {
        const destination = await openServicesDestination(url, given, terminal)
        await destination.close()
        const intake = openHttpIntake(url, {}, given.fetching)
        return await intake.post('pins', [])
      } finally {
        connections.close()
      }
    }
    expect(await opened(files.ca)).toEqual([])
    await expect(opened(files.strangerCa)).rejects.toMatchObject({ code: 'TARGET_UNREACHABLE' })
  })

  it('ask processes how they are', async () => {
    const stateWith = async (ca: string): Promise<unknown> => {
      const connections = openConnections(others(ca))
      const service = { name: 'ranker', operations: upstream.url.replace('127.0.0.2', '127.0.0.1') }
      const [report] = await askServices([service], connections)
      connections.close()
      return [report?.state, report?.reasons.length]
    }
    expect(await stateWith(files.ca)).toEqual(['ready', 0])
    expect(await stateWith(files.strangerCa)).toEqual(['down', 1])
  })
})
