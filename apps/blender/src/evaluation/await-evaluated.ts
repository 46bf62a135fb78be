import type { ContextHydrator } from '@freshet/pipeline/stage'
import { awaiting, type FreshnessContext } from '../hydrators/await-tokens.ts'
import type { UserContext } from '../hydrators/user-state.ts'
import type { StagePorts } from '../ports.ts'
import type { TokenWaitPorts } from '../token-wait.ts'
import type { EvaluatedRequest } from './evaluated-request.ts'

/**
 * Waits for tokens as for every feed. With collective consistency it waits for the whole chain: the user state, then the pin
 * state that results from it, then the position that the ranker must have read.
 */
export function awaitEvaluated(
  ports: TokenWaitPorts & Pick<StagePorts, 'foldProblem'>,
): ContextHydrator<EvaluatedRequest & UserContext, FreshnessContext> {
  return awaiting<EvaluatedRequest>(ports, async (request, signal, tokens) => {
    const { pinsAwaited, creatorsAwaited, boardsAwaited, engagementsAwaited, evaluation } = request
    const catalogueAwaited = [...pinsAwaited, ...creatorsAwaited, ...boardsAwaited]
    const reflected = await tokens.reflected(request, signal)
    if (!evaluation.collective) return { ...reflected, candidatesAwait: catalogueAwaited, rankerAwait: pinsAwaited }
    await tokens.passed('pin', await tokens.endsOf('pin-engagements.v1', signal), signal)
    return {
      ...reflected,
      candidatesAwait: [...catalogueAwaited, ...engagementsAwaited],
      rankerAwait: [...pinsAwaited, ...(await tokens.endsOf('pin-features.v1', signal))],
    }
  })
}
