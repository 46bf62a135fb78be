import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'

/** Files of a TLS connection; null: not given. */
export interface TlsFiles {
  /** Certificates of the authorities that are trusted, PEM. */
  readonly caFile: string | null
  /** The client's certificate and its authorities, PEM. */
  readonly certFile: string | null
  readonly keyFile: string | null
  /** The name that the server's certificate must be for. */
  readonly serverName: string | null
}

/** Options for `tls.connect`. */
export interface TlsOptions {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly servername?: string
}

/** Reads the files. Throws if one cannot be read. */
export function readTls(files: TlsFiles): TlsOptions {
  const { caFile, certFile, keyFile, serverName } = files
  return {
    ...(caFile === null ? {} : { ca: readFileSync(caFile, 'utf8') }),
    ...(certFile === null ? {} : { cert: readFileSync(certFile, 'utf8') }),
    ...(keyFile === null ? {} : { key: readFileSync(keyFile, 'utf8') }),
    ...(serverName === null ? {} : { servername: serverName }),
  }
}

/** A password: as given, or the content of a file without the line end; null: none. Throws if the file cannot be read. */
export function readPassword(given: {
  readonly password: string | null
  readonly passwordFile: string | null
}): string | null {
  const { password, passwordFile } = given
  return passwordFile === null ? password : readFileSync(passwordFile, 'utf8').replace(/\r?\n$/, '')
}

/** Problems of the given files, as (key, problem). */
export function tlsFileProblems(files: TlsFiles): readonly (readonly [key: keyof TlsFiles, problem: string])[] {
  const problems: [keyof TlsFiles, string][] = []
  for (const key of ['caFile', 'certFile', 'keyFile'] as const) {
    const file = files[key]
    const problem =
      file === null ? null : fileProblem(file, key === 'keyFile' ? null : (text) => new X509Certificate(text))
    if (problem !== null) problems.push([key, problem])
  }
  const { certFile, keyFile } = files
  if ((certFile === null) !== (keyFile === null)) {
    const missing = certFile === null ? 'certFile' : 'keyFile'
    problems.push([missing, "a client's certificate and its key go together; the other one is set"])
  }
  if (problems.length === 0 && certFile !== null && keyFile !== null) {
    try {
      createSecureContext({ cert: readFileSync(certFile), key: readFileSync(keyFile) })
    } catch (error) {
      problems.push(['keyFile', `does not go with certFile: ${(error as Error).message}`])
    }
  }
  return problems
}

/** Why a file cannot be used; null: it can. */
export function fileProblem(file: string, check: ((text: string) => unknown) | null = null): string | null {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    return `cannot be read: ${(error as Error).message}`
  }
  try {
    check?.(text)
    return null
  } catch (error) {
    return `holds no PEM certificate: ${(error as Error).message}`
  }
}
