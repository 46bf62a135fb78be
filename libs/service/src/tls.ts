import type { SecureContextOptions } from 'node:tls'
import { ServiceError } from './errors.ts'
import type { Metrics } from './metrics.ts'
import type { Report } from './reporting.ts'
import { certificatesIn, readTlsFiles, tlsProblems, type TlsMaterial } from './tls-files.ts'
import type { TlsConfig } from './tls-settings.ts'

/** A kind of server, for which clients need a certificate or not. */
export type TlsServerKind = 'grpc' | 'http' | 'operations'

/** The certificates of a process, as its files are now. */
export interface Tls {
  /** How a server of this kind speaks TLS; null: it does not. */
  server(kind: TlsServerKind): TlsServer | null
  /** The certificates with which this process calls other services; null: without TLS. */
  client(): TlsClient | null
  /** Looks at the files now. */
  look(): void
  /** Stops looking at the files. */
  close(): void
}

/** TLS of one server. */
export interface TlsServer {
  /** Whether the server asks clients for a certificate. */
  readonly requestCert: boolean
  /** Whether it refuses clients that have none. */
  readonly rejectUnauthorized: boolean
  /** The certificates for new connections. */
  context(): SecureContextOptions
  /** Calls `listener` when the certificates have changed; returns what ends that. */
  onChange(listener: (context: SecureContextOptions) => void): () => void
}

/** TLS of the calls to other services. */
export interface TlsClient {
  material(): TlsMaterial
  /** Calls `listener` when the certificates have changed; returns what ends that. */
  onChange(listener: (material: TlsMaterial) => void): () => void
}

/** The oldest version of TLS that servers accept. */
const minTlsVersion = 'TLSv1.2'

/**
 * Reads the certificates and follows changes of their files. New connections use the new ones, open connections live on.
 * Files that cannot be used, or that do not go together (yet), change nothing: that is reported once, counted, and looked
 * at again. Throws CONFIG_INVALID if they cannot be used at the start.
 */
export function openTls({
  config,
  metrics,
  report,
}: {
  readonly config: TlsConfig
  readonly metrics: Metrics
  readonly report: Report
}): Tls {
  const reloads = metrics.counter('freshet_tls_reloads_total')
  const expiry = metrics.gauge('freshet_tls_certificate_expiry_timestamp_seconds')
  const listeners = new Set<(material: TlsMaterial) => void>()
  let current = usable()
  /** The contents that were refused last, so that each is reported once. */
  let refused = ''
  show()

  function usable(): TlsMaterial {
    const { material, problems } = readTlsFiles(config)
    const found = problems.length > 0 ? problems : tlsProblems(material)
    if (found.length === 0) return material
    const text = found.map(([key, problem]) => `tls.${key} ${problem}`).join('; ')
    throw new ServiceError('TLS_FILES_UNUSABLE', text)
  }

  function show(): void {
    for (const [name, text] of Object.entries({ cert: current.cert, clientCa: current.clientCa, ca: current.ca })) {
      if (text === null) continue
      const ends = certificatesIn(text).map(({ validTo }) => Date.parse(validTo) / 1_000)
      expiry.set({ file: `${name}File` }, Math.min(...ends))
    }
  }

  function look(): void {
    let next: TlsMaterial
    try {
      next = usable()
    } catch (error) {
      const { message } = error as Error
      if (message === refused) return
      refused = message
      reloads.inc({ outcome: 'refused' })
      report(error, { part: 'tls', outcome: 'left-out' })
      return
    }
    refused = ''
    if (isSame(next, current)) return
    current = next
    reloads.inc({ outcome: 'loaded' })
    show()
    for (const listener of listeners) listener(current)
  }

  const isUsed = config.certFile !== null || config.caFile !== null
  const looking = isUsed ? setInterval(look, config.reloadIntervalMs) : undefined
  looking?.unref()

  const onChange = (listener: (material: TlsMaterial) => void): (() => void) => {
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }
  return {
    server(kind) {
      if (config.certFile === null || (kind === 'operations' && !config.operations)) return null
      const asks =
        config.clientCaFile !== null && (kind === 'grpc' || (kind === 'http' && config.clientCertificates === 'all'))
      return {
        requestCert: asks,
        rejectUnauthorized: asks && config.clientCertificates !== 'optional',
        context: () => contextOf(current),
        onChange: (listener) => onChange((material) => listener(contextOf(material))),
      }
    },
    client: () => (config.caFile === null ? null : { material: () => current, onChange }),
    look,
    close() {
      clearInterval(looking)
      listeners.clear()
    },
  }
}

function contextOf({ cert, key, clientCa }: TlsMaterial): SecureContextOptions {
  return {
    ...(cert !== null && { cert }),
    ...(key !== null && { key }),
    ...(clientCa !== null && { ca: clientCa }),
    minVersion: minTlsVersion,
  }
}

function isSame(a: TlsMaterial, b: TlsMaterial): boolean {
  return a.cert === b.cert && a.key === b.key && a.clientCa === b.clientCa && a.ca === b.ca
}
