import { grownFloat64, nextCapacity } from '@freshet/columns/growth'

/** Numbers up to this are worked out once; few pins are in more lists. */
const mostKept = 16_384

/**
 * How rare a pin is that is in so many of all lists: log(1 + lists / (1 + lists with it)) to the power of `exponent`. Many
 * pins are in equally many lists, so it keeps what it worked out until the number of all lists changes.
 */
export function createRarities(exponent: number): (count: number, all: number) => number {
  let kept = new Float64Array(0)
  let keptAll = -1
  return (count, all) => {
    if (all !== keptAll) {
      kept.fill(0)
      keptAll = all
    }
    if (count > mostKept) return rarity(count, all) ** exponent
    if (count >= kept.length) kept = grownFloat64(kept, nextCapacity(kept.length, count + 1))
    // A rarity of 0 is worked out again.
    return (kept[count] ||= rarity(count, all) ** exponent)
  }
}

function rarity(count: number, all: number): number {
  return Math.log(1 + all / (1 + count))
}
