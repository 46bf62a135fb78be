import type { Classes } from './classes.ts'
import type { Rule } from './place-strictly.ts'

/** The part of a page that pins of a group of sources take. */
export interface ShareOfPage {
  /** Whether a candidate belongs to the group: 1. */
  readonly members: Uint8Array
  /** Shares of the places, in [0, 1]. */
  readonly min: number
  readonly max: number
}

/** How sources are mixed. */
export interface MixingOptions {
  readonly pageSize: number
  readonly shares: readonly ShareOfPage[]
  /** The source of each candidate. */
  readonly sources: Classes
  /** At most this many candidates of one source in a row; Infinity: any number. */
  readonly maxRun: number
}

/**
 * The rule that each page has its shares of sources, and no source too many places in a row (Pinterest's Smart Feed). A share is
 * kept along the page: after i places, a group has at least ⌊min · i⌋ of them.
 */
export function mixingRule({ pageSize, shares, sources, maxRun }: MixingOptions): Rule {
  const groups = shares.map(({ members, min, max }) => ({
    members,
    min,
    least: Math.floor(min * pageSize),
    most: Math.max(1, Math.ceil(max * pageSize)),
    count: 0,
  }))
  let place = 0
  let last = 0
  let run = 0
  let short = findShort()

  /** The groups that must have the next place. */
  function findShort(): typeof groups {
    const missing = groups.reduce((sum, { least, count }) => sum + Math.max(0, least - count), 0)
    if (missing >= pageSize - place && missing > 0) return groups.filter(({ least, count }) => count < least)
    return groups.filter(({ min, count }) => count < Math.floor(min * (place + 1)))
  }

  return {
    allows(candidate) {
      if (run >= maxRun && sources.ids[candidate] === last) return false
      for (const { members, most, count } of groups) if (members[candidate] === 1 && count >= most) return false
      return short.length === 0 || short.some(({ members }) => members[candidate] === 1)
    },
    get demands() {
      return short.length > 0
    },
    place(candidate) {
      const source = sources.ids[candidate]!
      run = source !== 0 && source === last ? run + 1 : 1
      last = source
      for (const group of groups) group.count += group.members[candidate]!
      if (++place === pageSize) {
        place = 0
        for (const group of groups) group.count = 0
      }
      short = findShort()
    },
  }
}
