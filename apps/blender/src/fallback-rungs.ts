import { pipeline, type Pipeline } from '@freshet/pipeline/pipeline'
import type { Filter } from '@freshet/pipeline/stage'
import type { CandidateColumns } from './candidates.ts'
import { rememberedUser, type FallbackRequest, type Remembered } from './hydrators/remembered-user.ts'
import type { UserContext } from './hydrators/user-state.ts'
import type { StagePorts } from './ports.ts'
import { page } from './selectors/page.ts'
import { samePicture } from './selectors/same-picture.ts'
import { lastGoodFeed } from './sources/last-good-feed.ts'
import { popularFeed } from './sources/popular-feed.ts'

/** The pipeline of an answer from memory or the state store. */
export type FallbackPipeline<Request> = Pipeline<
  Request & FallbackRequest,
  Request & FallbackRequest & UserContext & Remembered,
  CandidateColumns
>

/** The rungs below the full feed: the user's last good feed, and popular pins. */
export function fallbackRungs<Request>(
  ports: StagePorts,
  filters: readonly Filter<Request & FallbackRequest & UserContext, CandidateColumns>[],
): { readonly lastGood: FallbackPipeline<Request>; readonly popular: FallbackPipeline<Request> } {
  const lastGood = pipeline<Request & FallbackRequest>('last-good')
    .hydrate(rememberedUser(ports))
    .source(lastGoodFeed(ports))
    .filter(...filters)
    .select(samePicture(ports))
    .select(page(ports, filters))

  const popular = pipeline<Request & FallbackRequest>('popular')
    .hydrate(rememberedUser(ports))
    .source(popularFeed(ports))
    .filter(...filters)
    .select(samePicture(ports))
    .select(page(ports, filters))

  return { lastGood, popular }
}
