import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'

/** Where the parts of `TlsMaterial` are; null: not given. */
export interface TlsFileNames {
  readonly certFile: string | null
  readonly keyFile: string | null
  readonly clientCaFile: string | null
  readonly caFile: string | null
}

/** The contents of the files, PEM; null: there is no such file. */
export interface TlsMaterial {
  /** The certificate of this process. */
  readonly cert: string | null
  readonly key: string | null
  /** The authorities of clients. */
  readonly clientCa: string | null
  /** The authorities of the servers that this process calls. */
  readonly ca: string | null
}

/** A key of the settings, and what is wrong with its value. */
export type TlsProblem = readonly [key: keyof TlsFileNames, problem: string]

const partOf = { certFile: 'cert', keyFile: 'key', clientCaFile: 'clientCa', caFile: 'ca' } as const

/** Reads the files. Those that cannot be read are null in the material and named in the problems. */
export function readTlsFiles(names: TlsFileNames): {
  readonly material: TlsMaterial
  readonly problems: readonly TlsProblem[]
} {
  const material = { cert: null, key: null, clientCa: null, ca: null } as Record<keyof TlsMaterial, string | null>
  const problems: TlsProblem[] = []
  for (const name of Object.keys(partOf) as (keyof TlsFileNames)[]) {
    const file = names[name]
    if (file === null) continue
    try {
      material[partOf[name]] = readFileSync(file, 'utf8')
    } catch (error) {
      problems.push([name, `cannot be read: ${(error as Error).message}`])
    }
  }
  return { material, problems }
}

/** Why contents cannot be used; empty: they can. A certificate that has expired is not a problem here: it shows in `freshet_tls_certificate_expiry_timestamp_seconds`. */
export function tlsProblems({ cert, key, clientCa, ca }: TlsMaterial): readonly TlsProblem[] {
  const problems: TlsProblem[] = []
  const attempt = (name: keyof TlsFileNames, what: string, use: () => unknown): void => {
    try {
      use()
    } catch (error) {
      problems.push([name, `${what}: ${(error as Error).message}`])
    }
  }
  for (const [name, text] of [
    ['certFile', cert],
    ['clientCaFile', clientCa],
    ['caFile', ca],
  ] as const) {
    if (text !== null) attempt(name, 'contains no PEM certificate that can be read', () => certificatesIn(text))
  }
  if (problems.length === 0 && cert !== null && key !== null)
    attempt('keyFile', 'does not belong to tls.certFile', () => createSecureContext({ cert, key }))
  return problems
}

/** The certificates of a PEM text. Throws if it contains none, or one that cannot be read. */
export function certificatesIn(text: string): readonly X509Certificate[] {
  const found = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
  if (found.length === 0) throw new Error('no BEGIN CERTIFICATE')
  return found.map((each) => new X509Certificate(each))
}
