import { filterBits } from '@freshet/domain/features/seen'

import type { Catalogue } from '../views/catalogue.ts'
import type { ShownPins } from '../question.ts'
import { createNumberTable } from '@freshet/columns/number-table'

const bits = 2 ** filterBits
const mask = bits - 1

/** The pins that a user was shown, for one request at a time: whether a pin was shown, and when last. */
export interface ShownView {
  /** Loads the shown pins of the next request; null: the user was shown nothing. */
  begin(shown: ShownPins | null): void
  has(row: number): boolean
  /**
   * When the pin was shown last, in seconds since the epoch; 0: it was not shown. If only the pin's generation is known, the
   * number of that generation, from 1, which is less than all times.
   */
  lastAtSeconds(row: number): number
}

/** Creates a view over a catalogue's rows. `begin` takes time proportional to the request; each look-up takes constant time. */
export function createShownView(catalogue: Pick<Catalogue, 'hashOf' | 'keyOf'>): ShownView {
  const seen = createNumberTable()
  const served = createNumberTable()
  // Filled only when a caller needs the time at which a pin was shown.
  const generations = createNumberTable()
  let generationsFilled = false
  // A bit for each fingerprint of the older generations, cleared one by one after use.
  const anyOlder = new Uint32Array(bits / 32)
  let older: readonly Uint32Array[] = []
  let isEmpty = true

  const isOlder = (fingerprint: number): boolean => (anyOlder[fingerprint >>> 5]! & (1 << (fingerprint & 31))) !== 0

  function fillGenerations(): void {
    generationsFilled = true
    const fingerprints = older.flatMap((generation) => [...generation])
    const places = older.flatMap((generation, at) => new Array<number>(generation.length).fill(at + 1))
    generations.fill(Uint32Array.from(fingerprints), Uint32Array.from(places))
  }

  return {
    begin(shown) {
      for (const generation of older) for (const fingerprint of generation) anyOlder[(fingerprint & mask) >>> 5] = 0
      older = shown?.seenBefore ?? []
      generationsFilled = false
      for (const generation of older) {
        for (const given of generation) {
          const fingerprint = given & mask
          anyOlder[fingerprint >>> 5] = anyOlder[fingerprint >>> 5]! | (1 << (fingerprint & 31))
        }
      }
      seen.fill(shown?.seen ?? none, shown?.seenAtSeconds ?? none)
      served.fill(shown?.served ?? none, shown?.servedAtSeconds ?? none)
      isEmpty = older.length === 0 && seen.size === 0 && served.size === 0
    },
    has(row) {
      if (isEmpty) return false
      const hash = catalogue.hashOf(row)
      return isOlder(hash & mask) || seen.get(hash) > 0 || served.get(catalogue.keyOf(row)) > 0
    },
    lastAtSeconds(row) {
      if (isEmpty) return 0
      const hash = catalogue.hashOf(row)
      const atSeconds = Math.max(seen.get(hash), served.get(catalogue.keyOf(row)))
      if (atSeconds > 0 || !isOlder(hash & mask)) return atSeconds
      if (!generationsFilled) fillGenerations()
      return generations.get(hash & mask)
    },
  }
}

const none = new Uint32Array(0)
