/**
 * Calls back once, `ms` from now; what it returns takes that back. A process that was busy finds its timers due before it
 * has looked at what arrived meanwhile: that is heard first, so an answer that came in time is not given up.
 */
export function afterMs(ms: number, callback: () => void): () => void {
  let heard: NodeJS.Immediate | null = null
  const timer = setTimeout(() => {
    heard = setImmediate(callback)
  }, ms)
  return () => {
    clearTimeout(timer)
    if (heard !== null) clearImmediate(heard)
  }
}
