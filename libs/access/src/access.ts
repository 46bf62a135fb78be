import type { Clock } from '@freshet/domain/clock'
import { anonymousCaller, openCaller, type Caller } from './caller.ts'
import { readCredentials, unknownKey, type Credentials } from './credentials.ts'
import { AccessError } from './errors.ts'
import { createFingerprints } from './fingerprints.ts'
import { idOfKey, invalid, parseKeyFile } from './key-file.ts'
import { createKeyRing, type KeyRing, type KnownKey } from './key-ring.ts'
import { createReadTokens, type ReadTokens } from './read-tokens.ts'
import { createRemoteKeys } from './remote-keys.ts'
import { isLoopback } from './loopback.ts'
import type { AccessConfig } from './settings.ts'
import { pendingSignature, signatureWindowMs, type PendingSignature } from './signature.ts'
import { readTexts, type Texts } from './watched-texts.ts'

/** Who sends a request, as far as its headers prove it. */
export interface Identified {
  readonly caller: Caller
  /** The signature of a server key, to check once the body is known; null: the caller is proven. */
  readonly signature: PendingSignature | null
  /** Web origins that may send the request; null: any. */
  readonly origins: readonly string[] | null
}

/** Knows the callers of a process. */
export interface Access {
  /** The process has no keys: everybody may make every call. */
  readonly open: boolean
  /** The process is open for this machine only, so its servers answer only for names of this machine. */
  readonly loopbackOnly: boolean
  /** Web origins of the keys. */
  origins(): ReadonlySet<string>
  /** Who sends a request. `valuesOf`: all values of a header. Throws or rejects with an AccessError. */
  identify(valuesOf: (header: string) => readonly string[]): Identified | Promise<Identified>
  /** Throws ACCESS_OPEN_REFUSED if the process must not listen on this address. */
  checkListening(host: string): void
  /** The internal key that the process sends to other services; null: none. */
  internalKey(): string | null
  /** Notes that a server refused a request with a code. */
  refused(server: string, code: string): void
  /** Why the newest keys are not in use; null: they are. */
  warning(): string | null
  /** Ends the watch over the files. */
  close(): void
}

const openIdentity: Identified = { caller: openCaller, signature: null, origins: null }
const anonymousIdentity: Identified = { caller: anonymousCaller, signature: null, origins: null }

/** The access of a process without keys that may listen everywhere, for tests and tools. */
export const openAccess: Access = {
  open: true,
  loopbackOnly: false,
  origins: () => new Set(),
  identify: () => openIdentity,
  checkListening: () => undefined,
  internalKey: () => null,
  refused: () => undefined,
  warning: () => null,
  close: () => undefined,
}

interface State {
  readonly ring: KeyRing
  readonly tokens: ReadTokens | null
  readonly internalKey: string | null
}

/**
 * Reads the files of keys and watches them. Rejects with ACCESS_KEYS_INVALID, which lists the problems of a file. A file that
 * changes to something that cannot be used is reported to `onError`, and the keys from before stay in use.
 */
export async function createAccess(
  config: AccessConfig,
  {
    clock,
    onError,
    onRefused = () => undefined,
  }: {
    readonly clock: Clock
    readonly onError: (error: unknown) => void
    /** Receives every refused request. */
    readonly onRefused?: (server: string, code: string) => void
  },
): Promise<Access> {
  const { jwt } = config
  const hasTokens = jwt.jwksFile !== null || jwt.jwksUrl !== null || jwt.secretFile !== null
  const open = config.keysFile === null && !hasTokens
  const settingProblems = [
    ...(config.open && !open ? ['access.open is true beside keys or read tokens; remove one of them'] : []),
    ...(jwt.jwksFile !== null && jwt.jwksUrl !== null
      ? ['access.jwt has jwksFile and jwksUrl; remove one of them']
      : []),
    // Issuers sign the tokens of all their customers and applications with the same keys.
    ...(jwt.jwksUrl !== null && jwt.audience === null
      ? [
          'access.jwt.jwksUrl is set without access.jwt.audience, so tokens that its keys sign for other applications would be accepted; ' +
            'set access.jwt.audience (FRESHET_ACCESS_JWT_AUDIENCE) to the audience (`aud`) of your tokens',
        ]
      : []),
  ]
  if (settingProblems.length > 0) throw invalid('access', settingProblems)

  const nowMs = (): number => clock.now()
  const remote = jwt.jwksUrl === null ? null : createRemoteKeys(jwt.jwksUrl, { nowMs, onError })
  const stateOf = (texts: Texts<'keys' | 'internalKey' | 'jwks' | 'secret'>): State => ({
    ring: createKeyRing(
      texts.keys === null ? { version: 1, keys: [] } : parseKeyFile(texts.keys, `access.keysFile ${config.keysFile}`),
    ),
    tokens: hasTokens ? createReadTokens(config, { ...texts, remote }, nowMs) : null,
    internalKey: texts.internalKey === null ? null : internalKeyIn(texts.internalKey),
  })
  const files = {
    keys: config.keysFile,
    internalKey: config.internalKeyFile,
    jwks: jwt.jwksFile,
    secret: jwt.secretFile,
  }
  const watched = await readTexts({ files, read: stateOf, clock, intervalMs: config.reloadIntervalMs, onError })
  const seen = createFingerprints({ windowMs: signatureWindowMs, max: config.maxSignatures, nowMs })

  const proven = (credentials: Credentials): Identified => {
    if (credentials.key === null) return anonymousIdentity
    const key = watched.current().ring.find(credentials.key, nowMs())
    if (credentials.basic && key.kind !== 'write') throw unknownKey()
    return { caller: key.caller, signature: signatureOf(key, credentials), origins: key.origins }
  }
  const signatureOf = (key: KnownKey, credentials: Credentials): PendingSignature | null => {
    if (key.secret !== null) return pendingSignature(key.secret, credentials, { nowMs: nowMs(), seen })
    if (credentials.signature === null && credentials.time === null) return null
    throw new AccessError(
      'ACCESS_CREDENTIALS_AMBIGUOUS',
      'a signature came with a key that does not sign; send the id of a server key',
    )
  }

  return {
    open,
    loopbackOnly: open && !config.open,
    origins: () => watched.current().ring.origins,
    identify(valuesOf) {
      if (open) return openIdentity
      const credentials = readCredentials(valuesOf)
      const identity = proven(credentials)
      if (credentials.token === null) return identity
      const { tokens } = watched.current()
      if (tokens === null)
        throw new AccessError('ACCESS_TOKEN_INVALID', 'this process accepts no read tokens (access.jwt); send a key')
      const user = tokens.userOf(credentials.token)
      return typeof user === 'string' ? withUser(identity, user) : user.then((userId) => withUser(identity, userId))
    },
    checkListening(host) {
      if (!open || config.open || isLoopback(host)) return
      throw new AccessError(
        'ACCESS_OPEN_REFUSED',
        `without keys the process does not listen on ${host}, because everybody could erase and change everything. ` +
          'Create keys by `npx freshet keys create admin --file keys.json` and set access.keysFile (FRESHET_ACCESS_KEYS_FILE), ' +
          'or set access.open=true (FRESHET_ACCESS_OPEN=true) to accept every caller',
      )
    },
    internalKey: () => watched.current().internalKey,
    refused: onRefused,
    warning: () => watched.problem() ?? remote?.problem() ?? null,
    close: watched.close,
  }
}

/** Adds the user of a read token. A token without a key makes a reader. */
function withUser(identity: Identified, userId: string): Identified {
  const { caller } = identity
  if (caller.kind === 'anonymous') return { ...identity, caller: { kind: 'reader', keyId: 'reader', userId } }
  return { ...identity, caller: { ...caller, userId } }
}

function internalKeyIn(text: string): string {
  const key = text.trim()
  if (!key.startsWith('fi_') || idOfKey(key) === null)
    throw invalid('access.internalKeyFile', ['it does not hold an internal key, fi_…'])
  return key
}
