/**
 * The kind of a caller. `open`: the process has no keys, so everybody may do everything. `anonymous`: no credential. `write`: a
 * write key. `server`: a server key with a valid signature. `reader`: a read token alone. `admin`: an admin key. `internal`:
 * another service of ours.
 */
export type CallerKind = 'open' | 'anonymous' | 'write' | 'server' | 'reader' | 'admin' | 'internal'

/** Who sends a request. */
export interface Caller {
  readonly kind: CallerKind
  /** The id of the key, which is not secret; `open`, `anonymous` or `reader` for callers without a key. */
  readonly keyId: string
  /** The subject of the read token, which may come beside a key; null: no token. */
  readonly userId: string | null
}

/** The caller of a process without keys. */
export const openCaller: Caller = Object.freeze({ kind: 'open', keyId: 'open', userId: null })

/** The caller of a request without a credential. */
export const anonymousCaller: Caller = Object.freeze({ kind: 'anonymous', keyId: 'anonymous', userId: null })

/** Whether the caller may ask for any user and set the fields that are for trusted callers. */
export function isTrusted({ kind }: Caller): boolean {
  return kind === 'open' || kind === 'server' || kind === 'admin' || kind === 'internal'
}
