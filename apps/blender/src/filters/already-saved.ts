import { hash32 } from '@freshet/domain/hash'
import { keep, type Filter } from '@freshet/pipeline/stage'
import type { CandidateColumns } from '../candidates.ts'
import { addHash, createHashBits, mayContain } from '../hash-bits.ts'
import type { UserContext } from '../hydrators/user-state.ts'
import type { FeedRequest } from '../request.ts'

/**
 * Removes pins that the user has saved from the home feed, even as repeats. It knows the saves among the user's recent
 * actions that the user has not taken back; the `seen` filter knows older ones as seen, so they can come as repeats.
 */
export function alreadySavedFilter(): Filter<FeedRequest & UserContext, CandidateColumns> {
  return {
    kind: 'filter',
    name: 'already-saved',
    policy: 'fail-closed',
    reasons: ['already-saved'],
    prepare: ({ surface, evaluation, user: { saved } }, { pinIds, pinHashes }) => {
      if (surface !== 'home' || saved.size === 0 || evaluation?.allowRepeats === true) return null
      const bits = createHashBits(saved.size)
      for (const pinId of saved) addHash(bits, hash32(pinId))
      return (row) => (mayContain(bits, pinHashes[row]!) && saved.has(pinIds[row]!) ? 0 : keep)
    },
  }
}
