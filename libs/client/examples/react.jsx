import { createFreshet } from '@freshet/client'
import { useCallback, useEffect, useState } from 'react'

/** One client for the whole app. */
export const freshet = createFreshet({
  ingestUrl: globalThis.INGEST_URL ?? 'http://localhost:8080',
  feedUrl: globalThis.FEED_URL ?? 'http://localhost:8070',
})

/** A page of the feed, and a function that asks for the next one. */
export function useFeed(pageSize = 10) {
  const [items, setItems] = useState([])
  const ask = useCallback(() => freshet.feed({ pageSize }).then((feed) => setItems(feed.items)), [pageSize])
  useEffect(() => void ask(), [ask])
  return { items, ask }
}

/** A ref for the element of a pin: its impression is tracked by itself. React 19 calls what a ref returns when the element goes. */
export function useSeen(item) {
  return useCallback((element) => freshet.observe(element, item), [item])
}

function Pin({ item }) {
  return (
    <li ref={useSeen(item)}>
      {item.pinId} <button onClick={() => freshet.save(item)}>save</button>
      <button onClick={() => freshet.hide(item)}>hide</button>
    </li>
  )
}

/** A feed. */
export function Feed() {
  const { items, ask } = useFeed()
  return (
    <>
      <button id="again" onClick={ask}>
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
