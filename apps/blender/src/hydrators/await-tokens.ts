import { ContractError, type ErrorCode } from '@freshet/contracts/errors'
import type { LogPosition } from '@freshet/contracts/gen/freshet/retrieval/v1/retrieval'
import type { ContextHydrator } from '@freshet/pipeline/stage'
import type { StagePorts } from '../ports.ts'
import type { FeedRequest } from '../request.ts'
import { createTokenWait, type TokenWait, type TokenWaitPorts } from '../token-wait.ts'
import type { UserContext } from './user-state.ts'

/** How fresh the answer is so far, and which positions the other services must wait for. */
export interface FreshnessContext extends Pick<UserContext, 'user'> {
  /** null: the request has no tokens. */
  readonly tokensReflected: boolean | null
  /** Codes that say why events of tokens will never be reflected. */
  readonly tokenProblems: readonly ErrorCode[]
  readonly candidatesAwait: readonly LogPosition[]
  readonly rankerAwait: readonly LogPosition[]
}

/** Read your writes: waits until the stored state reflects the tokens' events. The other services wait for the catalogue's tokens. */
export function awaitTokens(
  ports: TokenWaitPorts & Pick<StagePorts, 'foldProblem'>,
): ContextHydrator<FeedRequest & UserContext, FreshnessContext> {
  return awaiting(ports, async (request, signal, tokens) => ({
    ...(await tokens.reflected(request, signal)),
    candidatesAwait: [...request.pinsAwaited, ...request.creatorsAwaited, ...request.boardsAwaited],
    rankerAwait: request.pinsAwaited,
  }))
}

/** A stage that calls `wait` if the request has tokens. */
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
    // Reading the signal of a call creates it.
    run: (request, call) => {
      const problem = request.userId === '' ? null : ports.foldProblem()
      if (problem !== null) throw new ContractError('LOG_REPLACED', problem)
      return request.awaitsEvents ? wait(request, call.signal, tokens) : withoutWaiting(request, null)
    },
    // The answer is BEHIND already, so the other services need not wait.
    otherwise: (request) => withoutWaiting(request, request.awaitsEvents ? false : null),
  }
}

function withoutWaiting({ user }: UserContext, tokensReflected: boolean | null): FreshnessContext {
  return { user, tokensReflected, tokenProblems: [], candidatesAwait: [], rankerAwait: [] }
}
