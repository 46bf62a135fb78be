import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Files of a private authority and its certificates, created by openssl for one test run. */
export interface Certificates {
  readonly folder: string
  /** The authority. */
  readonly ca: string
  /** An authority that did not sign any of these. */
  readonly strangerCa: string
  /** Certificate and key of servers on this machine. */
  readonly server: { readonly cert: string; readonly key: string; readonly both: string }
  /** Certificate and key of a client. */
  readonly client: { readonly cert: string; readonly key: string }
  /** Signs another certificate by the authority. */
  sign(name: string): { readonly cert: string; readonly key: string }
  remove(): void
}

/** Why this machine cannot create certificates; null: it can. */
export function opensslProblem(): string | null {
  return spawnSync('openssl', ['version']).status === 0 ? null : 'openssl is not on the PATH'
}

/** Creates certificates for `localhost`, `127.0.0.1` and these hosts. */
export function makeCertificates(hosts: readonly string[] = []): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'freshet-certificates-'))
  const at = (name: string): string => join(folder, name)
  const openssl = (...args: readonly string[]): void => {
    execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  }
  const authority = (name: string): string => {
    const subject = ['-subj', `/CN=freshet-test-${name}`]
    openssl(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.pem`,
      ...subject,
    )
    return at(`${name}.pem`)
  }
  const signed = (name: string): { cert: string; key: string } => {
    // PKCS #8, which Kafka reads.
    openssl('genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048', '-out', `${name}.key`)
    openssl('req', '-new', '-key', `${name}.key`, '-subj', `/CN=${name}`, '-out', `${name}.csr`)
    const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'names.conf']
    openssl('x509', '-req', '-in', `${name}.csr`, ...by, '-out', `${name}.pem`)
    return { cert: at(`${name}.pem`), key: at(`${name}.key`) }
  }
  const ips = ['127.0.0.1', ...hosts.filter((host) => /^[\d.]+$/.test(host))]
  const names = ['localhost', ...hosts.filter((host) => !/^[\d.]+$/.test(host))]
  const subjects = [...names.map((name) => `DNS:${name}`), ...ips.map((ip) => `IP:${ip}`)]
  writeFileSync(at('names.conf'), `subjectAltName=${[...new Set(subjects)].join(',')}\n`)
  const ca = authority('ca')
  const strangerCa = authority('stranger')
  const server = signed('server')
  const both = at('server-both.pem')
  writeFileSync(both, [server.key, server.cert, ca].map((file) => readFileSync(file, 'utf8')).join(''))
  return {
    folder,
    ca,
    strangerCa,
    server: { ...server, both },
    client: signed('client'),
    sign: signed,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
