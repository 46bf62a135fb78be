import type { Sessions } from './sessions.ts'

/** Lags are counted up to this many pins back. */
export const maxLag = 32

/** How far back in a user's trail a pin is. */
export interface LagReader {
  /** Read before the action is folded. The object is the same one at every call. */
  read(userId: string, pinRow: number): { readonly lag: number; readonly distinctBefore: number }
}

/** A reader of the trails view: lag 0 is the pin touched last, -1 none of the last `maxLag` distinct ones. */
export function createLagReader(trails: Sessions): LagReader {
  const seen = new Int32Array(maxLag)
  const answer = { lag: -1, distinctBefore: 0 }
  return {
    read(userId, pinRow) {
      answer.lag = -1
      answer.distinctBefore = 0
      const trail = trails.find(userId, null, 0)
      if (trail < 0) return answer
      const start = trails.startOf(trail)
      for (let i = start + trails.lengthOf(trail) - 1; i >= start && answer.distinctBefore < maxLag; i--) {
        const row = trails.pinRows[i] ?? -1
        let known = false
        for (let n = 0; n < answer.distinctBefore && !known; n++) known = seen[n] === row
        if (known) continue
        if (row === pinRow) answer.lag = answer.distinctBefore
        seen[answer.distinctBefore++] = row
      }
      return answer
    },
  }
}
