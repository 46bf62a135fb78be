import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent, type AgentOptions } from 'node:https'
import type { Tls } from '@freshet/service/tls'

/** A server whose calls the console passes on. */
export interface Upstream {
  /** The name in errors: `events`, `feeds`, `admin`, or that of a service. */
  readonly name: string
  /** Its address without a slash at the end. */
  readonly url: string
}

/** The servers whose calls the console passes on. The console calls no others. */
export interface Upstreams {
  readonly events: Upstream
  readonly feeds: Upstream
  /** Where admin calls go; in an open process that is `events`. null: the console knows no such server. */
  readonly admin: Upstream | null
  /** The operations servers by the names of their services. */
  readonly operations: ReadonlyMap<string, Upstream>
}

/** The connections to upstreams. They are kept, up to a bound, because a page asks often. */
export interface Connections {
  readonly http: HttpAgent
  readonly https: HttpsAgent
  close(): void
}

/** The certificates for the calls to upstreams. */
export interface Certificates {
  read(): AgentOptions
  /** Calls `listener` when they have changed; returns what ends that. */
  onChange(listener: () => void): () => void
}

const kept = { keepAlive: true, maxSockets: 128, maxFreeSockets: 16 } as const

/** Opens the connections. `certificates`: null: those of the system. */
export function openConnections(certificates: Certificates | null): Connections {
  const http = new HttpAgent(kept)
  const https = new HttpsAgent({ ...kept, ...certificates?.read() })
  const end = certificates?.onChange(() => {
    Object.assign(https.options, certificates.read())
  })
  return {
    http,
    https,
    close() {
      end?.()
      http.destroy()
      https.destroy()
    },
  }
}

/** The certificates with which this process calls other services; null: it has none. */
export function certificatesForOthers(tls: Pick<Tls, 'client'>): Certificates | null {
  const client = tls.client()
  if (client === null) return null
  return {
    onChange: client.onChange,
    read() {
      const { ca, cert, key } = client.material()
      return { ...(ca !== null && { ca }), ...(cert !== null && { cert }), ...(key !== null && { key }) }
    },
  }
}

/** The certificates with which this process calls its own servers, whatever names they are for; null: it speaks no TLS. */
export function certificatesForItself(tls: Pick<Tls, 'server'>): Certificates | null {
  const server = tls.server('http')
  if (server === null) return null
  return {
    onChange: server.onChange,
    read() {
      const { cert = '', key = '' } = server.context()
      // It trusts this one certificate, so that the name in it proves nothing more.
      return { cert, key, ca: cert, allowPartialTrustChain: true, checkServerIdentity: () => undefined }
    },
  }
}
