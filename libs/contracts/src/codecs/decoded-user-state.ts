import type { UserState } from '@freshet/domain/user-state'
import { decodeUserState } from './user-state.ts'

const decoded = new WeakMap<Uint8Array, UserState>()

/**
 * A user's state from stored bytes, decoded once for as long as somebody holds these very bytes: in one process blender
 * and ranker are given the same. The bytes must not change. Throws CODEC_INVALID.
 */
export function decodedUserState(bytes: Uint8Array): UserState {
  let state = decoded.get(bytes)
  if (state === undefined) {
    state = decodeUserState(bytes)
    decoded.set(bytes, state)
  }
  return state
}
