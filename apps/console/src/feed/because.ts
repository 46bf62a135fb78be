import type { Seed, SourceSeeds } from '@freshet/client/browser'

/** The user's own actions that the sources of a pin started from, as the services report it. */
export interface Because {
  /** The action that counts most. */
  readonly seed: Seed
  /** The source that started from it. */
  readonly source: string
  /** The other actions that it started from, in the order in which they count. */
  readonly others: readonly Seed[]
}

/** How old a save may be to be named on a card, ms. */
const namedForMs = 15 * 60_000

/** The actions of the first source of a pin that started from some; null: none did. Sources come in the order in which they matter. */
export function becauseOf(sources: readonly string[], seeds: readonly SourceSeeds[]): Because | null {
  for (const source of sources) {
    const [seed, ...others] = seeds.find((each) => each.source === source)?.seeds ?? []
    if (seed) return { seed, source, others }
  }
  return null
}

/**
 * The save to name on a card: the one that counts most in a source of the pin, if it is recent. A source that started from other actions
 * too may have found the pin by them: then only a pin of the same topic names the save.
 */
export function savedBefore(
  pin: { readonly pinId: string; readonly sources: readonly string[] },
  seeds: readonly SourceSeeds[],
  { nowMs, haveSameTopic }: { readonly nowMs: number; readonly haveSameTopic: (one: string, other: string) => boolean },
): Seed | null {
  for (const source of pin.sources) {
    const [seed, ...others] = seeds.find((each) => each.source === source)?.seeds ?? []
    if (!seed || seed.action !== 'SAVE' || nowMs - seed.occurredAtMs > namedForMs) continue
    if (others.length === 0 || haveSameTopic(seed.pinId, pin.pinId)) return seed
  }
  return null
}
