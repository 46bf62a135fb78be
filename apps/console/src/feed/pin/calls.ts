import type { FeedItem } from '@freshet/client/browser'

/** What a card asks of the page it is on. */
export interface CardCalls {
  readonly onOpen: (pin: FeedItem) => void
  readonly onWhy: (pin: FeedItem) => void
  readonly onHide: (pin: FeedItem) => void
}
