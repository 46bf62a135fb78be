import { createFreshet, type FeedItem } from '@freshet/client'
import { useCallback, useEffect, useState } from 'react'

/** One client for the whole app. */
export const freshet = createFreshet({ ingestUrl: 'http://localhost:8080', feedUrl: 'http://localhost:8070' })

/** A page of the feed, and a function that asks for the next one. */
export function useFeed(pageSize = 10): { readonly items: readonly FeedItem[]; readonly ask: () => Promise<void> } {
  const [items, setItems] = useState<readonly FeedItem[]>([])
  const ask = useCallback(async () => setItems((await freshet.feed({ pageSize })).items), [pageSize])
  useEffect(() => void ask(), [ask])
  return { items, ask }
}

/** A ref for the element of a pin: its impression is tracked by itself. React 19 calls what a ref returns when the element goes. */
export function useSeen(item: FeedItem): (element: HTMLElement | null) => (() => void) | undefined {
  return useCallback((element) => (element ? freshet.observe(element, item) : undefined), [item])
}

function Pin({ item }: { readonly item: FeedItem }) {
  return (
    <li ref={useSeen(item)}>
      {item.pinId} <button onClick={() => void freshet.save(item)}>save</button>
      <button onClick={() => void freshet.hide(item)}>hide</button>
    </li>
  )
}

/** A feed. */
export function Feed() {
  const { items, ask } = useFeed()
  return (
    <>
      <button id="again" onClick={() => void ask()}>
        Ask again
      </button>
      <ol id="feed">
        {items.map((item) => (
          <Pin key={`${item.feedId} ${item.position}`} item={item} />
        ))}
      </ol>
    </>
  )
}
