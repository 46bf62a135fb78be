import type { PinReading } from '@freshet/domain/features/pin-reading'

interface Entry {
  reading: PinReading | null
  /** The generation in which `reading` was last used. */
  generation: number
}

/**
 * Keeps between half of `max` and `max` of the most recently used readings. It uses two generations, because an exact order
 * of use would need two writes for each candidate of each page.
 */
export function createReadings(max: number): { use(entry: Entry): void } {
  const half = Math.max(1, Math.floor(max / 2))
  let generation = 0
  let young: Entry[] = []
  let old: Entry[] = []
  return {
    use(entry) {
      if (entry.generation === generation) return
      if (young.length >= half) {
        // Readings used since then are in `young` too.
        for (const each of old) if (each.generation < generation) each.reading = null
        old = young
        young = []
        generation++
      }
      entry.generation = generation
      young.push(entry)
    },
  }
}
