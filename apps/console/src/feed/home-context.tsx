import type { Feed, FeedItem, SourceSeeds } from '@freshet/client/browser'
import { createContext, useContext, useEffect, useMemo, useRef, useSyncExternalStore, type ReactNode } from 'react'
import { useLocation } from 'wouter'
import { getPins } from '../api/blender.ts'
import { useConfig } from '../api/config-context.tsx'
import { asFailure } from '../api/http.ts'
import { loadTitles, loadTopics } from '../api/demo.ts'
import { createCards, type Cards } from './cards.ts'
import { createFeedStore, type FeedStore } from './feed-store.ts'
import { createFreshness, type Freshness } from './freshness/freshness.ts'
import { usePerson } from './person/person-context.tsx'

/** What the parts of the feed side share. */
export interface Home {
  readonly store: FeedStore
  readonly cards: Cards
  readonly freshness: Freshness
  /** The place where each pin was shown last: events and explanations need it. */
  readonly shown: Map<string, FeedItem>
  /** By feed: the person's own actions that its sources started from. */
  readonly seeds: ReadonlyMap<string, readonly SourceSeeds[]>
  /** The first pin of the home feed that is below the screen; null: the feed is not drawn. */
  readonly below: { current: (() => number) | null }
}

const HomeContext = createContext<Home | null>(null)

/** What the parts of the feed side share. Only below `HomeProvider`. */
export function useHome(): Home {
  return useContext(HomeContext)!
}

/** Pins of a page of the feed. */
const pageSize = 25

/** Holds the feed of the person, the cards of its pins and the measurements. Another person or language begins from scratch. */
export function HomeProvider({ children }: { readonly children: ReactNode }) {
  const { client, locale } = usePerson()
  const config = useConfig()
  const hasWords = config.value?.capabilities.words ?? false
  const isConfigured = config.value !== null || config.failure !== null
  const freshness = useMemo(() => createFreshness(), [])
  const below = useRef<(() => number) | null>(null)
  const shown = useMemo(() => new Map<string, FeedItem>(), [])
  const mayExplain = useRef(true)
  const seeds = useMemo(() => new Map<string, readonly SourceSeeds[]>(), [])
  const cards = useMemo(
    () =>
      createCards({
        loadCards: getPins,
        loadTitles: hasWords ? (pinIds) => loadTitles(pinIds, locale) : null,
        loadTopics: hasWords ? (topics) => loadTopics(topics, locale) : null,
      }),
    [hasWords, locale],
  )
  const store = useMemo(
    () =>
      createFeedStore(async ({ pageToken, signal }) => {
        // The language comes with the configuration. A page that is asked in another one would be served and never shown.
        if (!isConfigured) return new Promise<Feed>(() => undefined)
        const ask = (explain: boolean): Promise<Feed> =>
          client.feed({ ...{ pageSize, locale, signal, explain }, ...(pageToken !== '' && { pageToken }) })
        const page = await ask(mayExplain.current).catch((thrown: unknown) => {
          // A key that may read feeds may not be told the reasons: then cards name none.
          if (!mayExplain.current || asFailure(thrown).status !== 403) throw thrown
          mayExplain.current = false
          return ask(false)
        })
        keepSeeds(seeds, page)
        cards.want([...new Set(page.seeds.flatMap(({ seeds: found }) => found.map(({ pinId }) => pinId)))])
        return noted(page, shown)
      }),
    [client, locale, shown, seeds, cards, isConfigured],
  )
  // An operator's view serves no feed: each one counts as seen by the person.
  const isWanted = !useLocation()[0].startsWith('/operate')
  useEffect(() => {
    if (isWanted && store.read().status === 'idle' && store.read().items.length === 0) void store.more()
  }, [store, isWanted])
  useEffect(
    () => () => {
      store.close()
    },
    [store],
  )
  const home = useMemo(
    () => ({ store, cards, freshness, shown, seeds, below }),
    [store, cards, freshness, shown, seeds],
  )
  return <HomeContext value={home}>{children}</HomeContext>
}

/** Draws again when cards come. */
export function useCards(): Cards {
  const { cards } = useHome()
  useSyncExternalStore(cards.subscribe, cards.version)
  return cards
}

/** More pages than a person scrolls back. */
const maxKeptSeeds = 400

function keepSeeds(seeds: Map<string, readonly SourceSeeds[]>, { feedId, seeds: found }: Feed): void {
  if (found.length > 0) seeds.set(feedId, found)
  if (seeds.size > maxKeptSeeds) seeds.delete(seeds.keys().next().value!)
}

/** Remembers where the pins of a page were shown. */
export function noted(page: Feed, shown: Map<string, FeedItem>): Feed {
  for (const item of page.items) {
    shown.delete(item.pinId)
    shown.set(item.pinId, item)
  }
  while (shown.size > 5_000) shown.delete(shown.keys().next().value!)
  return page
}
