import { encodeUserState } from '@freshet/contracts/codecs/user-state'
import { maxHeadersBytes } from '@freshet/contracts/headers'
import { maxRecordBytes } from '@freshet/contracts/topics'
import { mergeUsers, type MergeLimits } from '@freshet/domain/merge-users'
import { newUserState, type UserState } from '@freshet/domain/user-state'

/** Room for the ids and other fields of a handover. */
const frameBytes = 16_384
/** Bytes of a state in a handover at most: one record of the log holds it. */
const maxHandoverBytes = maxRecordBytes - maxHeadersBytes - frameBytes

/** The bytes of a state for a handover. A state that is too large leaves out the oldest relations that it knows by hash only. */
export function handoverBytes(state: UserState, limits: MergeLimits, most = maxHandoverBytes): Uint8Array {
  let bytes = encodeUserState(state, limits)
  let keeps = state.relations.older.reduce((longest, { hashes }) => Math.max(longest, hashes.length), 0)
  while (bytes.length > most && keeps > 1) {
    keeps = Math.ceil(keeps / 2)
    const smaller = mergeUsers(newUserState, state, { ...limits, maxOlderRelations: keeps })
    bytes = encodeUserState({ ...smaller, merges: state.merges }, limits)
  }
  return bytes
}
