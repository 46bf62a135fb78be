import type { Filter } from '@freshet/pipeline/stage'
import type { CandidateColumns } from '../candidates.ts'
import type { UserContext } from '../hydrators/user-state.ts'
import type { StagePorts } from '../ports.ts'
import type { FeedRequest } from '../request.ts'
import { catalogueFilter } from './catalogue.ts'
import { hiddenFilter } from './hidden.ts'
import { itselfFilter } from './itself.ts'
import { previouslyServedFilter } from './previously-served.ts'
import { seenFilter } from './seen.ts'

/** The filters of every feed, on both surfaces and on every rung of the ladder. All fail closed. `seen` replaces the last one. */
export function safetyFilters<Request extends FeedRequest & UserContext>(
  ports: Pick<StagePorts, 'facts' | 'factsUnready' | 'config'>,
  seen: Filter<Request, CandidateColumns> = seenFilter(),
): readonly Filter<Request, CandidateColumns>[] {
  return [itselfFilter(), hiddenFilter(), catalogueFilter(ports), previouslyServedFilter(), seen]
}
