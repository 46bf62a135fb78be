import type { ContextHydrator } from '@freshet/pipeline/stage'
import type { StagePorts } from '../ports.ts'
import type { FeedRequest } from '../request.ts'
import { decodeServed, nothingServed, type ServedSet } from '../served-set.ts'
import { unknownUser, type KnownUser } from '../user.ts'

/** What the blender knows about the user of a request. */
export interface UserContext {
  readonly user: KnownUser
  /** Stored position of the user's partition; null: none is stored. */
  readonly userPosition: number | null
  readonly served: ServedSet
}

/** What a pipeline that ran before for the same request read about the user. */
export interface Learned {
  /** Absent or null: nothing. */
  readonly learned?: UserContext | null
}

/** The parts that all stages that read the user share. */
export const userStateStage = {
  kind: 'context',
  name: 'user-state',
  policy: 'required',
  budget: ({ params }: Pick<FeedRequest, 'params'>) => ({ ms: params.userStateBudgetMs, share: 0.4 }),
} as const

/** Reads the user's state and the served pins in parallel, unless another pipeline has read them for this request. `served` says whether it reads the served pins. */
export function userState(
  ports: Pick<StagePorts, 'users' | 'memory' | 'config'>,
  { served }: { readonly served: 'read' | 'ignored' } = { served: 'read' },
): ContextHydrator<FeedRequest & Learned, UserContext> {
  return {
    ...userStateStage,
    run: (request, { signal }) => request.learned ?? readUser(request, ports, signal, served),
  }
}

/** Reads what the blender knows about the user. */
export async function readUser(
  { userId, surface, atMs }: FeedRequest,
  { users, memory, config }: Pick<StagePorts, 'users' | 'memory' | 'config'>,
  signal: AbortSignal,
  wanted: 'read' | 'ignored' = 'read',
): Promise<UserContext> {
  if (userId === '') return { user: unknownUser, userPosition: null, served: nothingServed }
  const readsServed = surface === 'home' && wanted === 'read'
  const [{ bytes, position }, served] = await Promise.all([
    users.read(userId, signal),
    readsServed ? users.readServed(userId, signal) : null,
  ])
  return {
    user: memory.learn(userId, bytes),
    userPosition: position,
    served: decodeServed(served, { atMs, windowMs: config.servedWindowMs }),
  }
}
