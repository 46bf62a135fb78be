import { hash32, mix32 } from '@freshet/domain/hash'
import { drawBeliefs, isHeldOutCreator, type Newcomers } from '@freshet/ordering/fresh-floor'
import type { PinFacts } from '../pin-facts.ts'
import type { FeedRequest } from '../request.ts'
import type { Pool } from './pool.ts'

/** Which candidates are new. Those whose creator is held out may not rise; a pin without a creator belongs to no arm, and may. */
export function newcomersOf(
  { params, atMs }: Pick<FeedRequest, 'params' | 'atMs'>,
  { pins: { rows, factRows } }: Pool,
  facts: PinFacts,
): Newcomers {
  const { maxAgeMs, holdOutShare, holdOutSalt } = params.ordering.freshFloor
  // A pin of which the time of creation is not known has 0.
  const bornAfter = Math.max(0, (atMs - maxAgeMs) / 1000)
  const inPool = factRows.subarray(0, rows.length)
  const isNew = Uint8Array.from(inPool, (row) => (row >= 0 && facts.createdAtSecondsOf(row) > bornAfter ? 1 : 0))
  const mayRise = isNew.map((flag, candidate) => {
    const creator = flag === 0 ? 0 : facts.creatorOf(factRows[candidate]!)
    return flag === 0 || (creator !== 0 && isHeldOutCreator(creator, holdOutShare, holdOutSalt)) ? 0 : 1
  })
  return { isNew, mayRise }
}

/**
 * Draws which new candidates come first. The belief about a candidate is worth `priorStrength` impressions, and its mean is the
 * probability that the ranker predicts, which knows how often the pin was shown and liked. The blender itself counts neither.
 * The draws depend on the seed, the user, the start of the page session and the pin only.
 */
export function drawsOfNew(
  { params, userId, page }: Pick<FeedRequest, 'params' | 'userId' | 'page'>,
  { pins: { columns, rows }, chances }: Pool,
  { mayRise }: Newcomers,
): Float32Array {
  const { action, priorMean, priorStrength } = params.ordering.freshFloor
  const { high, low } = columns.keys
  const seed = hash32(`${userId}/${page.startedAtMs}/fresh-floor`, params.seed)
  const seeds = Uint32Array.from(rows, (row) => seed ^ mix32(high[row]! ^ mix32(low[row]!)))
  const strengths = new Float32Array(rows.length).fill(priorStrength)
  return drawBeliefs(mayRise, { means: chances(action, priorMean), strengths }, seeds)
}
