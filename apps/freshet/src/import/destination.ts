import type { EventHash } from './event-bytes.ts'
import type { Sortable } from './sorter.ts'
import type { Applied } from './tally.ts'

/** A problem that the destination has with an event. */
export interface Refusal {
  readonly code: string
  readonly field: string
  readonly message: string
}

/** The result for a catalogue entry. */
export type PinOutcome = 'accepted' | 'unchanged' | Refusal

/** The destination of an import: a data folder or running services. */
export interface Destination {
  /** Maximum number of events in a call of `takeEngagements` or `takePins`. */
  readonly batchEvents: number
  /** Whether the destination has this event already. */
  has(id: EventHash): boolean
  /** Writes catalogue entries, which have the form of the HTTP API. */
  takePins(pins: readonly unknown[]): Promise<readonly PinOutcome[]>
  /** The pins without a catalogue entry; null: the destination does not know. */
  missingPins(pinIds: ReadonlySet<string>): Promise<readonly string[] | null>
  /** Writes engagements in the given order. Resolves to a refusal for each; null: accepted. */
  takeEngagements(events: readonly Sortable[]): Promise<readonly (Refusal | null)[]>
  /** Waits until all accepted events are applied, and returns the counts; null: the destination does not know. */
  applied(): Promise<Applied | null>
  /** A hint for the user what to do next. */
  readonly next: string
  close(): Promise<void>
}
