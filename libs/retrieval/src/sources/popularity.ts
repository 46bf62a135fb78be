import { wholeSetting } from '@freshet/settings/setting'
import { selectorInto, type Hits, type Selector } from '@freshet/columns/score-board'
import type { SharedViews, Source, SourceDefinition, SourceQuery } from '../source.ts'
import { createTopList, type TopList } from '@freshet/columns/top-list'
import { createLikedOrder, type LikedOrder } from './shared/liked-order.ts'

/** Parameters of the popularity source. */
export type PopularityParameters = {
  /** Pins kept in each list of the most popular. */
  readonly maxListed: number
  /** Locales with a list of their own; pins of further ones are found in the list of all. */
  readonly maxLocales: number
}

const dayMs = 86_400_000

/**
 * Finds the pins that everybody likes now: each pin's share of all first takes of a user at several half-lives, see `Rates`.
 * With a locale it finds pins of fitting locales and pins without a locale. It is the last resort of every request: if
 * users like too few pins yet, the newest pins follow, so that a new catalogue is shown too.
 */
export const popularity: SourceDefinition<PopularityParameters> = {
  name: 'popularity',
  description: 'The pins that most users take now (each user counts once for a pin), and the newest pins after them.',
  enabled: true,
  maxCandidates: 300,
  share: 1,
  parameters: {
    maxListed: wholeSetting(400, {
      description: 'Pins kept in each list of the most popular pins',
      unit: 'pins',
      min: 1,
      max: 100_000,
    }),
    maxLocales: wholeSetting(64, {
      description: 'Locales that have a list of their own. Pins of other locales are in the list of all',
      unit: 'locales',
      min: 0,
      max: 2_000,
    }),
  },
  create: createPopularity,
}

const everywhere = -1
const least = 1e-9
/** Before every time that a pin can have: year 1. */
const earliestMs = -62_135_596_800_001

/** A pin that nobody has liked is worth at most this. */
const newestScore = Math.fround(least / 2)

/** The lists of one locale, or of all. */
interface Listed {
  /** Largest counters first, one list a counter. */
  readonly liked: readonly TopList[]
  readonly likedOrder: LikedOrder
  /** Published last first. */
  readonly newest: TopList
}

function createPopularity(views: SharedViews, parameters: PopularityParameters): Source {
  const { catalogue, board, rates } = views
  const { maxListed, maxLocales } = parameters
  // So that each user counts once in the rates.
  views.graph()
  const publishedAtMs = (row: number): number => catalogue.createdAtMsOf(row) || 1
  const lists = new Map<number, Listed>()
  // That of the pin whose description changed last, before it did.
  let formerLocale = everywhere
  // Goes up whenever a list may have changed.
  let version = 0

  function findLists(locale: number): Listed | undefined {
    const known = lists.get(locale)
    if (known !== undefined || lists.size > maxLocales) return known
    const admits = (row: number): boolean =>
      catalogue.isShown(row) && (locale === everywhere || catalogue.localeOf(row) === locale)
    const liked = rates.counters.map(({ weightOf }) =>
      createTopList({ order: catalogue, maxListed, keyOf: weightOf, admits }),
    )
    const made: Listed = {
      liked,
      likedOrder: createLikedOrder(views, liked),
      newest: createTopList({
        order: catalogue,
        maxListed,
        // A pin without a publication time counts as older than all others. Keys are positive, before 1970 too.
        keyOf: (row) => 1 + (catalogue.createdAtMsOf(row) - earliestMs || 0),
        // A pin known only from engagements may be known only from hides.
        admits: (row) => catalogue.isListed(row) && admits(row),
      }),
    }
    lists.set(locale, made)
    return made
  }

  const listsWith = (row: number): readonly (Listed | undefined)[] => [
    findLists(everywhere),
    findLists(catalogue.localeOf(row)),
  ]

  function raise(row: number): void {
    version++
    for (const listed of listsWith(row)) for (const list of listed?.liked ?? []) list.raised(row)
  }

  /** Moves a pin to the lists of its current locale. */
  function refile(row: number): void {
    version++
    for (const locale of new Set([everywhere, formerLocale, catalogue.localeOf(row)])) {
      const listed = lists.get(locale)
      for (const list of listed === undefined ? [] : [...listed.liked, listed.newest]) list.changed(row)
    }
  }

  /**
   * Fills `hits` from the head of the liked pins. False if a request wants more of them than there are, or if pins that
   * nobody has liked may come before the last one.
   */
  function fillFrom({ likedOrder }: Listed, { limit, accept }: SourceQuery, hits: Hits): boolean {
    const { rows, scores, count } = likedOrder.read(version)
    const wanted = Math.min(limit, hits.rows.length)
    hits.count = 0
    for (let i = 0; hits.count < wanted && i < count && scores[i]! > 0; i++) {
      const row = rows[i]!
      if (!accept(row)) continue
      hits.rows[hits.count] = row
      hits.scores[hits.count++] = scores[i]!
    }
    return hits.count === wanted && hits.scores[wanted - 1]! > newestScore
  }

  function offerLiked({ rows, scores, count }: Hits, query: SourceQuery, best: Selector): void {
    for (let i = 0; i < count; i++) {
      const row = rows[i]!
      if (board.get(row) > 0) continue
      board.add(row, 1)
      best.offer(row, scores[i]!, query.accept)
    }
  }

  /** Adds pins that nobody has liked, newest first, below all pins that somebody likes. */
  function offerNewest({ newest }: Listed, query: SourceQuery, best: Selector): void {
    for (let i = 0; i < newest.size; i++) {
      const row = newest.rowAt(i)
      if (board.get(row) > 0) continue
      const ageMs = Math.max(0, query.atMs - publishedAtMs(row))
      board.add(row, 1)
      best.offer(row, least / (2 + ageMs / dayMs), query.accept)
    }
  }

  /** Ranks all pins that a request names; those that nobody has touched come last. */
  function rankAmong(rows: Int32Array, query: SourceQuery, hits: Hits): void {
    board.clear()
    const best = selectorInto(catalogue, query.limit, hits)
    for (const row of rows) {
      if (board.get(row) > 0) continue
      board.add(row, 1)
      best.offer(row, rates.shareOf(row) + least, query.accept)
    }
    best.finish()
  }

  /** The lists of the fitting locales; the list of all pins if one of these locales has no list of its own. */
  function fitting(locales: Uint8Array | null): readonly Listed[] {
    const found: Listed[] = []
    for (let locale = 0; locales !== null && locale < locales.length; locale++) {
      if (locales[locale] !== 1) continue
      const listed = lists.get(locale)
      if (listed !== undefined) found.push(listed)
    }
    const isCut = lists.size > maxLocales
    const all = lists.get(everywhere)
    return locales === null || isCut ? [...found, ...(all === undefined ? [] : [all])] : found
  }

  function show(row: number): void {
    refile(row)
    if (!catalogue.isShown(row)) return
    raise(row)
    for (const listed of listsWith(row)) listed?.newest.raised(row)
  }

  return {
    name: 'popularity',
    scale: 'probability',
    foldEngagement({ row, positive }) {
      if (positive) raise(row)
    },
    withdraw({ row }) {
      version++
      for (const locale of [everywhere, catalogue.localeOf(row)])
        for (const list of lists.get(locale)?.liked ?? []) list.lowered(row)
    },
    undescribe(row) {
      formerLocale = catalogue.localeOf(row)
    },
    foldPin: show,
    foldShown: show,
    letGo: refile,
    query(query, hits) {
      if (query.amongRows !== null) return rankAmong(query.amongRows, query, hits)
      const listed = fitting(query.locales)
      const [only] = listed
      if (listed.length === 1 && only !== undefined && fillFrom(only, query, hits)) return
      // Reading an order uses the board.
      const orders = listed.map(({ likedOrder }) => likedOrder.read(version))
      board.clear()
      const best = selectorInto(catalogue, query.limit, hits)
      for (const order of orders) offerLiked(order, query, best)
      for (const each of listed) offerNewest(each, query, best)
      best.finish()
    },
    bytes() {
      let bytes = 0
      for (const { liked, likedOrder, newest } of lists.values()) {
        bytes += likedOrder.bytes()
        for (const list of [...liked, newest]) bytes += list.bytes()
      }
      return bytes
    },
    counts: () => ({ locales: Math.max(0, lists.size - 1) }),
    save() {},
    load() {
      lists.clear()
      for (let row = 0; row < catalogue.size; row++) {
        raise(row)
        for (const listed of listsWith(row)) listed?.newest.raised(row)
      }
    },
  }
}
