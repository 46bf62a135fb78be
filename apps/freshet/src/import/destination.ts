import type { EventHash } from './event-bytes.ts'
import type { Sortable } from './sorter.ts'
import type { Applied } from './tally.ts'

/** A problem that the destination has with an event. */
export interface Refusal {
  readonly code: string
  readonly field: string
  readonly message: string
}

/** What became of a catalogue entry. */
export type PinOutcome = 'taken' | 'unchanged' | Refusal

/** Where events go: a data folder, or running services. */
export interface Destination {
  /** Events of one call of `takeEngagements`, and pins of one of `takePins`. */
  readonly batchEvents: number
  /** Whether an earlier import, or somebody else, brought this event. */
  has(id: EventHash): boolean
  /** Takes catalogue entries as the HTTP API takes them. */
  takePins(pins: readonly unknown[]): Promise<readonly PinOutcome[]>
  /** Those of these pins that have no catalogue entry; null: it cannot be known here. */
  missingPins(pinIds: ReadonlySet<string>): Promise<readonly string[] | null>
  /** Takes engagements in the order given; null: taken. */
  takeEngagements(events: readonly Sortable[]): Promise<readonly (Refusal | null)[]>
  /** Waits until everything taken is applied; null: nobody can be asked. */
  applied(): Promise<Applied | null>
  /** What to do next, for people. */
  readonly next: string
  close(): Promise<void>
}
