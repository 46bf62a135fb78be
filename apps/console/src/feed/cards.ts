import type { PinCard } from '../api/blender.ts'

/** What is known of pins, loaded in batches when something is drawn. */
export interface Cards {
  subscribe(listener: () => void): () => void
  /** Changes with every batch that comes. */
  version(): number
  /** Undefined: not loaded yet. */
  get(pinId: string): PinCard | undefined
  /** The title in the language of the person; the card's own where there is none. */
  titleOf(pinId: string): string
  /** Whether the catalogue answered that it has no such pin. */
  isUnknown(pinId: string): boolean
  /** Loads pins that are missing. Failures are repeated with the next call. */
  want(pinIds: readonly string[]): void
}

/** Where cards come from. */
export interface CardSources {
  readonly loadCards: (pinIds: readonly string[]) => Promise<readonly PinCard[]>
  /** Titles in the language; null: cards' own. */
  readonly loadTitles: ((pinIds: readonly string[]) => Promise<Readonly<Record<string, string>>>) | null
}

const maxBatch = 200
/** About 300 bytes each. */
const maxKept = 5_000

/** Makes the memory of cards for one language. */
export function createCards({ loadCards, loadTitles }: CardSources): Cards {
  const cards = new Map<string, PinCard>()
  const titles = new Map<string, string>()
  const asked = new Set<string>()
  const unknown = new Set<string>()
  const listeners = new Set<() => void>()
  let version = 0

  const load = async (pinIds: readonly string[]): Promise<void> => {
    for (const pinId of pinIds) asked.add(pinId)
    try {
      const naming: Promise<Readonly<Record<string, string>>> = loadTitles
        ? // Titles in another language are an extra: cards have their own.
          loadTitles(pinIds).catch(() => ({}))
        : Promise.resolve({})
      const [found, named] = await Promise.all([loadCards(pinIds), naming])
      for (const pinId of pinIds) unknown.add(pinId)
      for (const card of found) {
        cards.set(card.pinId, card)
        unknown.delete(card.pinId)
      }
      for (const [pinId, title] of Object.entries(named)) titles.set(pinId, title)
      while (cards.size > maxKept) cards.delete(cards.keys().next().value!)
      version++
      for (const listener of listeners) listener()
    } catch {
      // The next call asks again.
    } finally {
      for (const pinId of pinIds) asked.delete(pinId)
    }
  }

  return {
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    version: () => version,
    get: (pinId) => cards.get(pinId),
    titleOf: (pinId) => titles.get(pinId) || cards.get(pinId)?.title || '',
    isUnknown: (pinId) => unknown.has(pinId),
    want(pinIds) {
      const missing = [...new Set(pinIds)].filter((pinId) => !cards.has(pinId) && !asked.has(pinId))
      for (let from = 0; from < missing.length; from += maxBatch) void load(missing.slice(from, from + maxBatch))
    },
  }
}
