import type { Feed, FeedItem } from '@freshet/client/browser'
import { asFailure, type Failure } from '../api/http.ts'

/** What a feed shows. */
export interface FeedState {
  readonly items: readonly FeedItem[]
  readonly status: 'idle' | 'loading' | 'failed' | 'ended'
  readonly failure: Failure | null
  /** How far the last page was degraded. */
  readonly degradation: string
  /** Codes of what was missing in it. */
  readonly reasons: readonly string[]
  /** Pins that came after the last action. */
  readonly fresh: ReadonlySet<string>
  /** How far sliders moved pins, positions; positive: up. */
  readonly moves: ReadonlyMap<string, number>
}

/** A request for the next page. */
export interface PageRequest {
  /** Empty: the first page. */
  readonly pageToken: string
  readonly signal: AbortSignal
}

/** A feed that grows page by page and never repeats a pin. */
export interface FeedStore {
  subscribe(listener: () => void): () => void
  read(): FeedState
  /** Loads the next page, unless one is loading or there is none. */
  more(): Promise<void>
  /** Replaces the pins from an index on by a page that reflects what the user did. What is above stays. Null: the page did not come, and nothing changed. */
  refreshFrom(index: number): Promise<Feed | null>
  /** Takes a pin off the page; the returned function puts it back. */
  remove(pinId: string): () => void
  /** Puts the pins of one served page into another order, in the places that they have. */
  reorder(feedId: string, pinIds: readonly string[]): void
  /** Undoes `reorder`. */
  restore(): void
  /** Stops what loads. */
  close(): void
}

const nothing: FeedState = {
  ...{
    items: [],
    status: 'idle',
    failure: null,
    degradation: '',
    reasons: [],
    fresh: new Set<string>(),
    moves: new Map<string, number>(),
  },
}

/** Makes a feed that loads its pages by `load`. */
export function createFeedStore(load: (request: PageRequest) => Promise<Feed>): FeedStore {
  let state = nothing
  let pageToken = ''
  let loading: AbortController | null = null
  /** The order as served, while sliders show another one. */
  let served: readonly FeedItem[] | null = null
  /** Pins that were on the page or were taken off it: none of them comes again. */
  const known = new Set<string>()
  const removed = new Set<string>()
  const listeners = new Set<() => void>()

  const change = (part: Partial<FeedState>): void => {
    state = { ...state, ...part }
    for (const listener of listeners) listener()
  }

  const fetchPage = async (signal: AbortSignal): Promise<Feed> => {
    try {
      return await load({ pageToken, signal })
    } catch (thrown) {
      // A token that is expired or of another process: begin a new session, without repeats.
      if (pageToken === '' || asFailure(thrown).status !== 400) throw thrown
      pageToken = ''
      return load({ pageToken, signal })
    }
  }

  const begin = (): AbortController => {
    loading?.abort()
    return (loading = new AbortController())
  }

  const taken = (page: Feed): readonly FeedItem[] => {
    const items = page.items.filter(({ pinId }) => !known.has(pinId))
    for (const { pinId } of items) known.add(pinId)
    pageToken = page.nextPageToken
    return items
  }

  return {
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    read: () => state,
    async more() {
      if (loading || state.status === 'ended') return
      const own = begin()
      change({ status: 'loading' })
      try {
        const page = await fetchPage(own.signal)
        if (own.signal.aborted) return
        const items = taken(page)
        loading = null
        if (served) served = [...served, ...items]
        change({
          items: [...state.items, ...items],
          status: page.nextPageToken === '' || items.length === 0 ? 'ended' : 'idle',
          failure: null,
          degradation: page.degradation,
          reasons: page.reasons,
        })
      } catch (thrown) {
        if (own.signal.aborted) return
        loading = null
        change({ status: 'failed', failure: asFailure(thrown) })
      }
    },
    async refreshFrom(index) {
      const own = begin()
      try {
        const page = await fetchPage(own.signal)
        if (own.signal.aborted) return null
        loading = null
        const kept = state.items.slice(0, index)
        // What nobody saw may come again.
        for (const { pinId } of state.items.slice(index)) if (!removed.has(pinId)) known.delete(pinId)
        const items = taken(page)
        served = null
        change({
          items: [...kept, ...items],
          status: page.nextPageToken === '' ? 'ended' : 'idle',
          failure: null,
          degradation: page.degradation,
          reasons: page.reasons,
          fresh: new Set(items.map(({ pinId }) => pinId)),
          moves: nothing.moves,
        })
        return page
      } catch (thrown) {
        if (own.signal.aborted) return null
        loading = null
        change({ status: 'failed', failure: asFailure(thrown) })
        return null
      }
    },
    remove(pinId) {
      const index = state.items.findIndex((item) => item.pinId === pinId)
      if (index < 0) return () => undefined
      const item = state.items[index]!
      known.add(pinId)
      removed.add(pinId)
      served = null
      change({ items: state.items.toSpliced(index, 1), moves: nothing.moves })
      return () => {
        removed.delete(pinId)
        if (!state.items.some((other) => other.pinId === pinId))
          change({ items: state.items.toSpliced(Math.min(index, state.items.length), 0, item) })
      }
    },
    reorder(feedId, pinIds) {
      served ??= state.items
      const base = served
      const places = base.flatMap((item, at) => (item.feedId === feedId ? [at] : []))
      const byId = new Map(places.map((at) => [base[at]!.pinId, { item: base[at]!, at }]))
      const ordered = pinIds.flatMap((pinId) => byId.get(pinId) ?? [])
      const named = new Set(pinIds)
      const rest = places.filter((at) => !named.has(base[at]!.pinId)).map((at) => ({ item: base[at]!, at }))
      const items = [...base]
      const moves = new Map<string, number>()
      ;[...ordered, ...rest].forEach(({ item, at: was }, order) => {
        const at = places[order]!
        items[at] = item
        if (at !== was) moves.set(item.pinId, places.indexOf(was) - order)
      })
      change({ items, moves })
    },
    restore() {
      if (served) change({ items: served, moves: nothing.moves })
      served = null
    },
    close() {
      loading?.abort()
      loading = null
    },
  }
}
