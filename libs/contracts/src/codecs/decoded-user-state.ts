import type { UserState } from '@freshet/domain/user-state'
import { decodeUserState } from './user-state.ts'

const decoded = new WeakMap<Uint8Array, UserState>()

/**
 * Decodes a user's state from stored bytes. It decodes the same byte array only once, since blender and ranker in one
 * process get the same array. The bytes must not change. Throws CODEC_INVALID.
 */
export function decodedUserState(bytes: Uint8Array): UserState {
  let state = decoded.get(bytes)
  if (state === undefined) {
    state = decodeUserState(bytes)
    decoded.set(bytes, state)
  }
  return state
}
