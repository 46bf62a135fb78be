import type { Tracker } from './client.ts'
import type { PageOptions } from './options.ts'
import { createPageClient } from './page-client.ts'

export type * from './client.ts'
export type * from './engagement.ts'
export type * from './options.ts'

/** Creates the client of a page that only tracks: without `feed`, `related` and `search`. It shares its queue and its users with the whole client. @public */
export function createFreshet(options: PageOptions): Tracker {
  return createPageClient(options)
}
