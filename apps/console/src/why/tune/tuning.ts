import type { FeedItem } from '@freshet/client/browser'
import type { Tuning } from '../../api/demo.ts'

/** Everything as served. */
export function asServed(heads: readonly string[]): Tuning {
  return { weights: Object.fromEntries(heads.map((head) => [head, 1])), diversity: 1, exploration: 1 }
}

/** Whether nothing differs from what was served. */
export function isAsServed({ weights, diversity, exploration }: Tuning): boolean {
  return diversity === 1 && exploration === 1 && Object.values(weights).every((factor) => factor === 1)
}

/** The page to which most of the pins right above an index belong: what the person looks at. Empty: none. */
export function pageInSight(items: readonly FeedItem[], below: number): string {
  const counts = new Map<string, number>()
  for (const { feedId } of items.slice(Math.max(0, below - 16), Math.max(1, below)))
    if (feedId) counts.set(feedId, (counts.get(feedId) ?? 0) + 1)
  let best = ''
  for (const [feedId, count] of counts) if (count > (counts.get(best) ?? 0)) best = feedId
  return best
}
