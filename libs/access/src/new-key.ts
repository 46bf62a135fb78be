import { hash } from 'node:crypto'
import { keyPrefixes, type KeyEntry, type KeyKind } from './key-file.ts'

const idAlphabet = 'abcdefghijklmnopqrstuvwxyz234567'
const secretAlphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const idLength = 10
/** 43 of 62 characters: 256 bits. */
const secretLength = 43

/** What a new key is for. Times in milliseconds since the epoch. */
export interface NewKey {
  readonly kind: KeyKind
  readonly project: string
  readonly origins: readonly string[]
  readonly createdAtMs: number
  /** null: it does not expire. */
  readonly expiresAtMs: number | null
}

/** Makes a key: its text, which is shown once, and its entry in the key file. `random`: secure random bytes. */
export function newKey(
  { kind, project, origins, createdAtMs, expiresAtMs }: NewKey,
  random: (bytes: number) => Uint8Array,
): { readonly text: string; readonly entry: KeyEntry } {
  const id = `${keyPrefixes[kind]}_${draw(idAlphabet, idLength, random)}`
  const text = `${id}_${draw(secretAlphabet, secretLength, random)}`
  const common = {
    id,
    project,
    createdAt: new Date(createdAtMs).toISOString(),
    expiresAt: expiresAtMs === null ? null : new Date(expiresAtMs).toISOString(),
    revokedAt: null,
  }
  if (kind === 'server') return { text, entry: { kind, ...common, secret: text } }
  const sha256 = hash('sha256', text, 'hex')
  return {
    text,
    entry: kind === 'write' ? { kind, ...common, sha256, origins: [...origins] } : { kind, ...common, sha256 },
  }
}

/** Characters of an alphabet, each equally likely. */
function draw(alphabet: string, length: number, random: (bytes: number) => Uint8Array): string {
  const limit = 256 - (256 % alphabet.length)
  let text = ''
  while (text.length < length) {
    for (const byte of random(length))
      if (byte < limit && text.length < length) text += alphabet.charAt(byte % alphabet.length)
  }
  return text
}
