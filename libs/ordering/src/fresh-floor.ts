import { hash32, mix32 } from '@freshet/domain/hash'
import { mulberry32 } from '@freshet/domain/mulberry32'
import type { Rule } from './place-strictly.ts'
import { drawBeta } from './beta.ts'

/** What is known about the new candidates of a pool. */
export interface Newcomers {
  /** 1: the candidate is new. */
  readonly isNew: Uint8Array
  /** 1: it is new, and it may be lifted. */
  readonly mayRise: Uint8Array
}

/** The floor of a page for new candidates. */
export interface FreshFloor extends Newcomers {
  readonly pageSize: number
  /** Share of the places of a page, in [0, 1]. */
  readonly share: number
  /** Which candidates to lift first, by candidate: the highest first. */
  readonly draws: Float32Array
  /** Number of places that are filled. */
  readonly places: number
}

/**
 * The rule that a page has its share of new candidates, as long as some may rise: after i places at least ⌊share · i⌋. Those with
 * the highest draws are lifted; new ones that come by their utility count too.
 */
export function freshFloorRule({ isNew, mayRise, pageSize, share, draws, places }: FreshFloor): Rule {
  const lifted = winners(mayRise, draws, Math.ceil(share * places))
  let left = lifted.reduce((sum, wins) => sum + wins, 0)
  let place = 0
  let count = 0
  const isShort = () => left > 0 && count < Math.floor(share * (place + 1))
  return {
    allows: (candidate) => !isShort() || lifted[candidate] === 1,
    get demands() {
      return isShort()
    },
    place(candidate) {
      left -= lifted[candidate]!
      count += isNew[candidate]!
      if (++place < pageSize) return
      place = 0
      count = 0
    },
  }
}

/** 1 for the `count` candidates with the highest draws among those that may rise. */
function winners(mayRise: Uint8Array, draws: Float32Array, count: number): Uint8Array {
  const best = Array.from(mayRise.keys())
    .filter((candidate) => mayRise[candidate] === 1)
    .sort((a, b) => draws[b]! - draws[a]! || a - b)
  const wins = new Uint8Array(mayRise.length)
  for (const candidate of best.slice(0, count)) wins[candidate] = 1
  return wins
}

/** What is believed about how often users like a candidate: a mean, and how many impressions the belief is worth. */
export interface Beliefs {
  readonly means: Float32Array
  readonly strengths: Float32Array
}

/**
 * Thompson sampling: draws from the Beta distribution that is believed for each candidate that may rise, with parameters
 * `mean · strength` and `(1 − mean) · strength`. So a candidate that is little known wins now and then, and one that is known to be bad
 * rarely does. Others have 0.
 */
export function drawBeliefs(mayRise: Uint8Array, { means, strengths }: Beliefs, seeds: Uint32Array): Float32Array {
  return Float32Array.from(mayRise, (rises, candidate) => {
    if (rises === 0) return 0
    const mean = Math.min(1 - 1e-4, Math.max(1e-4, means[candidate]!))
    const strength = Math.max(1e-3, strengths[candidate]!)
    return drawBeta(mean * strength, (1 - mean) * strength, mulberry32(mix32(seeds[candidate]!)))
  })
}

/** Whether a creator, given as `hash32`, is held out: its new pins are never lifted, so that the effect of lifting can be measured. */
export function isHeldOutCreator(creator: number, share: number, salt: string): boolean {
  return mix32(creator ^ hash32(salt)) / 2 ** 32 < share
}
