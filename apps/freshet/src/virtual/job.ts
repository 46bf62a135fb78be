import type { EventLog } from '@freshet/contracts/ports/event-log'
import type { Clock } from '@freshet/domain/clock'
import type { ModelSlot } from '@freshet/ranking/model/slot'

/** Work beside the services that runs in step with virtual time, for example the training of a model. */
export interface Job {
  /** Starts to read the log. */
  start(): Promise<void>
  /**
   * Does what is due at this time, milliseconds since the epoch, to its end. Every record so far was delivered to its readers.
   * It uses no other time and no chance of its own, so that a run can be repeated.
   */
  runDue(nowMs: number): Promise<void>
  stop(): Promise<void>
}

/** What a job works with. */
export interface JobParts {
  /** The log of the product, with `feeds-served.v1` and `engagements.v1` in it. */
  readonly log: EventLog
  readonly clock: Clock
  /** The slot of the model that ranks feeds. */
  readonly models: ModelSlot
  readonly onError: (error: Error) => void
}

/** Makes a job for a product. */
export type JobFactory = (parts: JobParts) => Job
