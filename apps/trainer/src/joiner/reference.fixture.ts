import { actions } from '@freshet/domain/engagement'
import type { JoinWindows, PinAction, ServedFeed } from './waiting-feed.ts'

/** What the joiner has to make of a log, computed without streaming. Actions as sorted names. */
export interface ExpectedRow {
  readonly first: readonly string[]
  readonly last: readonly string[]
  readonly corrections: number
}

/** The expected rows by feed and pin, and what became of positions and actions. */
export interface Expected {
  readonly rows: ReadonlyMap<string, ExpectedRow>
  readonly repeatedPositions: number
  readonly matched: number
  readonly late: number
  readonly unmatched: number
}

interface Fate {
  readonly feed: ServedFeed
  readonly pin: string
  readonly action: string
  readonly isLate: boolean
}

/** The law of the joiner, from all records in the order of their partitions. */
export function expectedRows(feeds: readonly ServedFeed[], acts: readonly PinAction[], windows: JoinWindows): Expected {
  const { windowMs, deliveryMs, lateWindowMs } = windows
  const firstOf = new Map<string, ServedFeed>()
  let repeatedPositions = 0
  for (const feed of feeds) {
    const isExpired = feed.arrivedMs - feed.atMs >= windowMs + deliveryMs + lateWindowMs
    if (isExpired || firstOf.has(feed.feedId)) repeatedPositions += feed.pinIds.length
    else firstOf.set(feed.feedId, feed)
  }
  const closes = (feed: ServedFeed): number => Math.max(feed.atMs + windowMs + deliveryMs, feed.arrivedMs)
  const fates = acts.map((act): Fate | null => {
    const known = (feed: ServedFeed): boolean =>
      feed.arrivedMs < act.arrivedMs + deliveryMs && act.arrivedMs < closes(feed) + lateWindowMs
    const covers = ({ atMs }: ServedFeed): boolean => atMs <= act.occurredAtMs && act.occurredAtMs <= atMs + windowMs
    const candidates = [...firstOf.values()].filter(
      (feed) =>
        known(feed) &&
        feed.pinIds.includes(act.pinId) &&
        feed.userId === act.userId &&
        (act.feedId === '' ? covers(feed) : feed.feedId === act.feedId),
    )
    const [feed] = candidates.sort((a, b) => b.atMs - a.atMs || (a.feedId < b.feedId ? 1 : -1))
    if (feed === undefined) return null
    const isLate = act.arrivedMs >= closes(feed) || act.occurredAtMs > feed.atMs + windowMs
    return { feed, pin: act.pinId, action: act.action, isLate }
  })
  const rows = new Map<string, ExpectedRow>()
  for (const feed of firstOf.values()) {
    for (const pin of feed.pinIds) {
      const here = fates.filter((fate) => fate?.feed === feed && fate.pin === pin).filter((fate) => fate !== null)
      const first = new Set(here.filter(({ isLate }) => !isLate).map(({ action }) => action))
      const last = new Set(first)
      let corrections = 0
      for (const { action, isLate } of here) {
        if (!isLate || last.has(action)) continue
        last.add(action)
        corrections++
      }
      rows.set(`${feed.feedId} ${pin}`, { first: [...first].sort(), last: [...last].sort(), corrections })
    }
  }
  return {
    rows,
    repeatedPositions,
    matched: fates.filter((fate) => fate?.isLate === false).length,
    late: fates.filter((fate) => fate?.isLate === true).length,
    unmatched: fates.filter((fate) => fate === null).length,
  }
}

/** The names of the actions in a set of bits, sorted. */
export function actionNames(bits: number): readonly string[] {
  return actions.filter((_, at) => ((bits >> at) & 1) === 1).sort()
}
