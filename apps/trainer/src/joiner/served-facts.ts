import { uint16Column } from '@freshet/contracts/bytes/columns'
import type { FeedServed } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import type { PinFacts } from './pin-facts.ts'

/**
 * What the ranker read about the shown pins when it ranked them, in their order. A fact that its plan did not read is absent; a
 * column whose counts are not one for each pin, or do not add up to its texts, is left out.
 */
export function servedFacts({ facts, pinIds }: FeedServed): readonly Partial<PinFacts>[] {
  const lists = new Map(facts.map(({ name, texts, counts }) => [name, listsOf(texts, counts, pinIds.length)]))
  const [topics, creators] = [lists.get('pin.topics') ?? null, lists.get('pin.creator') ?? null]
  return pinIds.map((_, pin) => ({
    ...(topics !== null && { topics: topics[pin]! }),
    ...(creators !== null && { creatorId: creators[pin]![0] ?? '' }),
  }))
}

/** The texts of each pin; null: they are not those of so many pins. */
function listsOf(texts: readonly string[], bytes: Uint8Array, pins: number): readonly (readonly string[])[] | null {
  const counts = uint16Column(bytes)
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (counts.length !== pins || total !== texts.length) return null
  let next = 0
  return Array.from(counts, (count) => texts.slice(next, (next += count)))
}
