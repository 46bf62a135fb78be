/** Bytes of requests that wait for the log, bounded. */
export interface InFlight {
  /** Counts `bytes`; null: there is no room. The function returned gives them back, once. */
  take(bytes: number): (() => void) | null
  bytes(): number
  /** Resolves when nothing waits any more. */
  idle(): Promise<void>
}

/** A bound of `maxBytes` on what waits. A single request larger than the bound fits when nothing else waits. */
export function createInFlight(maxBytes: number): InFlight {
  let bytes = 0
  let taken = 0
  let waiting: (() => void)[] = []
  return {
    take(more) {
      if (taken > 0 && bytes + more > maxBytes) return null
      bytes += more
      taken++
      let given = false
      return () => {
        if (given) return
        given = true
        bytes -= more
        taken--
        if (taken > 0) return
        for (const wake of waiting) wake()
        waiting = []
      }
    },
    bytes: () => bytes,
    idle: () => (taken === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
  }
}
