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
  /** The name of a topic in the language of the person; its id in words until it is known. */
  topicOf(topic: string): string
  /** Whether the catalogue answered that it has no such pin. */
  isUnknown(pinId: string): boolean
  /** Loads pins that are missing. Failures are repeated with the next call. */
  want(pinIds: readonly string[]): void
}

/** Where cards come from. */
export interface CardSources {
  readonly loadCards: (pinIds: readonly string[]) => Promise<readonly PinCard[]>
  /** Titles in the language; null: cards' own. */
  readonly loadTitles: Naming | null
  /** Names of topics in the language; null: their ids in words. */
  readonly loadTopics: Naming | null
}

/** Asks for names by id. */
type Naming = (ids: readonly string[]) => Promise<Readonly<Record<string, string>>>

/** The id of a topic or creator as words. */
export function readable(id: string): string {
  const words = id.replaceAll(/[-_/]+/g, ' ').trim()
  return words.charAt(0).toUpperCase() + words.slice(1)
}

const maxBatch = 200
/** About 300 bytes each. */
const maxKept = 5_000

/** Makes the memory of cards for one language. */
export function createCards({ loadCards, loadTitles, loadTopics }: CardSources): Cards {
  const cards = new Map<string, PinCard>()
  const titles = new Map<string, string>()
  const topics = new Map<string, string>()
  const asked = new Set<string>()
  const unknown = new Set<string>()
  const listeners = new Set<() => void>()
  let version = 0

  const changed = (): void => {
    version++
    for (const listener of listeners) listener()
  }

  const nameTopics = async (ids: readonly string[]): Promise<void> => {
    const missing = [...new Set(ids)].filter((topic) => !topics.has(topic)).slice(0, maxBatch)
    if (loadTopics === null || missing.length === 0) return
    for (const topic of missing) topics.set(topic, readable(topic))
    try {
      for (const [topic, name] of Object.entries(await loadTopics(missing)))
        if (name !== topic) topics.set(topic, name.charAt(0).toLocaleUpperCase() + name.slice(1))
      changed()
    } catch {
      for (const topic of missing) topics.delete(topic)
    }
  }

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
      changed()
      void nameTopics(found.flatMap((card) => card.topics))
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
    topicOf: (topic) => topics.get(topic) ?? readable(topic),
    isUnknown: (pinId) => unknown.has(pinId),
    want(pinIds) {
      const missing = [...new Set(pinIds)].filter((pinId) => !cards.has(pinId) && !asked.has(pinId))
      for (let from = 0; from < missing.length; from += maxBatch) void load(missing.slice(from, from + maxBatch))
    },
  }
}
