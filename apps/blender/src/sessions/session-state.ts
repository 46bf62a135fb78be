import type { ContextHydrator } from '@freshet/pipeline/stage'
import type { StagePorts } from '../ports.ts'
import type { FeedRequest } from '../request.ts'
import { readUser, userStateStage, type UserContext } from '../hydrators/user-state.ts'
import { decodeReserve, reserveHead, type Reserve } from './reserve.ts'
import { termsMark } from './session-request.ts'

/** The reserve of the request's session. */
export interface SessionContext {
  /** null: there is none, or it no longer fits: the user acted since, or the request asks for something else. */
  readonly reserve: Reserve | null
}

/** Reads the user's state, the served pins and the session's reserve in parallel. */
export function sessionState(
  ports: Pick<StagePorts, 'users' | 'memory' | 'config'>,
): ContextHydrator<FeedRequest, UserContext & SessionContext> {
  return {
    ...userStateStage,
    run: async (request, { signal }) => {
      const [context, bytes] = await Promise.all([
        readUser(request, ports, signal),
        ports.users.readReserve(request.userId, signal),
      ])
      const head = reserveHead(bytes)
      const fits =
        head !== null &&
        head.startedAtMs === request.page.startedAtMs &&
        head.acted === context.user.acted &&
        head.terms === termsMark(request)
      return { ...context, reserve: fits ? decodeReserve(bytes) : null }
    },
  }
}
