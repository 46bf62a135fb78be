import type { Feed, FeedItem } from '@freshet/client/browser'
import { describe, expect, it } from 'vitest'
import { createFeedStore, type PageRequest } from './feed-store.ts'

function aPage(feedId: string, pinIds: readonly string[], nextPageToken = `after ${feedId}`): Feed {
  const items = pinIds.map((pinId, position): FeedItem => ({
    ...{ pinId, feedId, position, utility: 0, sources: [], seenAgain: false },
  }))
  return { ...{ feedId, items, nextPageToken, degradation: 'NONE', reasons: [], freshness: 'CURRENT', seeds: [] } }
}

/** A store over answers in their order, with the requests that it made. */
function aStore(...answers: readonly (Feed | Error | Promise<Feed>)[]) {
  const requests: PageRequest[] = []
  const store = createFeedStore(async (request) => {
    requests.push(request)
    const answer = answers[requests.length - 1]
    if (answer === undefined) throw new Error('no answer is left')
    if (answer instanceof Error) throw answer
    return answer
  })
  return { store, requests, ids: () => store.read().items.map(({ pinId }) => pinId) }
}

describe('a feed', () => {
  it('grows page by page, and passes the token of the last page', async () => {
    const { store, requests, ids } = aStore(aPage('one', ['a', 'b']), aPage('two', ['c']))
    await store.more()
    await store.more()
    expect(ids()).toEqual(['a', 'b', 'c'])
    expect(requests.map(({ pageToken }) => pageToken)).toEqual(['', 'after one'])
  })

  it('never shows a pin twice', async () => {
    const { store, ids } = aStore(aPage('one', ['a', 'b']), aPage('two', ['b', 'c']))
    await store.more()
    await store.more()
    expect(ids()).toEqual(['a', 'b', 'c'])
  })

  it('loads one page at a time', async () => {
    const { store, requests } = aStore(aPage('one', ['a']))
    await Promise.all([store.more(), store.more()])
    expect(requests).toHaveLength(1)
  })

  it('ends where no page follows', async () => {
    const { store, requests } = aStore(aPage('one', ['a'], ''))
    await store.more()
    await store.more()
    expect(store.read().status).toBe('ended')
    expect(requests).toHaveLength(1)
  })

  it('says why a page did not come, keeps what it has, and goes on', async () => {
    const { store, ids } = aStore(aPage('one', ['a']), new Error('down'), aPage('two', ['b']))
    await store.more()
    await store.more()
    expect(store.read()).toMatchObject({ status: 'failed', failure: { message: 'down' } })
    await store.more()
    expect(ids()).toEqual(['a', 'b'])
    expect(store.read().failure).toBeNull()
  })

  it('begins a new session when its token is refused', async () => {
    const refused = Object.assign(new Error('page_token: expired'), { status: 400, code: 'CALL_INVALID_ARGUMENT' })
    const { store, requests, ids } = aStore(aPage('one', ['a']), refused, aPage('two', ['a', 'b']))
    await store.more()
    await store.more()
    expect(requests.map(({ pageToken }) => pageToken)).toEqual(['', 'after one', ''])
    expect(ids()).toEqual(['a', 'b'])
  })
})

describe('after an action', () => {
  it('replaces what nobody saw, and keeps what is above', async () => {
    const { store, ids } = aStore(aPage('one', ['a', 'b', 'c', 'd']), aPage('two', ['x', 'c']))
    await store.more()
    await store.refreshFrom(2)
    expect(ids()).toEqual(['a', 'b', 'x', 'c'])
    expect(store.read().fresh).toEqual(new Set(['x', 'c']))
  })

  it('keeps everything when the page does not come', async () => {
    const { store, ids } = aStore(aPage('one', ['a', 'b']), new Error('down'))
    await store.more()
    expect(await store.refreshFrom(1)).toBeNull()
    expect(ids()).toEqual(['a', 'b'])
  })

  it('drops a page that was under way before it', async () => {
    let answer: (page: Feed) => void = () => undefined
    const late = new Promise<Feed>((resolve) => (answer = resolve))
    const { store, ids } = aStore(aPage('one', ['a', 'b']), late, aPage('three', ['x']))
    await store.more()
    const loading = store.more()
    await store.refreshFrom(1)
    answer(aPage('two', ['old']))
    await loading
    expect(ids()).toEqual(['a', 'x'])
  })
})

describe('a removed pin', () => {
  it('is gone, does not come again, and can be put back where it was', async () => {
    const { store, ids } = aStore(aPage('one', ['a', 'b', 'c']), aPage('two', ['b', 'd']))
    await store.more()
    const putBack = store.remove('b')
    await store.refreshFrom(2)
    expect(ids()).toEqual(['a', 'c', 'd'])
    putBack()
    expect(ids()).toEqual(['a', 'b', 'c', 'd'])
    putBack()
    expect(ids()).toEqual(['a', 'b', 'c', 'd'])
  })
})

describe('another order of a page', () => {
  it('moves only the pins of that page, says how far, and can be undone', async () => {
    const { store, ids } = aStore(aPage('one', ['a', 'b']), aPage('two', ['c', 'd', 'e']))
    await store.more()
    await store.more()
    store.reorder('two', ['e', 'c', 'd'])
    expect(ids()).toEqual(['a', 'b', 'e', 'c', 'd'])
    expect(store.read().moves).toEqual(
      new Map([
        ['e', 2],
        ['c', -1],
        ['d', -1],
      ]),
    )
    store.reorder('two', ['c', 'd', 'e'])
    expect(store.read().moves.size).toBe(0)
    store.reorder('two', ['d', 'e', 'c'])
    store.restore()
    expect(ids()).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  it('keeps pins that the answer does not name behind those that it names', async () => {
    const { store, ids } = aStore(aPage('one', ['a', 'b', 'c']))
    await store.more()
    store.reorder('one', ['c', 'unknown'])
    expect(ids()).toEqual(['c', 'a', 'b'])
  })
})
