import { randomBytes } from 'node:crypto'

/** A new random secret of 32 bytes. */
export function newSecret(): Uint8Array {
  return new Uint8Array(randomBytes(32))
}
