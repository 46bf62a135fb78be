import type { CappedClass } from '@freshet/ordering/caps'
import type { FeedRequest } from '../request.ts'
import { kindsFor } from './kinds.ts'
import type { Pool } from './pool.ts'

/** The caps of a request. */
export function cappedClasses({ params, surface }: Pick<FeedRequest, 'params' | 'surface'>, pool: Pool): CappedClass[] {
  const { caps } = params.ordering
  return kindsFor(surface, ['creator', 'topic', 'cluster'])
    .filter((kind) => caps[kind].most < caps[kind].window)
    .map((kind) => ({ classes: pool.classes(kind), ...caps[kind] }))
}
