import type { ScannedEngagement } from '@freshet/contracts/codecs/engagement-scan'
import { decodeUserState, encodeUserState, hasWords } from '@freshet/contracts/codecs/user-state'
import { actOfScan, encodeUserTail } from '@freshet/contracts/codecs/user-tail'
import type { MergedInto } from '@freshet/domain/features/merges'
import { foldUser, newUserState, type UserLimits, type UserState } from '@freshet/domain/user-state'
import type { FoldBefore, FoldResult } from './stage.ts'

/** The values of users while a batch is folded. A value that was not read can only be appended to. */
export interface UserValues {
  /** Adds an accepted engagement. */
  add(key: string, scan: ScannedEngagement): void
  /** The user's state with what was added, if the value was read (`FoldNeeds.keys`) or the batch replaced it; null: none. */
  stateOf(key: string): UserState | null
  /** The user into whom this one was merged; null: none. The value of a merged user is always read. */
  mergedInto(key: string): MergedInto | null
  /** Replaces the state; null: nothing is left of the user. */
  replace(key: string, state: UserState | null): void
  /** What has to be written, and the lengths of tails to keep in memory. */
  written(): Pick<FoldResult<number>, 'puts' | 'appends' | 'deletes' | 'cache'>
}

/** The values as stored before a batch. */
export function createUserValues(
  before: Pick<FoldBefore<number>, 'cached' | 'valueOf'>,
  limits: UserLimits,
  ttlMs: number,
): UserValues {
  const added = new Map<string, ScannedEngagement[]>()
  const bases = new Map<string, UserState | null>()

  const baseOf = (key: string): UserState | null => {
    let base = bases.get(key)
    if (base === undefined) {
      const stored = before.valueOf(key) ?? null
      base = stored === null ? null : decodeUserState(stored)
      bases.set(key, base)
    }
    return base
  }
  const stateOf = (key: string): UserState | null => {
    const pending = added.get(key) ?? []
    const base = baseOf(key)
    return pending.length === 0 ? base : foldUser(base ?? newUserState, pending.map(actOfScan), limits)
  }

  return {
    add(key, scan) {
      const list = added.get(key)
      if (list === undefined) added.set(key, [scan])
      else list.push(scan)
    },
    stateOf,
    mergedInto: (key) => (before.valueOf(key) === undefined ? null : (baseOf(key)?.merges.into ?? null)),
    replace(key, state) {
      bases.set(key, state)
      added.set(key, [])
    },
    written() {
      const result = { puts: [], appends: [], deletes: [], cache: new Map() } as Written
      for (const [key, pending] of added) {
        const stored = before.valueOf(key)
        if (stored === undefined) {
          const tail = encodeUserTail(pending, before.cached(key) ?? 0, limits)
          result.appends.push({ key, value: tail.bytes, ttlMs })
          result.cache.set(key, { entry: tail.tailBytes, bytes: 0 })
          continue
        }
        const state = stateOf(key)
        // The value of a merged user, and one with words, is read before anything is added to it.
        const isRead = state !== null && (state.merges.into !== null || hasWords(state))
        const entry = isRead ? Number.POSITIVE_INFINITY : 0
        result.cache.set(key, { entry, bytes: 0 })
        if (state !== null) result.puts.push({ key, value: encodeUserState(state, limits), ttlMs })
        else if (stored !== null) result.deletes.push(key)
      }
      return result
    },
  }
}

interface Written {
  readonly puts: { readonly key: string; readonly value: Uint8Array; readonly ttlMs: number }[]
  readonly appends: { readonly key: string; readonly value: Uint8Array; readonly ttlMs: number }[]
  readonly deletes: string[]
  readonly cache: Map<string, { readonly entry: number; readonly bytes: number }>
}
