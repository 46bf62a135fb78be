import type { LogRecord } from '@freshet/contracts/ports/event-log'
import type { FoldConfig } from './config.ts'
import type { Lookup } from './stage.ts'

/**
 * Which generation of the dedupe memory holds an event id, and in which a repeat is looked for. What counts is when the
 * event was received (by the clock of the ingest that took it), not when it happened: neither a history of years nor an
 * event from the future moves the memory, and one wrong receipt moves that one event's place and nothing else.
 *
 * The rule is about two records alone, so it does not depend on what else a batch holds: a record repeats an earlier one
 * with the same id that was received at most `dedupeWindowMs` before it, rounded up to whole generations, or up to a
 * generation after it (clocks of two ingests differ).
 */
export interface DedupeWindow {
  /** The generation of an event that was received at this time. */
  generationOf(receivedAtMs: number): number
  /** Whether a record of generation `later` repeats an earlier one of generation `earlier` with the same id. */
  covers(later: number, earlier: number): boolean
  /** Where to look for hashes of these generations. */
  lookups(generations: Float64Array): readonly Lookup[]
}

/** The window of a configuration. */
export function createDedupeWindow(config: Pick<FoldConfig, 'dedupeWindowMs' | 'dedupeGenerations'>): DedupeWindow {
  const { dedupeWindowMs, dedupeGenerations: back } = config
  const generationMs = dedupeWindowMs / back
  const lookedIn = (generation: number): readonly number[] =>
    Array.from({ length: back + 2 }, (_, i) => generation + 1 - i).filter((one) => one >= 0)
  return {
    generationOf: (receivedAtMs) => Math.floor(receivedAtMs / generationMs),
    covers: (later, earlier) => earlier >= later - back && earlier <= later + 1,
    lookups(generations) {
      const [first] = generations
      if (first === undefined) return []
      if (generations.every((generation) => generation === first)) {
        return [{ generations: lookedIn(first), indices: null }]
      }
      const byGeneration = Map.groupBy(generations.keys(), (index) => generations[index] ?? 0)
      return [...byGeneration].map(([generation, indices]) => ({
        generations: lookedIn(generation),
        indices: Uint32Array.from(indices),
      }))
    },
  }
}

/** When an event was received; where nobody said so, when the log took it. */
export function receivedAt(scan: { readonly receivedAtMs: number }, record: Pick<LogRecord, 'appendedAtMs'>): number {
  return scan.receivedAtMs > 0 ? scan.receivedAtMs : record.appendedAtMs
}
