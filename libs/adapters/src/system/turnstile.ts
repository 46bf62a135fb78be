interface Waiting {
  readonly letThrough: () => void
  readonly cameAtMs: number
  readonly timeoutMs: number
}

/**
 * Lets one caller through per turn of the event loop, in order; at once where nobody came before in this turn. Calls that
 * compute for milliseconds would otherwise begin all at once, and what the first of them waits for (a write, another
 * service) would not be heard before the last of them had computed.
 *
 * Where the first in line has waited for half of its time there is more to do than can be done: then the newest go first,
 * which still have the time for a whole answer; in order, each would begin with too little left. Those whose time is up
 * are let go together, to find out so.
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
