import { grownUint8, nextCapacity } from '../columns.ts'
import { createDecayedCounts } from '../decayed-counts.ts'
import { selectorInto, type Selector } from '../score-board.ts'
import type { SharedViews, Source, SourceDefinition, SourceQuery } from '../source.ts'
import { createTopList, type TopList } from '../top-list.ts'

/** Parameters of the popularity source. */
export type PopularityParameters = {
  /** After this long an action counts half, in the fast counter. */
  readonly fastHalfLifeMs: number
  readonly slowHalfLifeMs: number
  /** Weight of the fast counter's share of all actions; the slow one's is 1 less it. */
  readonly fastWeight: number
  /** Pins kept in each list of the most popular. */
  readonly maxListed: number
  /** Locales with a list of their own; pins of further ones are found in the list of all. */
  readonly maxLocales: number
}

const dayMs = 86_400_000

/**
 * What everybody likes now: decayed counts of positive actions at two half-lives, as shares of all actions. With a
 * locale: pins of that locale and pins that are fit for every locale. The last resort of every request: where too little
 * is liked yet, the newest pins follow, so that a catalogue nobody has touched is shown too.
 */
export const popularity: SourceDefinition<PopularityParameters> = {
  name: 'popularity',
  enabled: true,
  maxCandidates: 300,
  share: 1,
  parameters: { fastHalfLifeMs: dayMs, slowHalfLifeMs: 7 * dayMs, fastWeight: 0.5, maxListed: 600, maxLocales: 64 },
  create: createPopularity,
}

const everywhere = -2
const least = 1e-9
/** Before every time that a pin can have: year 1. */
const earliestMs = -62_135_596_800_001

function createPopularity({ catalogue, board }: SharedViews, parameters: PopularityParameters): Source {
  const { fastHalfLifeMs, slowHalfLifeMs, fastWeight, maxListed, maxLocales } = parameters
  const fast = createDecayedCounts(fastHalfLifeMs)
  const slow = createDecayedCounts(slowHalfLifeMs)
  const counters = [fast, slow]
  const publishedAtMs = (row: number): number => catalogue.createdAtMsOf(row) || 1
  const makeNewest = (): TopList =>
    createTopList({
      catalogue,
      maxListed,
      // A pin that does not say when it was published is older than all that do. Keys are positive, before 1970 too.
      keyOf: (row) => 1 + (catalogue.createdAtMsOf(row) - earliestMs || 0),
      admits: (row) => described[row] === 1,
    })
  // 1: the catalogue's owner has described the pin. One known from engagements alone may be known from hides alone.
  let described = new Uint8Array(0)
  let newest = makeNewest()
  let lists = new Map<number, readonly TopList[]>()

  function listsOf(locale: number): readonly TopList[] | undefined {
    const known = lists.get(locale)
    if (known !== undefined || lists.size > maxLocales) return known
    const admits = locale === everywhere ? () => true : (row: number) => catalogue.localeOf(row) === locale
    const made = counters.map(({ weightOf }) => createTopList({ catalogue, maxListed, keyOf: weightOf, admits }))
    lists.set(locale, made)
    return made
  }

  function raise(row: number): void {
    for (const list of listsOf(everywhere) ?? []) list.raised(row)
    for (const list of listsOf(catalogue.localeOf(row)) ?? []) list.raised(row)
  }

  function scoreOf(row: number): number {
    return fastWeight * fast.shareOf(row) + (1 - fastWeight) * slow.shareOf(row)
  }

  function offer(listed: readonly TopList[], query: SourceQuery, best: Selector): void {
    for (const list of listed) {
      for (let i = 0; i < list.size; i++) {
        const row = list.rowAt(i)
        if (board.get(row) > 0) continue
        const score = scoreOf(row)
        board.add(row, score)
        best.offer(row, score, query.accept)
      }
    }
  }

  /** Pins that nobody has liked, newest first, below all that somebody has. */
  function offerNewest(query: SourceQuery, best: Selector): void {
    for (let i = 0; i < newest.size; i++) {
      const row = newest.rowAt(i)
      const locale = catalogue.localeOf(row)
      if (board.get(row) > 0 || (query.localeRow >= 0 && locale >= 0 && locale !== query.localeRow)) continue
      const ageMs = Math.max(0, query.atMs - publishedAtMs(row))
      board.add(row, 1)
      best.offer(row, least / (2 + ageMs / dayMs), query.accept)
    }
  }

  return {
    name: 'popularity',
    scale: 'probability',
    foldEngagement({ engagement, row, positive }) {
      if (!positive) return
      for (const counter of counters) counter.add(row, engagement.occurredAtMs)
      raise(row)
    },
    withdraw({ row, saves }) {
      for (const { atMs } of saves) for (const counter of counters) counter.take(row, atMs)
      for (const locale of [everywhere, catalogue.localeOf(row)])
        for (const list of lists.get(locale) ?? []) list.lowered(row)
    },
    foldPin(row) {
      if (row >= described.length) described = grownUint8(described, nextCapacity(described.length, row + 1))
      described[row] = 1
      for (const listed of lists.values()) for (const list of listed) list.changed(row)
      newest.changed(row)
      if (!catalogue.isAlive(row)) return
      raise(row)
      newest.raised(row)
    },
    query(query, hits) {
      board.clear()
      const best = selectorInto(catalogue, query.limit, hits)
      if (query.amongRows !== null) {
        // Whoever names the pins wants them ranked, those that nobody has touched last.
        for (const row of query.amongRows) {
          if (board.get(row) > 0) continue
          board.add(row, 1)
          best.offer(row, scoreOf(row) + least, query.accept)
        }
        best.finish()
        return
      }
      const ofLocale = query.localeRow < 0 ? undefined : lists.get(query.localeRow)
      if (ofLocale === undefined) {
        offer(lists.get(everywhere) ?? [], query, best)
      } else {
        offer(ofLocale, query, best)
        offer(lists.get(-1) ?? [], query, best)
      }
      offerNewest(query, best)
      best.finish()
    },
    bytes() {
      let bytes = fast.bytes() + slow.bytes() + newest.bytes() + described.byteLength
      for (const listed of lists.values()) for (const list of listed) bytes += list.bytes()
      return bytes
    },
    counts: () => ({ locales: Math.max(0, lists.size - 1) }),
    save(writer) {
      fast.save(writer.under('fast'))
      slow.save(writer.under('slow'))
      writer.u8('described', described)
    },
    load(reader) {
      fast.load(reader.under('fast'))
      slow.load(reader.under('slow'))
      lists = new Map()
      described = reader.u8('described').slice()
      newest = makeNewest()
      for (let row = 0; row < catalogue.size; row++) {
        raise(row)
        if (catalogue.isAlive(row)) newest.raised(row)
      }
    },
  }
}
