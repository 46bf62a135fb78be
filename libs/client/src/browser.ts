import type { Freshet } from './client.ts'
import { createLists } from './lists.ts'
import type { PageOptions } from './options.ts'
import { createPageClient } from './page-client.ts'

export type * from './client.ts'
export type * from './engagement.ts'
export type * from './feed.ts'
export type * from './lists.ts'
export type * from './options.ts'
/** @public */
export type { FreshetError } from './send.ts'

/** Creates the client of a page. @public */
export function createFreshet(options: PageOptions): Freshet {
  return createPageClient(options, createLists) as Freshet
}
