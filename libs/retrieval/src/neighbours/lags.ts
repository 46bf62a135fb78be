import { orZero } from '@freshet/columns/or-zero'
import { goneRow } from '../views/catalogue.ts'
import type { Sessions } from '../views/sessions.ts'
import type { SectionReader, SectionWriter } from '@freshet/columns/snapshot'

/** Lags are counted up to this many pins back. */
export const maxLag = 32

/**
 * How often users return to an earlier pin, by lag: the number of other pins touched since. For each lag, `chances` counts
 * how often there was a pin to return to, and `returns` how often it was the next pin. Counts of shards add up.
 */
export interface LagCounts {
  readonly chances: Float64Array
  readonly returns: Float64Array
}

/** The counts as a fold over trails. */
export interface LagView extends LagCounts {
  /** Counts an action against the user's trail before it; for a late action, the trail before its time. */
  count(userId: string, pinRow: number, atMs: number): void
  save(writer: SectionWriter): void
  load(reader: SectionReader): void
}

/** Creates empty counts over the trails view; they ignore gone pins. */
export function createLagView(
  trails: Sessions,
  isGone: (pinRow: number) => boolean = (row) => row === goneRow,
): LagView {
  const chances = new Float64Array(maxLag)
  const returns = new Float64Array(maxLag)
  const seen = new Int32Array(maxLag)
  return {
    chances,
    returns,
    count(userId, pinRow, atMs) {
      const trail = trails.find(userId, null, 0)
      if (trail < 0) return
      const start = trails.startOf(trail)
      let distinct = 0
      for (let i = start + trails.lengthOf(trail) - 1; i >= start && distinct < maxLag; i--) {
        if (trails.pinAtMs[i]! > atMs) continue
        const row = trails.pinRows[i] ?? -1
        if (isGone(row)) continue
        let known = false
        for (let n = 0; n < distinct && !known; n++) known = seen[n] === row
        if (known) continue
        chances[distinct] = chances[distinct]! + 1
        if (row === pinRow) returns[distinct] = returns[distinct]! + 1
        seen[distinct++] = row
      }
    },
    save(writer) {
      writer.f64('chances', chances)
      writer.f64('returns', returns)
    },
    load(reader) {
      chances.set(reader.f64('chances'))
      returns.set(reader.f64('returns'))
    },
  }
}

/** Adds up the counts of all shards. */
export function sumOfLags(parts: readonly LagCounts[]): LagCounts {
  const sum = (column: keyof LagCounts): Float64Array => {
    const total = new Float64Array(maxLag)
    for (const part of parts) total.forEach((value, lag) => (total[lag] = value + orZero(part[column][lag])))
    return total
  }
  return { chances: sum('chances'), returns: sum('returns') }
}
