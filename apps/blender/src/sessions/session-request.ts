import { hash32 } from '@freshet/domain/hash'
import type { FeedRequest } from '../request.ts'
import { recordsServed } from '../selectors/page.ts'

/** Whether a request may continue a page session from its reserve. Events that it waits for may change the order. */
export function continuesSession(request: FeedRequest): boolean {
  const { page, awaitsEvents, evaluation } = request
  return recordsServed(request) && page.firstPosition > 0 && !awaitsEvents && evaluation === null
}

/** A mark of what the request asks for. A reserve serves only requests that ask for the same as the one it was ranked for. */
export function termsMark({ locale, experiments }: Pick<FeedRequest, 'locale' | 'experiments'>): number {
  return hash32(JSON.stringify([locale, experiments.version]))
}
