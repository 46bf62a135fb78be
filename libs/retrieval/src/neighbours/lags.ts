import { orZero } from '@freshet/columns/or-zero'
import { goneRow } from '../views/catalogue.ts'
import type { Sessions } from '../views/sessions.ts'
import type { SectionReader, SectionWriter } from '@freshet/columns/snapshot'

/** Lags are counted up to this many pins back. */
export const maxLag = 32

/**
 * How often users go back how far: a lag of n says that n other pins were touched since. By lag, how often there was a
 * pin to go back to, and how often it was the one touched next. Counts of shards add up to those of the whole.
 */
export interface LagCounts {
  readonly chances: Float64Array
  readonly returns: Float64Array
}

/** The counts as a fold over trails. */
export interface LagView extends LagCounts {
  /** Counts an action by the user's trail before it: before its time, where it comes late. */
  count(userId: string, pinRow: number, atMs: number): void
  save(writer: SectionWriter): void
  load(reader: SectionReader): void
}

/** Counts at zero, over the trails view; pins that have gone are passed over. */
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

/** The counts of all shards together. */
export function sumOfLags(parts: readonly LagCounts[]): LagCounts {
  const sum = (column: keyof LagCounts): Float64Array => {
    const total = new Float64Array(maxLag)
    for (const part of parts) total.forEach((value, lag) => (total[lag] = value + orZero(part[column][lag])))
    return total
  }
  return { chances: sum('chances'), returns: sum('returns') }
}
