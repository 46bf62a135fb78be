import type { Filter } from '@freshet/pipeline/stage'
import type { CandidateColumns } from '../candidates.ts'
import type { UserContext } from '../hydrators/user-state.ts'
import type { StagePorts } from '../ports.ts'
import type { FeedRequest } from '../request.ts'
import { alreadySavedFilter } from './already-saved.ts'
import { availabilityFilter } from './availability.ts'
import { catalogueFilter } from './catalogue.ts'
import { hiddenFilter } from './hidden.ts'
import { itselfFilter } from './itself.ts'
import { minAgeFilter } from './min-age.ts'
import { mutedWordFilter } from './muted-word.ts'
import { ownPinFilter } from './own-pin.ts'
import { previouslyServedFilter } from './previously-served.ts'
import { requestedFilter, type BoardCheck } from './requested.ts'
import { safetyLabelFilter } from './safety-label.ts'
import { seenFilter } from './seen.ts'

/** The differences between the filters of two pipelines. */
interface SafetyOptions<Request> {
  /** Replaces the last filter. */
  readonly seen?: Filter<Request, CandidateColumns>
  readonly boards?: BoardCheck
}

/** The filters of every feed, on both surfaces and on every rung of the ladder. All fail closed. */
export function safetyFilters<Request extends FeedRequest & UserContext>(
  ports: Pick<StagePorts, 'facts' | 'creators' | 'factsUnready' | 'config'>,
  { seen = seenFilter(), boards = 'by-source' }: SafetyOptions<Request> = {},
): readonly Filter<Request, CandidateColumns>[] {
  return [
    itselfFilter(),
    hiddenFilter(),
    catalogueFilter(ports),
    availabilityFilter(ports),
    safetyLabelFilter(ports),
    minAgeFilter(ports),
    mutedWordFilter(ports),
    ownPinFilter(ports),
    requestedFilter(ports, boards),
    alreadySavedFilter(),
    previouslyServedFilter(),
    seen,
  ]
}
