import { pipeline } from '@freshet/pipeline/pipeline'
import { itselfFilter } from '../filters/itself.ts'
import { safetyFilters } from '../filters/safety-filters.ts'
import type { Rungs } from '../get-feed.ts'
import { rememberedUser, type FallbackRequest } from '../hydrators/remembered-user.ts'
import { userState } from '../hydrators/user-state.ts'
import type { StagePorts } from '../ports.ts'
import { rank } from '../scorers/rank.ts'
import { byUtility } from '../selectors/by-utility.ts'
import { orderingPool } from '../selectors/ordering-pool.ts'
import { orderingSteps } from '../selectors/ordering-steps.ts'
import { page } from '../selectors/page.ts'
import { shownBeforeLast } from '../selectors/shown-before-last.ts'
import { lastGoodFeed } from '../sources/last-good-feed.ts'
import { popularFeed } from '../sources/popular-feed.ts'
import { askedAboutFilter } from './asked-about.ts'
import { awaitEvaluated } from './await-evaluated.ts'
import type { EvaluatedRequest } from './evaluated-request.ts'
import { refusedSources, retrieveEvaluated } from './retrieve-evaluated.ts'
import { seenUnlessRepeats } from './seen-unless-repeats.ts'

/** The pipelines of an evaluation: those of every feed, plus the options that only evaluations have. The feed never becomes the user's last good feed. */
export function evaluationRungs(ports: StagePorts): Rungs<EvaluatedRequest> {
  const filters = [askedAboutFilter(), ...safetyFilters(ports, seenUnlessRepeats())]

  const whole = pipeline<EvaluatedRequest>('feed')
    .hydrate(userState(ports))
    .hydrate(awaitEvaluated(ports))
    .source(retrieveEvaluated(ports))
    .filter(...filters)
    .score(rank(ports))
    .select(byUtility())
    .select(shownBeforeLast())
    .select(orderingPool(ports))
    .select(...orderingSteps(ports))
    .select(page(ports, filters))

  const candidates = pipeline<EvaluatedRequest>('candidates')
    .hydrate(userState(ports, { served: 'ignored' }))
    .hydrate(awaitEvaluated(ports))
    .source(retrieveEvaluated(ports))
    .filter(askedAboutFilter(), itselfFilter())
    .select(page(ports, []))

  const lastGood = pipeline<EvaluatedRequest & FallbackRequest>('last-good')
    .hydrate(rememberedUser(ports))
    .source(lastGoodFeed(ports))
    .filter(...filters)
    .select(page(ports, filters))

  const popular = pipeline<EvaluatedRequest & FallbackRequest>('popular')
    .hydrate(rememberedUser(ports))
    .source(popularFeed(ports))
    .filter(...filters)
    .select(page(ports, filters))

  return {
    nextPage: () => null,
    whole: ({ evaluation }) => (evaluation.candidatesOnly ? candidates : whole),
    lastGood: ({ surface, evaluation }) => (surface === 'home' && !evaluation.candidatesOnly ? lastGood : null),
    popular,
    refused: refusedSources,
  }
}
