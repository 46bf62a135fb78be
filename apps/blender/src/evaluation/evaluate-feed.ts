import { pipeline } from '@freshet/pipeline/pipeline'
import { fallbackRungs } from '../fallback-rungs.ts'
import { itselfFilter } from '../filters/itself.ts'
import { safetyFilters } from '../filters/safety-filters.ts'
import type { Rungs } from '../get-feed.ts'
import { userState } from '../hydrators/user-state.ts'
import type { StagePorts } from '../ports.ts'
import { rank } from '../scorers/rank.ts'
import { byUtility } from '../selectors/by-utility.ts'
import { orderingPool } from '../selectors/ordering-pool.ts'
import { orderingSteps } from '../selectors/ordering-steps.ts'
import { page } from '../selectors/page.ts'
import { samePicture } from '../selectors/same-picture.ts'
import { shownBeforeLast } from '../selectors/shown-before-last.ts'
import { askedAboutFilter } from './asked-about.ts'
import { awaitEvaluated } from './await-evaluated.ts'
import type { EvaluatedRequest } from './evaluated-request.ts'
import { refusedSources, retrieveEvaluated } from './retrieve-evaluated.ts'
import { seenUnlessRepeats } from './seen-unless-repeats.ts'

/** The pipelines of an evaluation: those of every feed, plus the options that only evaluations have. The feed never becomes the user's last good feed. */
export function evaluationRungs(ports: StagePorts): Rungs<EvaluatedRequest> {
  const filters = [askedAboutFilter(), ...safetyFilters(ports, { seen: seenUnlessRepeats() })]
  const below = [askedAboutFilter(), ...safetyFilters(ports, { seen: seenUnlessRepeats(), boards: 'unchecked' })]

  const whole = pipeline<EvaluatedRequest>('feed')
    .hydrate(userState(ports))
    .hydrate(awaitEvaluated(ports))
    .source(retrieveEvaluated(ports))
    .filter(...filters)
    .score(rank(ports))
    .select(byUtility())
    .select(samePicture(ports))
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

  const { lastGood, popular } = fallbackRungs<EvaluatedRequest>(ports, below)

  return {
    nextPage: () => null,
    whole: ({ evaluation }) => (evaluation.candidatesOnly ? candidates : whole),
    lastGood: ({ surface, evaluation }) => (surface === 'home' && !evaluation.candidatesOnly ? lastGood : null),
    popular,
    refused: refusedSources,
  }
}
