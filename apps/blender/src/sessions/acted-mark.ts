import { mix32 } from '@freshet/domain/hash'
import type { UserState } from '@freshet/domain/user-state'

/**
 * A 32-bit mark of everything that a user did, apart from what they were shown: it changes with every action, follow, block and hide,
 * and with none of the impressions. Two states have the same mark by accident with probability 1 / 4e9.
 */
export function actedMark({ recent, relations }: Pick<UserState, 'recent' | 'relations'>): number {
  let mark = recent.pinIds.length
  for (let row = 0; row < recent.actions.length; row++) {
    const action = recent.actions[row] as number
    mark = mix32(mark ^ timeMark(recent.atMs[row] as number) ^ Math.imul(action + 1, 0x9e3779b1))
  }
  // In no particular order: each relation adds a number of its own.
  let sum = 0
  for (const { id, atMs, stands } of relations.newest.values())
    sum = (sum + mix32(timeMark(atMs) ^ id.length ^ (stands ? 0x5bd1e995 : 0))) >>> 0
  return mix32(mark ^ sum)
}

function timeMark(atMs: number): number {
  return mix32(Math.floor(atMs / 0x100000000) ^ mix32(atMs % 0x100000000))
}
