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

/** Reads the user's state and the served pins in parallel, once per request. `served` says whether it reads the served pins. */
export function userState(
  { users, memory, config }: Pick<StagePorts, 'users' | 'memory' | 'config'>,
  { served: wanted }: { readonly served: 'read' | 'ignored' } = { served: 'read' },
): ContextHydrator<FeedRequest, UserContext> {
  return {
    kind: 'context',
    name: 'user-state',
    policy: 'required',
    budget: ({ params }) => ({ ms: params.userStateBudgetMs, share: 0.4 }),
    run: ({ userId, surface, atMs }, { signal }) => {
      if (userId === '') return { user: unknownUser, userPosition: null, served: nothingServed }
      const window = { atMs, windowMs: config.servedWindowMs }
      const readsServed = surface === 'home' && wanted === 'read'
      return Promise.all([
        users.read(userId, signal),
        readsServed ? users.readServed(userId, signal) : Promise.resolve(null),
      ]).then(([{ bytes, position }, served]) => ({
        user: memory.learn(userId, bytes),
        userPosition: position,
        served: decodeServed(served, window),
      }))
    },
  }
}
