import type { CandidateService, Ranker } from '@freshet/contracts/ports/calls'
import type { EventLog } from '@freshet/contracts/ports/event-log'
import type { StateStore } from '@freshet/contracts/ports/state-store'
import type { Clock } from '@freshet/domain/clock'
import type { BlenderConfig } from './config.ts'
import type { FeedObserver } from './feed-observer.ts'
import type { Creators } from './facts/creators.ts'
import type { PinFacts } from './pin-facts.ts'
import type { PinVectors } from './pin-vectors.ts'
import type { Popular } from './popular.ts'
import type { UserMemory } from './user-memory.ts'
import type { UserStates } from './user-states.ts'

/** Dependencies of the stages. */
export interface StagePorts {
  readonly store: StateStore
  readonly log: EventLog
  readonly candidates: CandidateService
  readonly ranker: Ranker
  readonly clock: Clock
  readonly config: BlenderConfig
  readonly observer: FeedObserver
  readonly users: UserStates
  readonly memory: UserMemory
  readonly facts: PinFacts
  readonly creators: Creators
  readonly vectors: PinVectors
  /** Why the facts are not complete; null: they are. */
  readonly factsUnready: () => string | null
  readonly popular: Popular
  /** Why engagements are not being folded into user state; null: they are. */
  readonly foldProblem: () => string | null
}
