import { hash32 } from '@freshet/domain/hash'
import type { FeedRequest } from '../request.ts'
import { recordsServed } from '../selectors/page.ts'

/** Whether a request may continue a page session from its reserve. Events that it waits for may change the order. */
export function continuesSession(request: FeedRequest): boolean {
  const { page, awaitsEvents, evaluation } = request
  return recordsServed(request) && page.firstPosition > 0 && !awaitsEvents && evaluation === null
}

/**
 * A mark of what the request asks for. A reserve serves only requests that ask for the same as the one it was ranked for. Without the
 * pins to exclude and those seen elsewhere: they may differ from page to page, and the filters check them.
 */
export function termsMark({
  locale,
  experiments,
  filter: { topicIds, creatorIds, boardIds, createdFromMs, allowedSafetyLabels, userAge, includeOwnPins },
  onlySources,
  withoutSources,
  atMs,
}: Pick<FeedRequest, 'locale' | 'experiments' | 'filter' | 'onlySources' | 'withoutSources' | 'atMs'>): number {
  const ids = [topicIds, creatorIds, boardIds, allowedSafetyLabels, onlySources, withoutSources]
  // The time itself moves with the request, the age of a pin does not.
  const maxAgeMs = createdFromMs === null ? null : atMs - createdFromMs
  return hash32(JSON.stringify([locale, experiments.version, maxAgeMs, userAge, includeOwnPins, ...ids]))
}
