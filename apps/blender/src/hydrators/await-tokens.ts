import { ContractError, type ErrorCode } from '@freshet/contracts/errors'
import type { LogPosition } from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import type { ContextHydrator } from '@freshet/pipeline/stage'
import type { StagePorts } from '../ports.ts'
import type { FeedRequest } from '../request.ts'
import { createTokenWait, type TokenWait, type TokenWaitPorts } from '../token-wait.ts'
import type { UserContext } from './user-state.ts'

/** How fresh the answer is so far, and what the services behind have to wait for. */
export interface FreshnessContext extends Pick<UserContext, 'user'> {
  /** null: nothing was to be reflected. */
  readonly tokensReflected: boolean | null
  /** Why events of tokens will never be reflected, as codes. */
  readonly tokenProblems: readonly ErrorCode[]
  readonly candidatesAwait: readonly LogPosition[]
  readonly rankerAwait: readonly LogPosition[]
}

/** Read your writes: waits until the stored state reflects the tokens' events. What is behind waits for the catalogue's. */
export function awaitTokens(
  ports: TokenWaitPorts & Pick<StagePorts, 'foldProblem'>,
): ContextHydrator<FeedRequest & UserContext, FreshnessContext> {
  return awaiting(ports, async (request, signal, tokens) => ({
    ...(await tokens.reflected(request, signal)),
    candidatesAwait: request.pinsAwaited,
    rankerAwait: request.pinsAwaited,
  }))
}

/** The stage that waits for the tokens of a request, if it has some, with `wait`. */
export function awaiting<Request extends FeedRequest>(
  ports: TokenWaitPorts & Pick<StagePorts, 'foldProblem'>,
  wait: (request: Request & UserContext, signal: AbortSignal, tokens: TokenWait) => Promise<FreshnessContext>,
): ContextHydrator<Request & UserContext, FreshnessContext> {
  const tokens = createTokenWait(ports)
  return {
    kind: 'context',
    name: 'await-tokens',
    policy: 'optional',
    budget: ({ params }) => ({ ms: params.awaitBudgetMs, share: 0.6 }),
    run: (request, { signal }) => {
      const problem = request.userId === '' ? null : ports.foldProblem()
      if (problem !== null) throw new ContractError('LOG_REPLACED', problem)
      return request.awaitsEvents ? wait(request, signal, tokens) : unawaited(request, null)
    },
    // The answer says BEHIND: making those behind wait as well would not change that.
    otherwise: (request) => unawaited(request, request.awaitsEvents ? false : null),
  }
}

function unawaited({ user }: UserContext, tokensReflected: boolean | null): FreshnessContext {
  return { user, tokensReflected, tokenProblems: [], candidatesAwait: [], rankerAwait: [] }
}
