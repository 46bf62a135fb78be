/**
 * Calls back once, `ms` from now; the returned function cancels the call. After a busy period Node fires due timers before it
 * handles data that arrived in the meantime. This timer lets that data go first, so that an answer that came in time is not dropped.
 * With 0 it calls back in the next turn of the event loop.
 */
export function afterMs(ms: number, callback: () => void): () => void {
  if (ms <= 0) {
    const next = setImmediate(callback)
    return () => clearImmediate(next)
  }
  let heard: NodeJS.Immediate | null = null
  const timer = setTimeout(() => {
    heard = setImmediate(callback)
  }, ms)
  return () => {
    clearTimeout(timer)
    if (heard !== null) clearImmediate(heard)
  }
}
