import { Surface } from '@freshet/contracts/gen/freshet/engagement/v1/engagement'
import type { RetrieveRequest } from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import type { Source } from '@freshet/pipeline/stage'
import { candidatesFrom, type CandidateColumns } from '../candidates.ts'
import type { StagePorts } from '../ports.ts'
import type { FeedRequest } from '../request.ts'
import type { FreshnessContext } from './await-tokens.ts'
import type { UserContext } from './user-state.ts'

const mostCandidates = 2_000

/** Asks the candidate service for a few hundred pins. */
export function retrieve({
  candidates,
  config,
}: Pick<StagePorts, 'candidates' | 'config'>): Source<FeedRequest & UserContext & FreshnessContext, CandidateColumns> {
  return {
    kind: 'source',
    name: 'retrieve',
    policy: 'required',
    budget: { ms: config.retrieveBudgetMs, share: 0.6 },
    run: async (request, { timeoutMs, signal }) => {
      const { among, candidatesOnly, relatedToPinId } = request
      const response = await candidates.retrieve(retrieveRequest(request, config.maxCandidates), { timeoutMs, signal })
      const missing = candidatesOnly ? [] : among.filter((pinId) => pinId !== relatedToPinId)
      return candidatesFrom(response, missing)
    },
  }
}

function retrieveRequest(
  request: FeedRequest & UserContext & FreshnessContext,
  maxCandidates: number,
): RetrieveRequest {
  const { user, surface, candidatesOnly } = request
  return {
    userId: request.userId,
    sessionId: request.sessionId,
    surface: surface === 'home' ? Surface.HOME : Surface.RELATED,
    atMs: request.atMs,
    recent: user.recent,
    relatedToPinId: request.relatedToPinId,
    excludePinIds: excludedPins(request),
    follows: user.follows,
    blocks: candidatesOnly ? undefined : user.blocks,
    // What was served is known here only, so as many more are asked for as may have to go.
    limit: Math.min(mostCandidates, maxCandidates + request.served.size),
    sources: [...request.sources],
    locale: request.locale,
    amongPinIds: [...request.among],
    await: [...request.candidatesAwait],
  }
}

/** What the search can leave out by itself, so that the answer doesn't shrink; the filters judge again. */
function excludedPins({ user, exclude, candidatesOnly, allowRepeats, surface }: FeedRequest & UserContext): string[] {
  const excluded = new Set(candidatesOnly ? exclude : [...exclude, ...user.hidden, ...user.reported])
  if (!allowRepeats && surface === 'home') for (const pinId of user.recent?.pinIds ?? []) excluded.add(pinId)
  return [...excluded]
}
