import type { UserContext } from '../hydrators/user-state.ts'
import type { FeedRequest } from '../request.ts'

/** The halves of the keys of some pins, oldest first. */
export interface PinsAbove {
  readonly highs: Uint32Array
  readonly lows: Uint32Array
}

const none: PinsAbove = { highs: new Uint32Array(0), lows: new Uint32Array(0) }

/**
 * The pins that stand right above a page: the last ones that the page session served, as many as the widest window of the ordering
 * looks at. None above a first page, and in dry runs, whose pages are parts of one order. If two sessions of a user run at the same
 * time, each also sees the pins of the other.
 */
export function pinsAbove({
  params: { ordering },
  page,
  served: { highs, lows, seconds },
}: Pick<FeedRequest, 'params' | 'page'> & Pick<UserContext, 'served'>): PinsAbove {
  if (page.firstPosition === 0 || !page.recorded) return none
  const { caps, spacing, diversity } = ordering
  const widest = Math.max(
    diversity.window,
    ...[...Object.values(caps), ...Object.values(spacing)].map(({ window }) => window),
  )
  const most = Math.min(widest, page.firstPosition)
  const began = Math.floor(page.startedAtMs / 1000)
  let from = lows.length
  while (from > 0 && lows.length - from < most && seconds[from - 1]! >= began) from--
  return { highs: highs.subarray(from), lows: lows.subarray(from) }
}
