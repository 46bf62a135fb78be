import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { idOfKey, keyPrefixes, type KeyEntry, type KeyKind } from '@freshet/access/key-file'
import { newKey } from '@freshet/access/new-key'
import { newToken } from '@freshet/access/new-token'
import { emptySha256, sign } from '@freshet/access/signature'
import type { Clock } from '@freshet/domain/clock'
import { ArgumentError } from '../arguments.ts'
import type { Terminal } from '../operations/terminal.ts'
import { changeKeys, keyOf, readKeys } from './key-files.ts'

/** What the commands use of the system. */
export interface KeySystem {
  readonly clock: Pick<Clock, 'now'>
  /** Secure random bytes. */
  readonly random: (bytes: number) => Uint8Array
}

/** The file of keys. */
export interface KeyFileArguments {
  readonly file: string
}

const kinds = Object.keys(keyPrefixes) as KeyKind[]
const hourMs = 3_600_000
const units: Readonly<Record<string, number>> = { m: 60_000, h: hourMs, d: 24 * hourMs }

/** `freshet keys create KIND`: adds a key to the file and prints it, once. */
export function runKeysCreate(
  kind: string,
  given: KeyFileArguments & {
    readonly project: string
    readonly origin?: readonly string[]
    readonly expires?: string
  },
  { clock, random, ...terminal }: Terminal & KeySystem,
): void {
  if (!kinds.includes(kind as KeyKind)) throw new ArgumentError(`the kind is ${kind}; give one of ${kinds.join(', ')}`)
  const origins = given.origin ?? []
  if (origins.length > 0 && kind !== 'write')
    throw new ArgumentError('--origin is for write keys: pages must not hold keys of other kinds')
  const createdAtMs = clock.now()
  const expiresAtMs = given.expires === undefined ? null : createdAtMs + duration(given.expires, '--expires')
  const key = newKey({ kind: kind as KeyKind, project: given.project, origins, createdAtMs, expiresAtMs }, random)
  changeKeys(given.file, { isNew: true }, ({ keys }) => ({ keys: [...keys, key.entry] }))
  announce(key, given.file, terminal)
}

/** `freshet keys list`: prints the keys without anything secret. */
export function runKeysList(
  given: KeyFileArguments & { readonly json?: boolean },
  { clock, write }: Terminal & KeySystem,
): void {
  const nowMs = clock.now()
  const rows = readKeys(given.file).keys.map((key) => ({
    id: key.id,
    kind: key.kind,
    project: key.project,
    state: stateOf(key, nowMs),
    createdAt: key.createdAt,
    expiresAt: key.expiresAt,
    origins: key.kind === 'write' ? key.origins : [],
  }))
  if (given.json === true) return write(`${JSON.stringify(rows)}\n`)
  for (const { id, kind, project, state, expiresAt, origins } of rows) {
    const about = [...(expiresAt === null ? [] : [`expires ${expiresAt}`]), ...origins].join(' ')
    write(`${id}  ${kind.padEnd(8)}  ${state.padEnd(7)}  ${project}  ${about}`.trimEnd() + '\n')
  }
}

/** `freshet keys revoke ID`: the key no longer works. */
export function runKeysRevoke(id: string, given: KeyFileArguments, { clock, write }: Terminal & KeySystem): void {
  const revokedAt = new Date(clock.now()).toISOString()
  changeKeys(given.file, {}, (file) => {
    const key = keyOf(file, id)
    return { keys: file.keys.map((each) => (each === key ? { ...each, revokedAt } : each)) }
  })
  write(`revoked: ${id}; processes that read ${given.file} refuse it within access.reloadIntervalMs\n`)
}

/** `freshet keys rotate ID`: adds a key like this one, and lets this one expire after a while in which both work. */
export function runKeysRotate(
  id: string,
  given: KeyFileArguments & { readonly overlap: string },
  { clock, random, ...terminal }: Terminal & KeySystem,
): void {
  const createdAtMs = clock.now()
  const endsAtMs = createdAtMs + duration(given.overlap, '--overlap')
  const { key, expiresAt } = changeKeys(given.file, {}, (file) => {
    const old = keyOf(file, id)
    if (stateOf(old, createdAtMs) !== 'valid')
      throw new ArgumentError(`${id} is ${stateOf(old, createdAtMs)}; create a new key`)
    const expiresAt = new Date(
      Math.min(endsAtMs, old.expiresAt === null ? Infinity : Date.parse(old.expiresAt)),
    ).toISOString()
    const lifeMs = old.expiresAt === null ? null : Date.parse(old.expiresAt) - Date.parse(old.createdAt)
    const key = newKey(
      {
        kind: old.kind,
        project: old.project,
        origins: old.kind === 'write' ? old.origins : [],
        createdAtMs,
        expiresAtMs: lifeMs === null ? null : createdAtMs + lifeMs,
      },
      random,
    )
    const keys = file.keys.map((each) => (each === old ? { ...each, expiresAt } : each))
    return { keys: [...keys, key.entry], key, expiresAt }
  })
  terminal.progress.write(`${id} works until ${expiresAt}\n`)
  announce(key, given.file, terminal)
}

/** `freshet keys token USER`: signs a read token with the shared secret, for trying. */
export async function runKeysToken(
  userId: string,
  given: {
    readonly secretFile: string
    readonly expires: string
    readonly issuer?: string
    readonly audience?: string
  },
  { clock, write }: Terminal & KeySystem,
): Promise<void> {
  const issuedAtMs = clock.now()
  const expiresAtMs = issuedAtMs + duration(given.expires, '--expires')
  const { issuer, audience } = given
  const secret = readFileSync(given.secretFile, 'utf8')
  write(`${await newToken({ userId, issuedAtMs, expiresAtMs, issuer, audience }, secret)}\n`)
}

/** `freshet keys sign PATH`: prints the headers of a request that a server key signs, as options of curl. */
export function runKeysSign(
  path: string,
  given: { readonly secretFile: string; readonly method: string; readonly body?: string },
  { clock, write }: Terminal & KeySystem,
): void {
  const secret = readFileSync(given.secretFile, 'utf8').trim()
  const id = idOfKey(secret)
  if (id === null || !secret.startsWith('fs_'))
    throw new ArgumentError(`--secret-file is ${given.secretFile}, which does not hold a server key (fs_…)`)
  const bodySha256 = given.body === undefined ? emptySha256 : hash('sha256', readFileSync(given.body), 'hex')
  const time = String(clock.now())
  const signature = sign(secret, time, { method: given.method.toUpperCase(), path, bodySha256 })
  write(`-H 'freshet-key: ${id}' -H 'freshet-time: ${time}' -H 'freshet-signature: ${signature}'\n`)
}

function announce(
  { text, entry }: ReturnType<typeof newKey>,
  file: string,
  { write, progress }: Pick<Terminal, 'write' | 'progress'>,
): void {
  progress.write(
    `${entry.id}, a key of the kind ${entry.kind}, is in ${file}. This is the only time that it is shown:\n`,
  )
  write(`${text}\n`)
}

function stateOf({ revokedAt, expiresAt }: KeyEntry, nowMs: number): 'revoked' | 'expired' | 'valid' {
  if (revokedAt !== null) return 'revoked'
  return expiresAt !== null && nowMs >= Date.parse(expiresAt) ? 'expired' : 'valid'
}

/** Reads `30m`, `12h` or `90d` as milliseconds. */
function duration(text: string, name: string): number {
  const [, count = '', unit = ''] = /^(\d{1,5})([mhd])$/.exec(text) ?? []
  const ms = Number(count) * (units[unit] ?? 0)
  if (ms > 0) return ms
  throw new ArgumentError(`${name} is ${text}; give minutes, hours or days such as 30m, 12h or 90d`)
}
