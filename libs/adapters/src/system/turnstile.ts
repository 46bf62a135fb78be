interface Waiting {
  readonly letThrough: () => void
  readonly cameAtMs: number
  readonly timeoutMs: number
}

/**
 * Lets one caller through per turn of the event loop, in order; immediately if it is the first of this turn. Calls that
 * compute for milliseconds would otherwise all begin together, and the event that the first of them waits for (a write, another
 * service) would not be handled before the last of them had computed.
 *
 * If the first in line has waited for half of its time, the process is overloaded: then the newest go first,
 * because they still have time for a complete answer; in order, each would begin with too little time left. Callers whose time is up
 * pass together and fail.
 */
export function createTurnstile(nowMs: () => number = () => performance.now()): (timeoutMs: number) => Promise<void> {
  const waiting: Waiting[] = []
  let turning = false

  function turn(): void {
    const now = nowMs()
    let late = 0
    while (late < waiting.length && now - waiting[late]!.cameAtMs >= waiting[late]!.timeoutMs) late++
    for (const { letThrough } of waiting.splice(0, late)) letThrough()
    const first = waiting[0]
    const crowded = first !== undefined && now - first.cameAtMs > first.timeoutMs / 2
    const next = crowded ? waiting.pop() : waiting.shift()
    turning = next !== undefined
    if (next === undefined) return
    setImmediate(turn)
    next.letThrough()
  }

  return (timeoutMs) => {
    if (turning) {
      return new Promise((letThrough) => waiting.push({ letThrough, cameAtMs: nowMs(), timeoutMs }))
    }
    turning = true
    setImmediate(turn)
    return Promise.resolve()
  }
}
