import { hash32 } from '@freshet/domain/hash'
import type { UtilityTuning } from './config.ts'

/**
 * The factors on a user's heads: exp(±sigma) each. The sign is a hash of salt, user and head, so a user keeps it, and the signs
 * of two heads are independent. Empty: no tuning, no user, or a user outside of the share.
 */
export function tunedFactors({ sigma, share, heads, salt }: UtilityTuning, userId: string): Map<string, number> {
  if (sigma === 0 || userId === '' || hash32(`${salt}/${userId}`) / 2 ** 32 >= share) return new Map()
  return new Map(
    heads.map((head) => [head, Math.exp(hash32(`${salt}/${userId}/${head}`) >>> 31 === 1 ? sigma : -sigma)]),
  )
}
