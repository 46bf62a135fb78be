/**
 * Lets one caller through per turn of the event loop, in order; at once where nobody came before in this turn. Calls that
 * compute for milliseconds would otherwise begin all at once, and what the first of them waits for (a write, another
 * service) would not be heard before the last of them had computed.
 */
export function createTurnstile(): () => Promise<void> {
  const waiting: (() => void)[] = []
  let turning = false

  function turn(): void {
    const next = waiting.shift()
    turning = next !== undefined
    if (next === undefined) return
    setImmediate(turn)
    next()
  }

  return () => {
    if (turning) return new Promise((resolve) => waiting.push(resolve))
    turning = true
    setImmediate(turn)
    return Promise.resolve()
  }
}
