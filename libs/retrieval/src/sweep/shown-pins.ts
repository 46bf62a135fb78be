import { filterBits } from '@freshet/domain/features/seen'

import type { Catalogue } from '../views/catalogue.ts'
import type { ShownPins } from '../question.ts'
import { createNumberTable } from '@freshet/columns/number-table'

const bits = 2 ** filterBits
const mask = bits - 1

/** What a user was shown, for one request at a time: whether it was this pin, and when last. */
export interface ShownView {
  /** Takes over what the next request says; null: nothing was shown. */
  begin(shown: ShownPins | null): void
  has(row: number): boolean
  /**
   * When the pin was shown last, in seconds; 0: it was not. For pins of which only the generation is known it is the place
   * of that, from 1, which is before all times.
   */
  lastAtSeconds(row: number): number
}

/** A view over a catalogue's rows. A request costs time in proportion to what it says, and a look at a pin the same whatever that is. */
export function createShownView(catalogue: Pick<Catalogue, 'hashOf' | 'keyOf'>): ShownView {
  const seen = createNumberTable()
  const served = createNumberTable()
  // Only filled where somebody asks when a pin was shown.
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
