import type { ContextHydrator } from '@freshet/pipeline/stage'
import type { StagePorts } from '../ports.ts'
import type { FeedRequest } from '../request.ts'
import { nothingServed } from '../served-set.ts'
import { unknownUser } from '../user.ts'
import type { UserContext } from './user-state.ts'

/** A request on a lower rung of the ladder. `learned`: what a higher rung read about the user; null: it read nothing. */
export interface FallbackRequest extends FeedRequest {
  readonly learned: UserContext | null
}

/** Whether this process knows anything about the user. */
export interface Remembered {
  readonly remembered: boolean
}

/** The user as a higher rung read it, or as this process remembers it. */
export function rememberedUser({
  memory,
}: Pick<StagePorts, 'memory'>): ContextHydrator<FallbackRequest, UserContext & Remembered> {
  return {
    kind: 'context',
    name: 'remembered-user',
    policy: 'required',
    run: ({ userId, learned }) => {
      if (learned !== null) return { ...learned, remembered: true }
      const known = userId === '' ? unknownUser : memory.known(userId)
      return { user: known ?? unknownUser, userPosition: null, served: nothingServed, remembered: known !== null }
    },
  }
}
