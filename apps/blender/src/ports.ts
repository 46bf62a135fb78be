import type { CandidateService, Ranker } from '@freshet/contracts/ports/calls'
import type { EventLog } from '@freshet/contracts/ports/event-log'
import type { StateStore } from '@freshet/contracts/ports/state-store'
import type { Clock } from '@freshet/domain/clock'
import type { BlenderConfig } from './config.ts'
import type { FeedObserver } from './feed-observer.ts'
import type { PinFacts } from './pin-facts.ts'
import type { Popular } from './popular.ts'
import type { UserMemory } from './user-memory.ts'
import type { UserStates } from './user-states.ts'

/** What the stages work with. */
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
  /** Why the facts can't be relied on; null: they can. */
  readonly factsUnready: () => string | null
  readonly popular: Popular
  /** Why what users do is not folded into their state; null: it is. */
  readonly foldProblem: () => string | null
}
