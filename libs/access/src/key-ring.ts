import { hash, timingSafeEqual } from 'node:crypto'
import type { Caller } from './caller.ts'
import { unknownKey } from './credentials.ts'
import { AccessError } from './errors.ts'
import { idOfKey, isServerKeyId, type KeyFile, type KeyKind } from './key-file.ts'

/** A key that the process knows. */
export interface KnownKey {
  readonly kind: KeyKind
  readonly caller: Caller
  /** Web origins that may use the key; null: it is not bound to origins. */
  readonly origins: readonly string[] | null
  /** The secret of a server key; null: another kind. */
  readonly secret: string | null
}

interface Entry extends KnownKey {
  readonly sha256: Buffer | null
  readonly expiresAtMs: number
  readonly revoked: boolean
}

/** The keys of a key file, by id. */
export interface KeyRing {
  /** Finds the key of a request: a key, or the id of a server key. Throws ACCESS_KEY_UNKNOWN, _EXPIRED, _REVOKED or ACCESS_SIGNATURE_MISSING. */
  find(text: string, nowMs: number): KnownKey
  /** All origins of write keys. */
  readonly origins: ReadonlySet<string>
}

/** Makes the ring of a key file. */
export function createKeyRing({ keys }: KeyFile): KeyRing {
  const byId = new Map(
    keys.map((key) => {
      const entry: Entry = {
        kind: key.kind,
        caller: Object.freeze({ kind: key.kind, keyId: key.id, userId: null }),
        origins: key.kind === 'write' ? key.origins : null,
        secret: key.kind === 'server' ? key.secret : null,
        sha256: key.kind === 'server' ? null : Buffer.from(key.sha256, 'hex'),
        expiresAtMs: key.expiresAt === null ? Infinity : Date.parse(key.expiresAt),
        revoked: key.revokedAt !== null,
      }
      return [key.id, entry] as const
    }),
  )
  /** Write keys that were proven: they are public, and a hash for each request would be half of the cost of a check. */
  const provenWriteKeys = new Map<string, Entry>()
  const find = (text: string): Entry | undefined => {
    const known = provenWriteKeys.get(text)
    if (known !== undefined) return known
    const entry = isServerKeyId(text) ? byId.get(text) : proven(byId, text)
    // At most one text for each key: others do not have its hash.
    if (entry?.kind === 'write') provenWriteKeys.set(text, entry)
    return entry
  }
  return {
    origins: new Set(keys.flatMap((key) => (key.kind === 'write' && key.revokedAt === null ? key.origins : []))),
    find(text, nowMs) {
      const entry = find(text)
      if (entry === undefined) throw unknownKey()
      if (entry.revoked) throw new AccessError('ACCESS_KEY_REVOKED', 'the key was revoked; send another key')
      if (nowMs >= entry.expiresAtMs)
        throw new AccessError('ACCESS_KEY_EXPIRED', 'the key has expired; send another key')
      return entry
    },
  }
}

/** The entry of a key whose text hashes to what the file has. */
function proven(byId: ReadonlyMap<string, Entry>, text: string): Entry | undefined {
  const id = idOfKey(text)
  const entry = id === null ? undefined : byId.get(id)
  if (entry?.secret !== undefined && entry.secret !== null) {
    if (!equal(entry.secret, text)) return undefined
    throw new AccessError(
      'ACCESS_SIGNATURE_MISSING',
      'the request has the secret of a server key. Rotate the key by `freshet keys rotate`, and send its id with `freshet-time` and `freshet-signature`',
    )
  }
  if (entry?.sha256 === null || entry?.sha256 === undefined) return undefined
  return timingSafeEqual(hash('sha256', text, 'buffer'), entry.sha256) ? entry : undefined
}

/** Compares texts in constant time. */
function equal(a: string, b: string): boolean {
  return timingSafeEqual(hash('sha256', a, 'buffer'), hash('sha256', b, 'buffer'))
}
