import type { FeedItem } from '@freshet/client/browser'

/** What a card asks of the page it is on. */
export interface CardCalls {
  readonly onOpen: (pin: FeedItem) => void
  readonly onWhy: (pin: FeedItem) => void
  readonly onHide: (pin: FeedItem) => void
}

/** A topic's or creator's id as words. */
export function readable(id: string): string {
  const words = id.replaceAll(/[-_/]+/g, ' ').trim()
  return words.charAt(0).toUpperCase() + words.slice(1)
}
